// What an HTTPS listener has besides: certificates and a security policy.
import type { Certificate, CreateListenerInput } from '@aws-sdk/client-elastic-load-balancing-v2'
import { DeclaredError } from '../../kernel/errors.ts'
import type { Context } from '../context.ts'
import { refuseOthers } from '../parameters.ts'
import { certificatePem } from '../server-certificate.ts'
import type { Elbv2Deps } from './deps.ts'
import { unsupported, validation } from './errors.ts'
import { DEFAULT_SSL_POLICY, versionsOf } from './ssl-policies.ts'
import type { ListenerRow, LoadBalancerRow } from './store.ts'

export type Secured = Pick<ListenerRow, 'protocol' | 'sslPolicy' | 'certificates'>

type Given = Pick<CreateListenerInput, 'Protocol' | 'SslPolicy' | 'Certificates'>

/** The protocol of a listener and what belongs to it after `given`; throws for what does not go together. */
export function securedAfter(
  deps: Elbv2Deps,
  context: Context,
  { type }: Pick<LoadBalancerRow, 'type'>,
  before: Secured | null,
  given: Given,
): Secured {
  const protocol = given.Protocol ?? before?.protocol
  if (!protocol) throw validation('A listener protocol must be specified')
  const known: readonly string[] = PROTOCOLS[type]
  if (!known.includes(protocol))
    throw new DeclaredError(
      'UnsupportedProtocol',
      `Protocol '${protocol}' is not supported for load balancers of the type '${type}'; Polebean has ${known.join(' and ')}`,
    )
  if (protocol === 'HTTP' || protocol === 'TCP') {
    if (given.Certificates?.length || given.SslPolicy)
      throw validation(`Certificates and security policies cannot be specified for ${protocol} listeners`)
    return { protocol, sslPolicy: null, certificates: '[]' }
  }
  const sslPolicy = given.SslPolicy ?? before?.sslPolicy ?? DEFAULT_SSL_POLICY
  if (!versionsOf(sslPolicy))
    throw new DeclaredError('SSLPolicyNotFound', `SSL policy '${sslPolicy}' not found`)
  const [, ...others] = certificatesOf(before)
  const chosen = given.Certificates?.length
    ? requireOne(deps, context, given.Certificates)
    : certificatesOf(before)[0]
  if (chosen === undefined) throw validation('A certificate must be specified for HTTPS listeners')
  const certificates = [chosen, ...others.filter((one) => one !== chosen)]
  return { protocol: 'HTTPS', sslPolicy, certificates: JSON.stringify(certificates) }
}

const PROTOCOLS = { application: ['HTTP', 'HTTPS'], network: ['TCP'] }

/** The default one first. */
export const certificatesOf = (row: Pick<ListenerRow, 'certificates'> | null): string[] =>
  row ? (JSON.parse(row.certificates) as string[]) : []

function requireOne(deps: Elbv2Deps, context: Context, given: Certificate[]): string {
  if (given.length > 1)
    throw validation('Up to one certificate can be specified, which is the default certificate')
  return requireCertificates(deps, context, given)[0]!
}

/** ARNs of certificates that are there. */
export function requireCertificates(deps: Elbv2Deps, context: Context, given: Certificate[]): string[] {
  return given.map((one) => {
    refuseOthers(one, ['CertificateArn'], unsupported)
    const arn = one.CertificateArn ?? ''
    if (certificatePem(deps.cloud, context, arn) === undefined)
      throw new DeclaredError('CertificateNotFound', `Certificate '${arn}' not found`)
    return arn
  })
}
