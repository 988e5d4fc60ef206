import type { AcmeEngine } from '../../engines/acme/engine.ts'
import type { AuthorityEngine } from '../../engines/authority/engine.ts'
import type { ServiceDeps } from '../service.ts'

/** What the home's owner says of authorities of certificates. */
export type AcmeSettings = {
  /** URL; null = none is asked. */
  directory: string | null
  /** Where an order is rehearsed first; null = nowhere. */
  staging: string | null
  email: string | null
  /** In PEM; null = as everybody. */
  trust: string | null
}

export type AcmDeps = ServiceDeps & {
  acme: AcmeEngine
  authority: AuthorityEngine
  acmeSettings(): AcmeSettings
  /** Where a listener's port is served on this machine. */
  publicPort(port: number): number
  /** Addresses by which clients elsewhere reach this machine, asked at each use. */
  outside(): { A: string[]; AAAA: string[] }
  /** An event of the environments behind these load balancers. Joins a transaction. */
  tell(loadBalancerArns: string[], message: string): void
}
