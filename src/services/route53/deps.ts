import type { DnsEngine } from '../../engines/dns/engine.ts'
import type { HostsEngine } from '../../engines/hosts/engine.ts'
import type { ProbeEngine } from '../../engines/probe/engine.ts'
import type { ServiceDeps } from '../service.ts'

export type Route53Deps = ServiceDeps & {
  dns: DnsEngine
  /** Of private zones: instances alone ask it. */
  privateDns: DnsEngine
  probes: ProbeEngine
  hosts: HostsEngine
  /** Addresses by which clients elsewhere reach this machine, asked at each use. */
  outside(): { A: string[]; AAAA: string[] }
  /** Where a listener's port is served on this machine. */
  publicPort(port: number): number
}
