// Which certificate a client is shown, and the lists and files from which HAProxy shows it. A public socket is shared by load
// balancers, so the name that a client asks for (SNI) says whose certificate it is: each name under which one is known has
// a line. An address in the VPC is one load balancer's, and has a list of its own.
import { X509Certificate } from 'node:crypto'
import type { BalancerModel, Listener, ListenerTls, LoadBalancer } from './engine.ts'
import { digest } from './names.ts'

/** PEM by id. */
export type Certificates = ReadonlyMap<string, string>

export const certificatesOf = ({ certificates = [] }: BalancerModel): Certificates =>
  new Map(certificates.map(({ id, pem }) => [id, pem]))

/** Its name stays when the content changes, which HAProxy takes while it runs. */
export const certificateFile = (id: string): string => `certificate-${digest(id, 16)}.pem`

/** ELB user guide, "SSL certificates": the first that is for the name; else the default one, which is the first. */
export function certificateFor(
  { certificateIds }: Pick<ListenerTls, 'certificateIds'>,
  name: string,
  pems: Certificates,
): string {
  const fits = certificateIds.find((id) => parsed(pems.get(id) ?? '')?.checkHost(name) !== undefined)
  return fits ?? certificateIds[0]!
}

/** A listener with whose it is. */
export type Use = { loadBalancer: LoadBalancer; listener: Listener }

/** For a socket of several load balancers: a line for each name. */
export function sharedList(uses: Use[], pems: Certificates, dir: string): string {
  return uses
    .flatMap(({ loadBalancer, listener: { tls } }) =>
      tls
        ? loadBalancer.hosts.map((host) => `${lineOf(tls, certificateFor(tls, host, pems), dir)} ${host}\n`)
        : [],
    )
    .join('')
}

/** For a socket of one: HAProxy chooses by the names in the certificates, and else shows the first. */
export const ownList = (tls: ListenerTls, dir: string): string =>
  tls.certificateIds.map((id) => `${lineOf(tls, id, dir)}\n`).join('')

const lineOf = ({ minVersion, maxVersion, http2 }: ListenerTls, id: string, dir: string) =>
  `${dir}/${certificateFile(id)} [alpn ${http2 ? 'h2,' : ''}http/1.1 ssl-min-ver TLSv${minVersion} ssl-max-ver TLSv${maxVersion}]`

export const listFile = (content: string): string => `certificates-${digest(content, 16)}.list`

/** Null when it is no certificate. Kept, since each look at the engine asks again. */
export function parsed(pem: string): X509Certificate | null {
  const known = cache.get(pem)
  if (known !== undefined) return known
  let certificate: X509Certificate | null
  try {
    certificate = new X509Certificate(pem)
  } catch {
    certificate = null
  }
  if (cache.size >= CACHED_MAX) cache.clear()
  cache.set(pem, certificate)
  return certificate
}

const CACHED_MAX = 2_000
const cache = new Map<string, X509Certificate | null>()
