// Who may reach whom, in words. Pure.
import type { FirewallRule } from '../../engines/firewall/engine.ts'
import { letsIn } from '../../engines/balancer/clients.ts'
import { describeRule } from '../../engines/firewall/in-force.ts'
import type { FirewallReport, NamedInterface } from '../../services/ec2/firewall-report.ts'
import { doorOf } from './ends.ts'

/** Interfaces of one kind that have the same groups. */
export type Subject = {
  who: string
  environment: string | null
  interfaces: NamedInterface[]
  groupIds: string[]
}

/** One sentence or more a subject; of one environment or of all. */
export function sentencesOf(
  report: FirewallReport,
  environment?: string,
): { who: string; sentences: string[] }[] {
  return subjectsOf(report)
    .filter((one) => environment === undefined || one.environment === environment)
    .map((subject) => ({ who: subject.who, sentences: sentencesAbout(report, subject) }))
}

export function subjectsOf(report: FirewallReport): Subject[] {
  const keyOf = (one: NamedInterface) =>
    JSON.stringify([one.environment, kindOf(one), groupsOf(report, one.address).map(({ id }) => id)])
  return [...Map.groupBy(report.interfaces, keyOf).values()]
    .map((interfaces) => ({
      who: nameOf(interfaces),
      environment: interfaces[0]!.environment,
      interfaces,
      groupIds: groupsOf(report, interfaces[0]!.address).map(({ id }) => id),
    }))
    .toSorted((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1))
}

const byPort = (one: FirewallRule, other: FirewallRule) => (one.fromPort ?? -1) - (other.fromPort ?? -1)

export const groupsOf = ({ groups }: FirewallReport, address: string) =>
  groups.filter(({ addresses }) => addresses.includes(address))

type Kind = 'load balancer' | 'instance' | 'interface'
const kindOf = ({ loadBalancer, instanceId }: NamedInterface): Kind =>
  loadBalancer !== null ? 'load balancer' : instanceId !== null ? 'instance' : 'interface'

// By environment, its load balancer first; what belongs to none comes last.
const orderOf = ({ environment, interfaces }: Subject) =>
  `${environment ?? '~'} ${kindOf(interfaces[0]!) === 'load balancer' ? 0 : 1} ${interfaces[0]!.instanceId ?? interfaces[0]!.id}`

function nameOf(interfaces: NamedInterface[]): string {
  const [first] = interfaces
  const { environment } = first!
  const of = environment === null ? '' : ` of ${environment}`
  switch (kindOf(first!)) {
    case 'load balancer':
      return `The load balancer${of || ` ${first!.loadBalancer}`}`
    case 'instance': {
      const ids = interfaces.map(({ instanceId }) => instanceId).join(', ')
      if (environment === null) return interfaces.length > 1 ? `The instances ${ids}` : `The instance ${ids}`
      return `${interfaces.length > 1 ? 'Instances' : 'The instance'} of ${environment} (${ids})`
    }
    case 'interface':
      return `The network interfaces ${interfaces.map(({ id }) => id).join(', ')}`.replace(
        interfaces.length > 1 ? /^$/ : 'interfaces',
        'interface',
      )
  }
}

function sentencesAbout(report: FirewallReport, { interfaces, groupIds }: Subject): string[] {
  const plural = kindOf(interfaces[0]!) !== 'load balancer' && interfaces.length > 1
  const they = plural ? 'They' : 'It'
  const groups = report.groups.filter(({ id }) => groupIds.includes(id))
  if (groups.length === 0)
    return [
      `no group in force, so nothing reaches ${plural ? 'them' : 'it'}, and ${they.toLowerCase()} ${plural ? 'reach' : 'reaches'} nothing.`,
    ]
  const describe = (rules: FirewallRule[], word: 'from' | 'to') => [
    ...new Set(
      rules.toSorted(byPort).map((rule) => describeRule(rule, word, (id) => describeGroup(report, id))),
    ),
  ]
  const inside = describe(
    groups.flatMap(({ ingress }) => ingress),
    'from',
  )
  const out = describe(
    groups.flatMap(({ egress }) => egress),
    'to',
  )
  const doors = interfaces.flatMap((one) => publicDoors(report, one))
  // What public sockets let in from everywhere, they let in within the VPC too.
  const said = interfaces
    .flatMap((one) => publicListenersOf(report, one))
    .map(({ port }) => `tcp ${port} from `)
  const news = inside.filter(
    (one) => !said.some((begin) => one.startsWith(begin) && / from (everywhere|[0-9./]+)$/.test(one)),
  )
  const lets = [...doors, ...news]
  return [
    lets.length === 0 ? `nothing is let in.` : `${lets.join('; ')}. Everything else is refused.`,
    describeEgress(out, they, kindOf(interfaces[0]!) === 'load balancer'),
  ]
}

const publicListenersOf = ({ listeners }: FirewallReport, one: NamedInterface) =>
  listeners.filter(({ name, internetFacing }) => name === doorOf(one) && internetFacing)

function publicDoors(report: FirewallReport, own: NamedInterface): string[] {
  return publicListenersOf(report, own).map(({ port, clients, kind, name }) => {
    const at = kind === 'elastic address' ? ` at ${name}` : ''
    // That of 127.0.0.1 brings it; one of its own is told.
    const ranges = clients.filter((range) => range !== '::1/128' || !letsIn(clients, '127.0.0.1'))
    if (ranges.length === 0) return `tcp ${port}${at} from nobody outside`
    const everywhere = ranges.includes('0.0.0.0/0') ? 'everywhere ' : ''
    return `tcp ${port}${at} from ${everywhere}${everywhere ? `(${ranges.join(', ')})` : ranges.join(', ')}`
  })
}

function describeEgress(out: string[], they: string, isBalancer: boolean): string {
  const may = `${they} may open connections`
  // It has no way out of the VPC, whatever its rules say.
  if (isBalancer)
    return out.includes('everything to everywhere')
      ? `${may} to everywhere in the VPC.`
      : out.length === 0
        ? `${they} may open none.`
        : `${may}: ${out.join('; ')}, in the VPC.`
  if (out.includes('everything to everywhere')) return `${may} to everywhere.`
  return out.length === 0 ? `${they} may open none.` : `${may}: ${out.join('; ')}.`
}

/** `the load balancer of shop (awseb-…-AWSEBLoadBalancerSecurityGroup-…)` */
export function describeGroup(report: FirewallReport, id: string): string {
  const group = report.groups.find((one) => one.id === id)
  const label = group?.name ? group.name : id
  const members = report.interfaces.filter(({ address }) => group?.addresses.includes(address))
  const kinds = new Set(members.map((one) => `${one.environment} ${kindOf(one)}`))
  const [first] = members
  if (!first) return `nobody (${label} has no members)`
  if (kinds.size > 1 || first.environment === null || kindOf(first) === 'interface')
    return `members of ${label} (${id})`
  return `${kindOf(first) === 'instance' ? 'instances' : 'the load balancer'} of ${first.environment} (${label})`
}
