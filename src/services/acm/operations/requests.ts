// Certificates that are asked for: an authority issues them, and they are renewed while a listener has them (acm.reconciler).
import { DeclaredError } from '../../../kernel/errors.ts'
import { challengeName } from '../../../engines/acme/engine.ts'
import type { KeyAlgorithm } from '../../../engines/authority/engine.ts'
import type { Context } from '../../context.ts'
import type { AcmOperations } from '../../generated/acm.ts'
import { refuseOthers } from '../../parameters.ts'
import type { AcmDeps } from '../deps.ts'
import { noCertificate, unsupported, validation } from '../errors.ts'
import { isLocal, readCertificateName, withoutWildcard } from '../names.ts'
import { certificateRow, namesOfOrder, NO_ORDER, type OrderRow, orderRow, ordersOf } from '../store.ts'
import { insertCertificate } from './certificates.ts'

type Implemented = Pick<AcmOperations, 'requestCertificate' | 'renewCertificate'>

const KEYS: readonly string[] = [
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'EC_prime256v1',
  'EC_secp384r1',
] satisfies KeyAlgorithm[]
/** Let's Encrypt's; AWS: 10 unless it is asked for more. */
const NAMES_MAX = 100
const NAME_LENGTH_MAX = 253
/** AWS: "two calls with the same token within one hour". */
const SAME_MS = 3_600_000

export function makeRequestOperations(deps: AcmDeps): Implemented {
  const { store, clock, acmeSettings } = deps
  return {
    requestCertificate(context, input) {
      refuseOthers(
        input,
        [
          ...(['DomainName', 'ValidationMethod', 'SubjectAlternativeNames', 'IdempotencyToken'] as const),
          ...(['KeyAlgorithm', 'Options', 'Tags'] as const),
        ],
        unsupported,
      )
      const { ValidationMethod = 'EMAIL', KeyAlgorithm = 'RSA_2048', IdempotencyToken = '' } = input
      const names = namesAsked([input.DomainName ?? '', ...(input.SubjectAlternativeNames ?? [])])
      if (!KEYS.includes(KeyAlgorithm)) throw unsupported(`KeyAlgorithm ${KeyAlgorithm}`)
      if (input.Options?.CertificateTransparencyLoggingPreference === 'DISABLED')
        throw unsupported('A certificate that is in no log of certificate transparency')
      if (input.Options?.Export === 'ENABLED') throw unsupported('Options.Export')
      const method = methodOf(ValidationMethod, names)
      const twin = ordersOf(store).find(
        (row) =>
          IdempotencyToken !== '' &&
          row.idempotencyToken === IdempotencyToken &&
          row.account === context.account &&
          row.region === context.region &&
          row.method === method &&
          row.keyAlgorithm === KeyAlgorithm &&
          namesOfOrder(row).join() === names.join() &&
          clock.now() - row.requestedAt < SAME_MS,
      )
      if (twin) return { CertificateArn: twin.arn }
      const now = clock.now()
      const none = { certificate: '', chain: '', privateKey: '' }
      const { arn, account, region } = insertCertificate(deps, context, none, input.Tags)
      const order: OrderRow = {
        ...{ arn, account, region, names: JSON.stringify(names), method, idempotencyToken: IdempotencyToken },
        keyAlgorithm: KeyAlgorithm as KeyAlgorithm,
        ...{ requestedAt: now, stage: firstStage(names), ...NO_ORDER, failures: 0, nextAt: now },
        ...{ reason: '', toldAt: null, step: 0 },
      }
      store.insert('acm_order', order)
      return { CertificateArn: arn }
    },
    // AWS renews what was exported; here any may be renewed at once.
    renewCertificate(context, { CertificateArn = '' }) {
      const row = requireRequested(context, CertificateArn)
      if (row.stage !== 'issued')
        throw new DeclaredError('RequestInProgressException', `Certificate ${row.arn} is not issued yet.`)
      store.update(
        'acm_order',
        { arn: row.arn },
        { stage: 'production', failures: 0, nextAt: clock.now(), ...NO_ORDER, step: row.step + 1 },
      )
      return {}
    },
  }

  function namesAsked(given: string[]): string[] {
    const names = given.map((text) => {
      const name = readCertificateName(text)
      if (name === undefined) throw validation(`The domain name '${text.slice(0, 300)}' is not valid.`)
      return name
    })
    const all = [...new Set(names)]
    if (all.length > NAMES_MAX)
      throw new DeclaredError(
        'LimitExceededException',
        `A certificate has at most ${NAMES_MAX} domain names, not ${all.length}.`,
      )
    const local = all.filter(isLocal)
    if (local.length > 0 && local.length < all.length)
      throw validation(
        `Names below .localhost have a certificate of their own: ${all.find((one) => !isLocal(one))} is none.`,
      )
    if (local.length === 0 && acmeSettings().directory === null)
      throw new DeclaredError(
        'InvalidParameterException',
        'No authority of certificates is set: polebean config set acme.directory URL names its ACME directory.',
      )
    return all
  }

  function methodOf(asked: string, names: string[]): 'DNS' | 'HTTP' {
    if (names.every(isLocal)) return 'DNS'
    if (asked === 'EMAIL')
      throw unsupported(
        'ValidationMethod EMAIL, also as the default: DNS and HTTP are what there is, and EMAIL',
      )
    if (asked !== 'DNS' && asked !== 'HTTP')
      throw validation(`ValidationMethod is DNS or HTTP, not ${asked}.`)
    if (asked === 'DNS') {
      const long = names.find((name) => challengeName(withoutWildcard(name)).length > NAME_LENGTH_MAX)
      if (long !== undefined) throw validation(`${long} is too long to be shown by DNS.`)
    }
    const wild = names.find((name) => name.startsWith('*.'))
    if (asked === 'HTTP' && wild !== undefined)
      throw validation(`${wild} is shown by DNS alone (RFC 8555 §8.3).`)
    return asked
  }

  function firstStage(names: string[]): OrderRow['stage'] {
    return acmeSettings().staging === null || names.every(isLocal) ? 'production' : 'rehearsal'
  }

  function requireRequested(context: Context, arn: string): OrderRow {
    if (!certificateRow(store, context, arn)) throw noCertificate(arn)
    const row = orderRow(store, arn)
    if (!row) throw validation(`Certificate ${arn} was imported, and is imported again by who made it.`)
    return row
  }
}
