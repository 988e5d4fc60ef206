// One step of a certificate that was asked for, towards being issued or renewed.
import { X509Certificate } from 'node:crypto'
import { type Account, type Challenge, Refusal } from '../../engines/acme/engine.ts'
import type { KeyAlgorithm } from '../../engines/authority/engine.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { readServerCertificate } from '../server-certificate.ts'
import { systemContext } from '../service.ts'
import { requireAuthority } from './authority.ts'
import type { AcmDeps } from './deps.ts'
import { isLocal } from './names.ts'
import { makeReadiness } from './readiness.ts'
import { certificateRow, challengesOf, namesOfOrder, NO_ORDER, type OrderRow, orderRow } from './store.ts'
import { limitsOf } from './validity.ts'

/** How often an order that the authority works on is looked at. */
const LOOK_MS = 1_000
/** How often names are looked up that do not lead here yet, and challenges that are not answered yet here. */
const LEADS_MS = 15_000
const SERVED_MS = 200
/** After an order that failed, doubling; authorities count them (Let's Encrypt: 5 an hour for an account and name). */
const FAILED_FIRST_MS = 15 * 60_000
const FAILED_MOST_MS = 24 * 3_600_000
/** An authority that does not answer. */
const SILENT_MS = 60_000
/** An order that comes to no end; authorities forget them after a week. */
const ORDER_MS = 3_600_000
/** AWS: a request that is not validated for so long is given up. */
const VALIDATION_MS = 72 * 3_600_000
const TELL_AGAIN_MS = 24 * 3_600_000
/** Of the home's own authority. */
const OWN_DAYS = 90

export function makeProgress(deps: AcmDeps) {
  const { store, clock, acme, authority, cloud } = deps
  const readiness = makeReadiness(deps)

  return {
    /** One that is issued is renewed while somebody uses it, as on AWS. */
    isWanted(row: OrderRow): boolean {
      if (row.stage === 'timed out') return false
      return row.stage !== 'issued' || usersOf(row).length > 0
    },
    async step(arn: string): Promise<void> {
      const row = store.transaction(() => beginning(arn))
      if (!row) return
      const names = namesOfOrder(row)
      if (names.every(isLocal)) return issueOwn(row, names)
      const account = store.transaction(() => accountOf(row))
      if (!account) return wait(row, 'no authority of certificates is set (acme.directory)', LEADS_MS)
      if (row.url === null) return order(row, account.known ?? (await makeAccount(account.of)), names)
      return goOn(row, account.known ?? (await makeAccount(account.of)), row.url, names)
    },
  }

  /** The row as it goes on: a renewal that is due begins, a request that nobody validated ends. */
  function beginning(arn: string): OrderRow | undefined {
    const row = orderRow(store, arn)
    if (!row || row.stage === 'timed out') return undefined
    const isIssued = certificateOf(row) !== ''
    if (!isIssued && clock.now() - row.requestedAt > VALIDATION_MS) {
      put(row, { stage: 'timed out', ...NO_ORDER })
      return undefined
    }
    if (row.stage !== 'issued') return row
    const begun = { stage: 'production', ...NO_ORDER } as const
    put(row, begun)
    return { ...row, ...begun }
  }

  async function issueOwn(row: OrderRow, names: string[]) {
    const own = await requireAuthority(deps)
    const key = await authority.makeKey(row.keyAlgorithm)
    keep({ ...row, privateKey: key }, await authority.issue(own, names, key, OWN_DAYS))
  }

  async function order(row: OrderRow, account: Account, names: string[]) {
    const obstacle = await readiness.obstacle(row).catch(reasonOf)
    if (obstacle !== '') return wait(row, obstacle, LEADS_MS)
    try {
      const { url, challenges } = await acme.order(account, names)
      const type = row.method === 'DNS' ? 'dns-01' : 'http-01'
      const wanted = challenges.filter((one) => one.type === type)
      const privateKey = await authority.makeKey(row.keyAlgorithm)
      put(row, {
        ...{
          directory: account.directory,
          url,
          challenges: JSON.stringify(wanted),
          isAnswered: 0,
          privateKey,
        },
        ...{ beganAt: clock.now(), nextAt: clock.now() },
      })
    } catch (error) {
      if (error instanceof Refusal) return fail(row, reasonOf(error))
      wait(row, reasonOf(error), SILENT_MS)
    }
  }

  async function goOn(row: OrderRow, account: Account, url: string, names: string[]) {
    try {
      const { status, problem } = await acme.look(account, url)
      if (status === 'invalid') return fail(row, problem)
      if (status === 'ready') {
        await acme.finalize(account, url, names, row.privateKey)
        return wait(row, '', LOOK_MS)
      }
      if (status === 'valid') return fetched(row, await acme.certificate(account, url))
      if (status === 'pending' && row.isAnswered === 0) return answer(row, account)
      if (clock.now() - row.beganAt > ORDER_MS) return fail(row, 'the authority did not come to an end')
      return wait(row, '', LOOK_MS)
    } catch (error) {
      if (error instanceof Refusal || clock.now() - row.beganAt > ORDER_MS) return fail(row, reasonOf(error))
      return wait(row, reasonOf(error), SILENT_MS)
    }
  }

  async function answer(row: OrderRow, account: Account) {
    const challenges = challengesOf(row)
    if (!readiness.isServed(row)) {
      if (clock.now() - row.beganAt > ORDER_MS) return fail(row, 'its challenges could not be answered here')
      return wait(row, row.reason, SERVED_MS)
    }
    for (const one of challenges) await acme.answer(account, one satisfies Challenge)
    put(row, { isAnswered: 1, nextAt: clock.now() + LOOK_MS })
  }

  function fetched(row: OrderRow, pem: string) {
    if (row.stage === 'production') return keep(row, pem)
    put(row, { stage: 'production', ...NO_ORDER, nextAt: clock.now() })
  }

  function keep(row: OrderRow, pem: string) {
    const [certificate = '', ...between] = pem.match(PEM) ?? []
    const { found, problem } = readServerCertificate(
      { certificate, chain: between.join('\n'), privateKey: row.privateKey },
      clock.now(),
    )
    if (problem) return fail(row, `what was issued cannot be used: ${problem}`)
    const { renewAt } = limitsOf(new X509Certificate(found.certificate))
    store.transaction(() => {
      if (!orderRow(store, row.arn)) return
      store.update('acm_certificate', { arn: row.arn }, { ...found, importedAt: clock.now() })
      put(row, { stage: 'issued', ...NO_ORDER, failures: 0, nextAt: renewAt, reason: '', toldAt: null })
    })
  }

  function wait(row: OrderRow, reason: string, ms: number) {
    put(row, { reason: reason === '' ? row.reason : reason, nextAt: clock.now() + ms })
    if (reason !== '') store.transaction(() => tellIfLate(row, reason))
  }

  function fail(row: OrderRow, reason: string) {
    const ms = Math.min(FAILED_MOST_MS, FAILED_FIRST_MS * 2 ** row.failures)
    store.transaction(() => {
      put(row, { ...NO_ORDER, failures: row.failures + 1, nextAt: clock.now() + ms, reason })
      tellIfLate(row, reason)
    })
    deps.log.warn('a certificate is not issued', { arn: row.arn, failures: row.failures + 1, reason })
  }

  /** A renewal that does not get on is told when there is still time to do something about it. */
  function tellIfLate(row: OrderRow, reason: string) {
    const pem = certificateOf(row)
    if (pem === '' || (row.toldAt !== null && clock.now() - row.toldAt < TELL_AGAIN_MS)) return
    const certificate = new X509Certificate(pem)
    if (clock.now() < limitsOf(certificate).troubleAt) return
    const until = certificate.validToDate.toISOString().slice(0, 10)
    const [name] = namesOfOrder(row)
    deps.tell(
      usersOf(row),
      `The certificate of ${name}, which is good until ${until}, could not be renewed: ${reason}`,
    )
    put(row, { toldAt: clock.now() })
  }

  /** Unless it was deleted meanwhile, or is asked for anew. */
  function put({ arn, requestedAt }: OrderRow, changes: Partial<OrderRow>) {
    store.update('acm_order', { arn, requestedAt }, changes)
  }

  function certificateOf({ arn, account, region }: OrderRow): string {
    return certificateRow(store, systemContext(account, region, ''), arn)?.certificate ?? ''
  }

  function usersOf({ arn, account, region }: OrderRow): string[] {
    return cloud.elasticloadbalancingv2.certificateUses(systemContext(account, region, ''), arn)
  }

  /** The account at the directory whose turn it is: an order stays at its own. */
  function accountOf(row: OrderRow): { of: Omit<Account, 'key'>; known?: Account } | undefined {
    const { directory: production, staging, email, trust } = deps.acmeSettings()
    const wanted = row.stage === 'rehearsal' ? (staging ?? production) : production
    const directory = row.url === null ? wanted : row.directory
    if (directory === null) return undefined
    const of = { directory, trust, email }
    const known = store.get<{ key: string }>('select key from acm_account where directory = :directory', {
      directory,
    })
    return known ? { of, known: { ...of, key: known.key } } : { of }
  }

  async function makeAccount(of: Omit<Account, 'key'>): Promise<Account> {
    const made = await authority.makeKey('EC_prime256v1' satisfies KeyAlgorithm)
    return store.transaction(() => {
      const { directory } = of
      const [there] = store.all<{ key: string }>('select key from acm_account where directory = :directory', {
        directory,
      })
      if (!there) store.insert('acm_account', { directory, key: made })
      return { ...of, key: there?.key ?? made }
    })
  }
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
