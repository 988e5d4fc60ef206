// One step of a certificate that was asked for, towards being issued or renewed.
import { X509Certificate } from 'node:crypto'
import { type Account, Refusal } from '../../engines/acme/engine.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { readServerCertificate } from '../server-certificate.ts'
import { systemContext } from '../service.ts'
import { type AccountOf, makeAccounts } from './accounts.ts'
import { requireAuthority } from './authority.ts'
import type { AcmDeps } from './deps.ts'
import { isLocal, orderedNames } from './names.ts'
import { makeReadiness } from './readiness.ts'
import {
  certificateRow,
  challengesOf,
  namesOfOrder,
  NO_ORDER,
  type OrderRow,
  orderRow,
  ordersOf,
  putChallenges,
} from './store.ts'
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

/** Somebody else went on with the order meanwhile, or it is gone: what this step knows is of yesterday. */
class Overtaken extends Error {}

export function makeProgress(deps: AcmDeps) {
  const { store, clock, acme, authority, cloud } = deps
  const readiness = makeReadiness(deps)
  const accounts = makeAccounts(deps)

  return {
    async step(arn: string): Promise<void> {
      try {
        await advance(arn)
      } catch (error) {
        if (!(error instanceof Overtaken)) throw error
      }
    },
  }

  async function advance(arn: string): Promise<void> {
    const row = store.transaction(() => beginning(arn))
    if (!row) return
    const names = namesOfOrder(row)
    if (names.every(isLocal)) return issueOwn(row, names)
    const account = accounts.wanted(row)
    if (!account) return wait(row, 'no authority of certificates is set (acme.directory)', LEADS_MS)
    return row.url === null
      ? order(row, account, orderedNames(names))
      : goOn(row, await accounts.require(account), row.url, orderedNames(names))
  }

  /** The row as it goes on: a renewal that is due begins, a request that nobody validated ends. */
  function beginning(arn: string): OrderRow | undefined {
    const row = orderRow(store, arn)
    if (!row || row.stage === 'timed out') return undefined
    if (certificateOf(row) === '' && clock.now() - row.requestedAt > VALIDATION_MS) {
      put(row, { stage: 'timed out', ...NO_ORDER })
      return undefined
    }
    // Also a rehearsal whose directory was taken away.
    const isRehearsal =
      row.stage === 'rehearsal' && (row.url !== null || deps.acmeSettings().staging !== null)
    if (!isRehearsal && row.stage !== 'production') put(row, { stage: 'production', ...NO_ORDER })
    return row
  }

  async function issueOwn(row: OrderRow, names: string[]) {
    const own = await requireAuthority(deps)
    const key = await authority.makeKey(row.keyAlgorithm)
    keep({ ...row, privateKey: key }, await authority.issue(own, names, key, OWN_DAYS))
  }

  async function order(row: OrderRow, account: AccountOf, names: string[]) {
    const obstacle = (await readiness.obstacle(row).catch(reasonOf)) || twinOf(row, account)
    if (obstacle !== '') return wait(row, obstacle, LEADS_MS)
    try {
      const made = await acme.order(await accounts.require(account), names)
      const type = row.method === 'DNS' ? 'dns-01' : 'http-01'
      const asked = new Set(names.map((name) => name.replace(/^\*\./, '')))
      const wanted = made.challenges.filter((one) => one.type === type && asked.has(one.name))
      const privateKey = await authority.makeKey(row.keyAlgorithm)
      store.transaction(() => {
        // Both asked at once.
        const meanwhile = twinOf(row, account)
        if (meanwhile !== '') return wait(row, meanwhile, LEADS_MS)
        put(row, {
          ...{ directory: account.directory, url: made.url, isAnswered: 0, privateKey, reason: '' },
          ...{ beganAt: clock.now(), nextAt: clock.now() },
        })
        putChallenges(store, row.arn, wanted)
      })
    } catch (error) {
      if (error instanceof Refusal) return fail(row, reasonOf(error))
      wait(row, reasonOf(error), SILENT_MS)
    }
  }

  /** An authority answers the same order to who asks for the same names again (Boulder does): one after the other. */
  function twinOf(row: OrderRow, { directory }: AccountOf): string {
    const twin = ordersOf(store).find(
      (one) =>
        one.arn !== row.arn && one.url !== null && one.directory === directory && one.names === row.names,
    )
    return twin ? `another certificate of the same names is being ordered (${twin.arn})` : ''
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
      if (status === 'pending' && row.isAnswered === 0) return await answer(row, account)
      if (clock.now() - row.beganAt > ORDER_MS) return fail(row, 'the authority did not come to an end')
      return wait(row, '', LOOK_MS)
    } catch (error) {
      if (error instanceof Overtaken) throw error
      if (error instanceof Refusal || clock.now() - row.beganAt > ORDER_MS) return fail(row, reasonOf(error))
      return wait(row, reasonOf(error), SILENT_MS)
    }
  }

  async function answer(row: OrderRow, account: Account) {
    const challenges = challengesOf(store, row.arn)
    if (!readiness.isServed(row, challenges)) {
      if (clock.now() - row.beganAt > ORDER_MS) return fail(row, 'its challenges could not be answered here')
      return wait(row, '', SERVED_MS)
    }
    for (const one of challenges) await acme.answer(account, one)
    put(row, { isAnswered: 1, nextAt: clock.now() + LOOK_MS })
  }

  function fetched(row: OrderRow, pem: string) {
    if (row.stage === 'production') return keep(row, pem)
    put(row, { stage: 'production', ...NO_ORDER, nextAt: clock.now(), reason: '' })
  }

  function keep(row: OrderRow, pem: string) {
    const [certificate = '', ...between] = pem.match(PEM) ?? []
    const { found, problem } = readServerCertificate(
      { certificate, chain: between.join('\n'), privateKey: row.privateKey },
      clock.now(),
    )
    if (problem) return fail(row, `what was issued cannot be used: ${problem}`)
    const { renewAt, soonest } = limitsOf(new X509Certificate(found.certificate))
    // A clock that is wrong must not make the next one due at once, again and again.
    const nextAt = Math.max(renewAt, clock.now() + soonest)
    store.transaction(() => {
      put(row, { stage: 'issued', ...NO_ORDER, failures: 0, nextAt, reason: '', toldAt: null })
      store.update('acm_certificate', { arn: row.arn }, { ...found, importedAt: clock.now() })
    })
  }

  /** `reason` '' = it gets on. */
  function wait(row: OrderRow, reason: string, ms: number) {
    store.transaction(() => {
      put(row, { reason, nextAt: clock.now() + ms })
      if (reason !== '') tellIfLate(row, reason)
    })
  }

  function fail(row: OrderRow, reason: string) {
    const ms = Math.min(FAILED_MOST_MS, FAILED_FIRST_MS * 2 ** row.failures)
    store.transaction(() => {
      put(row, { ...NO_ORDER, failures: row.failures + 1, nextAt: clock.now() + ms, reason })
      tellIfLate(row, reason)
    })
    deps.log.warn('a certificate is not issued', { arn: row.arn, failures: row.failures, reason })
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
      cloud.elasticloadbalancingv2.certificateUses(systemContext(row.account, row.region, ''), row.arn),
      `The certificate of ${name}, which is good until ${until}, could not be renewed: ${reason}`,
    )
    put(row, { toldAt: clock.now() })
  }

  /** Writes, unless somebody wrote since `row` was read; `row` is as it was written then. @throws Overtaken */
  function put(row: OrderRow, changes: Partial<OrderRow>) {
    const step = row.step + 1
    const { arn } = row
    store.transaction(() => {
      if (store.update('acm_order', { arn, step: row.step }, { ...changes, step }) === 0)
        throw new Overtaken()
      if (changes.url === null) putChallenges(store, arn, [])
    })
    Object.assign(row, changes, { step })
  }

  function certificateOf({ arn, account, region }: OrderRow): string {
    return certificateRow(store, systemContext(account, region, ''), arn)?.certificate ?? ''
  }
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
