// What is in force, read from the engines, with the names that the rows have for it (`polebean firewall`).
import { differencesOf, type FirewallEngine, type GroupInForce } from '../../engines/firewall/engine.ts'
import { withTimeout } from '../../kernel/clock.ts'
import type { PublicListener } from '../cloud.ts'
import type { ServiceDeps } from '../service.ts'
import { readFirewall } from './firewall.ts'

const LOOK_TIMEOUT_MS = 30_000
/** A change is in force some 50 ms after its answer: a difference counts once it has stayed for so long. */
const LOOKS = 10
const BETWEEN_LOOKS_MS = 300

export type NamedInterface = {
  id: string
  address: string
  instanceId: string | null
  loadBalancer: string | null
  /** A public address that leads to it. */
  elasticAddress: string | null
  /** Its environment's name, if it has one. */
  environment: string | null
}

export type FirewallReport = {
  /** null: nothing is in force. */
  generation: string | null
  /** Sentences: in what that which is in force differs from what the groups say. */
  differences: string[]
  /** Of the VPC. */
  cidr: string
  /** Ranges, or `first-last`, that nobody in the VPC reaches: this machine, link-local addresses. */
  closed: string[]
  groups: (GroupInForce & { name: string; description: string })[]
  /** Rule id → its description. */
  descriptions: { [ruleId: string]: string }
  interfaces: NamedInterface[]
  listeners: PublicListener[]
}

type Deps = Pick<ServiceDeps, 'store' | 'clock' | 'cloud'>

/** Throws the engine's failure when it cannot be seen. */
export async function firewallReport(
  deps: Deps,
  firewall: FirewallEngine,
  cidr: string,
): Promise<FirewallReport> {
  let report = await look(deps, firewall, cidr)
  for (let looks = 1; report.differences.length > 0 && looks < LOOKS; looks++) {
    await deps.clock.sleep(BETWEEN_LOOKS_MS)
    report = await look(deps, firewall, cidr)
  }
  return report
}

async function look(
  { store, clock, cloud }: Deps,
  firewall: FirewallEngine,
  cidr: string,
): Promise<FirewallReport> {
  const listeners = await cloud.elasticloadbalancingv2.publicListeners()
  const found = await withTimeout(clock, LOOK_TIMEOUT_MS, 'firewall.inForce', () => firewall.inForce())
  const names = new Map(
    store
      .all<{ id: string; name: string; description: string }>(
        'select id, name, description from ec2_security_group',
      )
      .map((row) => [row.id, row]),
  )
  const described = store.all<{ id: string; description: string }>(
    'select id, description from ec2_security_group_rule where description is not null',
  )
  return {
    generation: found.generation,
    differences: [...differencesOf(readFirewall(store), found), ...listeners.flatMap(differenceAtListener)],
    cidr,
    closed: found.closed,
    groups: found.groups.map((group) => ({
      ...group,
      name: names.get(group.id)?.name ?? '',
      description: names.get(group.id)?.description ?? '',
    })),
    descriptions: Object.fromEntries(described.map(({ id, description }) => [id, description])),
    interfaces: interfacesOf(store, listeners),
    listeners,
  }
}

const interfacesOf = (store: Deps['store'], listeners: PublicListener[]): NamedInterface[] =>
  store
    .all<Omit<NamedInterface, 'loadBalancer' | 'elasticAddress'>>(
      `select e.id, e.address, e.instance_id, t.value as environment from ec2_network_interface e
       left join ec2_tag t on t.resource_id = e.instance_id and t.key = 'elasticbeanstalk:environment-name'
       where e.released_at is null order by e.instance_id, e.id`,
    )
    .map((row) => {
      const own = listeners.find(({ networkInterfaceId }) => networkInterfaceId === row.id)
      return {
        ...row,
        loadBalancer: own?.kind === 'load balancer' ? own.name : null,
        elasticAddress: own?.kind === 'elastic address' ? own.name : null,
        environment: row.environment ?? own?.environment ?? null,
      }
    })

function differenceAtListener({ name, kind, port, clients, wanted }: PublicListener): string[] {
  const where = `at port ${port} of the ${kind} ${name}`
  const missing = wanted.filter((range) => !clients.includes(range))
  const more = clients.filter((range) => !wanted.includes(range))
  return [
    ...(missing.length > 0 ? [`Not in force: ${missing.join(', ')} is let in ${where}.`] : []),
    ...(more.length > 0 ? [`In force, though no group says it: ${more.join(', ')} is let in ${where}.`] : []),
  ]
}
