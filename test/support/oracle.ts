// What security groups mean, said a second time and independent of the product, for what is seen on real connections.

export type Protocol = 'tcp' | 'udp'
export type Peer = { group: string } | { cidr: string }
export type Rule = { protocol: Protocol | '-1'; port?: number; peer: Peer }
export type Group = { ingress: Rule[]; egress: Rule[] }
/** `outside`: beyond the home's range. `machine`: this machine itself. `balancer`: its sockets are HAProxy's. */
export type Place = {
  kind: 'instance' | 'balancer' | 'outside' | 'machine'
  address: string
  groups: string[]
}

export const EVERYWHERE: Peer = { cidr: '0.0.0.0/0' }
export const newGroup = (...ingress: Rule[]): Group => ({
  ingress,
  egress: [{ protocol: '-1', peer: EVERYWHERE }],
})

/** Whether a new connection from one place to another is to be let through. */
export function may(
  groups: ReadonlyMap<string, Group>,
  from: Place,
  to: Place,
  protocol: Protocol,
  port: number,
): boolean {
  const inside = (place: Place) => place.kind === 'instance' || place.kind === 'balancer'
  // Nothing comes in from beyond but through the public sockets, which are HAProxy's; nobody inside reaches this machine.
  if (!inside(from) || to.kind === 'machine') return false
  // A balancer speaks with the home's own only.
  if (to.kind === 'outside' && from.kind === 'balancer') return false
  const matches = (rule: Rule, other: Place) =>
    (rule.protocol === '-1' || (rule.protocol === protocol && rule.port === port)) &&
    ('group' in rule.peer ? other.groups.includes(rule.peer.group) : isIn(other.address, rule.peer.cidr))
  const some = (place: Place, way: keyof Group, other: Place) =>
    place.groups.some((id) => groups.get(id)![way].some((rule) => matches(rule, other)))
  return some(from, 'egress', to) && (to.kind === 'outside' || some(to, 'ingress', from))
}

/** Whether a public socket of a load balancer answers a client of this address. */
export const mayAsk = (groups: ReadonlyMap<string, Group>, client: string, balancer: Place): boolean =>
  balancer.groups.some((id) =>
    groups.get(id)!.ingress.some(({ protocol, port, peer }) => {
      const opens = protocol === '-1' || (protocol === 'tcp' && port === 80)
      return opens && 'cidr' in peer && isIn(client, peer.cidr)
    }),
  )

function isIn(address: string, cidr: string): boolean {
  const [base = '', bits = '32'] = cidr.split('/')
  const binary = (text: string) =>
    text
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('')
  return binary(address).slice(0, Number(bits)) === binary(base).slice(0, Number(bits))
}
