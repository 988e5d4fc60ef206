// Rows → what the engine is to carry. Pure.
import {
  type Action,
  type BalancerModel,
  type Challenge,
  listenerTo,
  type ListenerTls,
  type LoadBalancer,
  type Rule,
  type TargetGroup,
} from '../../engines/balancer/engine.ts'
import type { ClientRules, ElasticAddress } from '../cloud.ts'
import {
  ERROR_PAGE,
  headersOf,
  HTTP2,
  IDLE_TIMEOUT,
  loadBalancerAttributes,
  numberOf,
  PROXY_PROTOCOL,
  QUEUE,
  routingOf,
} from './attributes.ts'
import { accessLogsOf } from './access-logs.ts'
import { targetGroupArnsOf } from './actions.ts'
import type { InstanceFacts } from './health.ts'
import { certificatesOf } from './secure.ts'
import { DEFAULT_SSL_POLICY, versionsOf } from './ssl-policies.ts'
import {
  attributesOf,
  healthCheckOf,
  idOfArn,
  listOf,
  actionOf,
  conditionsOf,
  type ListenerRow,
  type RuleRow,
  type LoadBalancerRow,
  type SharerRow,
  type TargetGroupRow,
  type TargetRow,
} from './store.ts'

export type Rows = {
  loadBalancers: LoadBalancerRow[]
  listeners: ListenerRow[]
  rules: RuleRow[]
  targetGroups: TargetGroupRow[]
  targets: TargetRow[]
  sharers: SharerRow[]
  /** By instance id. */
  instances: ReadonlyMap<string, InstanceFacts>
  clientRules: ClientRules
  addresses: ElasticAddress[]
  /** Names of hosted zones, by the id of the load balancer or elastic address to which they lead. */
  customNames: ReadonlyMap<string, string[]>
  /** Why there is no answer, by the id of a load balancer, target group or elastic address. */
  reasons: ReadonlyMap<string, string>
  /** By which authorities of certificates are shown that names are ours. */
  challenges: Challenge[]
  /** PEM by ARN, of those that listeners name. */
  certificates: ReadonlyMap<string, string>
}

export function buildModel(rows: Rows): BalancerModel {
  const used = usedGroups(rows)
  return {
    loadBalancers: eachNameOnce([
      ...withNamesOfRules(
        rows.loadBalancers.filter((row) => row.deletedAt === null),
        rows,
      ),
      ...rows.addresses.filter(isNamed).map((address) => elasticDoor(address, rows)),
    ]).sort(byId),
    // One that no listener forwards to is not checked: AWS shows its targets as unused.
    targetGroups: [
      ...rows.targetGroups.filter((row) => used.has(row.arn)).map((row) => targetGroup(row, rows)),
      ...rows.addresses.filter(isNamed).map(instanceBehind),
    ].sort(byId),
    certificates: [...rows.certificates].map(([id, pem]) => ({ id, pem })),
    unknownHost: namesThatAre(rows),
    ...(rows.challenges.length > 0 ? { challenges: rows.challenges } : {}),
  }
}

/** Another one whenever the address moves: whom one instance's groups have let in, another one's are asked about. */
export const groupBehind = ({ id, networkInterfaceId }: ElasticAddress) => `${id}/${networkInterfaceId ?? ''}`

/** What an elastic address serves: HTTP, as its environment's load balancer would. */
export const ELASTIC_PORT = 80
const isNamed = ({ networkInterfaceId, hosts }: ElasticAddress) =>
  networkInterfaceId !== null || hosts.length > 0

const elasticDoor = (address: ElasticAddress, { clientRules, reasons, customNames }: Rows): LoadBalancer => ({
  id: address.id,
  address: address.edge,
  elasticAddress: address.publicIp,
  internetFacing: true,
  hosts: [...address.hosts, ...(customNames.get(address.id) ?? [])],
  loopbackPort: address.loopbackPort,
  idleTimeoutSeconds: ELASTIC_IDLE_SECONDS,
  page: { reason: reasons.get(address.id) ?? '', html: null },
  listeners: [
    listenerTo(
      ELASTIC_PORT,
      groupBehind(address),
      // Where there is nothing to guard, a page says so.
      address.networkInterfaceId === null
        ? EVERYBODY
        : clientRules.ranges(address.networkInterfaceId, ELASTIC_PORT),
    ),
  ],
  cutsOnRevoke: address.networkInterfaceId !== null && clientRules.cutsOnRevoke(address.networkInterfaceId),
})

// AWS: nobody checks an instance before an elastic address leads to it.
const instanceBehind = (address: ElasticAddress): TargetGroup => ({
  id: groupBehind(address),
  healthCheck: null,
  targets: address.instance ? [{ ...address.instance, port: ELASTIC_PORT, draining: false }] : [],
})

/** Who may open a listener's port at public sockets. */
export const clientsOf = (
  { securityGroups, networkInterfaceId }: Pick<LoadBalancerRow, 'securityGroups' | 'networkInterfaceId'>,
  port: number,
  rules: ClientRules,
): string[] => (listOf(securityGroups).length === 0 ? EVERYBODY : rules.ranges(networkInterfaceId, port))

const EVERYBODY = ['0.0.0.0/0', '::/0']
/** As long as a load balancer's own default. */
const ELASTIC_IDLE_SECONDS = 60

const loadBalancer = (
  row: LoadBalancerRow,
  { listeners, rules, sharers, clientRules, certificates, reasons, customNames }: Rows,
): LoadBalancer => ({
  id: row.id,
  address: row.address,
  elasticAddress: null,
  ...(row.type === 'network' ? { isNetwork: true } : {}),
  internetFacing: row.scheme === 'internet-facing',
  hosts: [
    ...[row.dnsName.toLowerCase(), ...listOf(row.hosts)],
    ...sharersOf(row, sharers).map(({ host }) => host),
    ...(customNames.get(row.id) ?? []),
  ],
  loopbackPort: row.loopbackPort,
  namedPorts: sharersOf(row, sharers).flatMap(({ host, loopbackPort }) =>
    loopbackPort === null ? [] : { port: loopbackPort, host },
  ),
  idleTimeoutSeconds: numberOf(loadBalancerAttributes, attributesOf(row.attributes), IDLE_TIMEOUT),
  queueSeconds: numberOf(loadBalancerAttributes, attributesOf(row.attributes), QUEUE),
  page: {
    reason: reasons.get(row.id) ?? '',
    html: attributesOf(row.attributes)[ERROR_PAGE] || null,
  },
  headers: headersOf(attributesOf(row.attributes)),
  ...(accessLogsOf(row) ? { logsRequests: true } : {}),
  listeners: listeners
    // A certificate that is in use cannot be deleted; were one gone all the same, it must not take all others along.
    .filter(
      (listener) =>
        listener.loadBalancerArn === row.arn &&
        certificatesOf(listener).every((arn) => certificates.has(arn)),
    )
    .map((listener) => ({
      port: listener.port,
      rules: rules
        .filter((rule) => rule.listenerArn === listener.arn)
        .sort((a, b) => a.priority - b.priority)
        .map((rule) => ({
          ...{ conditions: conditionsOf(rule), action: actionIn(rule), priority: rule.priority },
        })),
      action: actionIn(listener),
      clients: clientsOf(row, listener.port, clientRules),
      ...(listener.protocol === 'HTTPS' ? { tls: tlsOf(listener, row) } : {}),
    }))
    .sort((a, b) => a.port - b.port),
  cutsOnRevoke: clientRules.cutsOnRevoke(row.networkInterfaceId),
})

/** Where AWS has an address for each load balancer, public sockets here know them by name: whoever asks for one that a rule tells in
 *  full comes to that rule's load balancer, unless the name is somebody's already. The oldest load balancer has it. */
function withNamesOfRules(wanted: LoadBalancerRow[], rows: Rows): LoadBalancer[] {
  const plain = wanted.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
  const all = plain.map((row) => loadBalancer(row, rows))
  const taken = new Set([
    ...all.flatMap(({ hosts }) => hosts),
    ...rows.addresses.flatMap(({ hosts }) => hosts),
    ...[...rows.customNames.values()].flat(),
  ])
  return all.map((one) => {
    if (!one.internetFacing) return one
    const told = one.listeners.flatMap(({ rules }) => rules.flatMap(hostsTold))
    const hosts = [...new Set(told)].filter((host) => !taken.has(host)).sort()
    for (const host of hosts) taken.add(host)
    return { ...one, hosts: [...one.hosts, ...hosts] }
  })
}

/** A name that two would have is the first one's: no setting of one may keep all others from being carried. */
function eachNameOnce(all: LoadBalancer[]): LoadBalancer[] {
  const taken = new Set<string>()
  return all.map((one) => {
    const hosts = [...new Set(one.hosts)].filter((host) => !taken.has(host))
    for (const host of hosts) taken.add(host)
    const namedPorts = one.namedPorts?.filter(({ host }) => hosts.includes(host))
    return { ...one, hosts, ...(namedPorts ? { namedPorts } : {}) }
  })
}

const hostsTold = ({ conditions }: Rule): string[] =>
  conditions.flatMap((condition) =>
    condition.field === 'host-header'
      ? condition.patterns.filter((pattern) => HOST.test(pattern)).map((host) => host.toLowerCase())
      : [],
  )
/** Without wildcards; RFC 1123. */
const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,126}[A-Za-z0-9])?$/

const sharersOf = ({ arn }: LoadBalancerRow, sharers: SharerRow[]) =>
  sharers.filter(({ loadBalancerArn }) => loadBalancerArn === arn)

const tlsOf = (listener: ListenerRow, { attributes }: LoadBalancerRow): ListenerTls => ({
  certificateIds: certificatesOf(listener),
  ...(versionsOf(listener.sslPolicy ?? '') ?? versionsOf(DEFAULT_SSL_POLICY)!),
  http2: attributesOf(attributes)[HTTP2] !== 'false',
})

function actionIn(row: { action: string }): Action {
  const action = actionOf(row)
  if (action.type !== 'forward') return action
  const targetGroups = action.targetGroups.map(({ targetGroupArn, weight }) => ({
    targetGroupId: idOfArn(targetGroupArn),
    weight,
  }))
  return { ...action, targetGroups }
}

/** The target groups to which a listener or a rule forwards, by ARN. */
export const usedGroups = ({ listeners, rules }: Pick<Rows, 'listeners' | 'rules'>): Set<string> =>
  new Set([...listeners, ...rules].flatMap((row) => targetGroupArnsOf(actionOf(row))))

const targetGroup = (row: TargetGroupRow, { targets, instances, reasons }: Rows): TargetGroup => ({
  id: row.id,
  ...(reasons.has(row.id) ? { reason: reasons.get(row.id)! } : {}),
  ...(row.protocol === 'HTTP' ? {} : { protocol: row.protocol }),
  ...(attributesOf(row.attributes)[PROXY_PROTOCOL] === 'true' ? { proxyProtocol: true } : {}),
  healthCheck: healthCheckOf(row),
  ...(row.protocol === 'TCP' ? {} : { routing: routingOf(attributesOf(row.attributes)) }),
  targets: targets
    .filter((target) => target.targetGroupArn === row.arn)
    .flatMap((target) => {
      const instance = instances.get(target.targetId)
      // Without an address there is nothing to dial; a stopped instance gets nothing, as in AWS.
      if (!instance?.address || instance.state === 'stopped' || instance.state === 'terminated') return []
      return {
        id: target.targetId,
        address: instance.address,
        port: target.port,
        draining: target.drainingSince !== null,
      }
    })
    .sort((a, b) => (`${a.id} ${a.port}` < `${b.id} ${b.port}` ? -1 : 1)),
})

const NAMES_TOLD_MAX = 10

/** In the words of `polebean why`; '' where there are none. */
function namesThatAre({ loadBalancers, sharers, addresses }: Rows): string {
  const names = [
    ...loadBalancers
      .filter(({ deletedAt, scheme }) => deletedAt === null && scheme === 'internet-facing')
      .flatMap((row) => [
        ...listOf(row.hosts).slice(0, 1),
        ...sharersOf(row, sharers).map(({ host }) => host),
      ]),
    ...addresses.flatMap(({ hosts }) => hosts.slice(0, 1)),
  ].sort()
  if (names.length === 0) return ''
  const told = names.slice(0, NAMES_TOLD_MAX).join(', ')
  return `No environment has that name; there are: ${told}${names.length > NAMES_TOLD_MAX ? ', and more' : ''}.`
}

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)
