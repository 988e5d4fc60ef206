// What --from and --to name. Pure.
import { isIP, isIPv4 } from 'node:net'
import { contains } from '../../engines/firewall/in-force.ts'
import type { FirewallReport, NamedInterface } from '../../services/ec2/firewall-report.ts'
import { EXIT, Failure } from '../failure.ts'

export type End =
  | { kind: 'inside'; what: string; interfaces: NamedInterface[] }
  /** null: somewhere outside, wherever. */
  | { kind: 'outside'; address: string | null }
  /** This machine, by the address that it speaks from. */
  | { kind: 'host'; address: '127.0.0.1' | '::1' }

/** What leads to it from outside: a load balancer is its own door. */
export const doorOf = ({ loadBalancer, elasticAddress }: NamedInterface) => loadBalancer ?? elasticAddress

/** @throws Failure (usage) when it is nothing that there is. */
export function endOf(
  report: FirewallReport,
  named: string,
  side: 'from' | 'to',
  environments: readonly string[] = [],
): End {
  if (named === 'outside') return { kind: 'outside', address: null }
  if (named === '::1') return { kind: 'host', address: named }
  if (named === 'host' || named === '127.0.0.1') return { kind: 'host', address: '127.0.0.1' }
  if (isIP(named) !== 0) return addressed(report, named)
  const interfaces = report.interfaces.filter((one) => isMeant(report, one, named, side))
  if (interfaces.length > 0) return { kind: 'inside', what: named, interfaces }
  const group = report.groups.find(({ id, name }) => id === named || name === named)
  if (group)
    throw new Failure(`the group ${named} has no members, so nothing comes from or goes to it`, EXIT.usage)
  const known =
    environments.includes(named) || report.interfaces.some(({ environment }) => environment === named)
  throw new Failure(
    known
      ? `${named} has no instances`
      : `--${side} ${JSON.stringify(named)} is no instance, load balancer, address, environment or group in force; ` +
          'it may also be outside or host. What there is: polebean firewall',
    EXIT.usage,
  )
}

function isMeant(report: FirewallReport, one: NamedInterface, named: string, side: 'from' | 'to'): boolean {
  if ([one.id, one.instanceId, one.loadBalancer].includes(named)) return true
  // An environment sends from its instances. What leads to it is a question of the sender: see answerOf.
  if (one.environment === named && (side === 'to' || one.instanceId !== null)) return true
  return report.groups.some(
    ({ id, name, addresses }) => (id === named || name === named) && addresses.includes(one.address),
  )
}

function addressed(report: FirewallReport, address: string): End {
  const found = report.interfaces.find((one) => [one.address, one.elasticAddress].includes(address))
  if (found) return { kind: 'inside', what: address, interfaces: [found] }
  if (isIPv4(address) && contains(report.cidr, address))
    throw new Failure(
      `nobody has the address ${address}; it is of this home’s VPC (${report.cidr})`,
      EXIT.usage,
    )
  return { kind: 'outside', address }
}
