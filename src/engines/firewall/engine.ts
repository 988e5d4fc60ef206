// Who may open connections to whom inside a home (design §10): security groups, enforced on every packet that passes
// between instances, load balancers and the outside.
//
// Contract, checked by conformance.ts:
// - `apply(model)` puts exactly this model in force, whole and in groups: rules name groups, never the addresses of their
//   members. It resolves when new connections follow the model; there is no moment at which half of it is in force.
// - A new connection needs a rule at both ends: an egress rule of one of the sender's groups, and an ingress rule of one
//   of the receiver's. Outside of the VPC there is no other end. An interface that no group has speaks with nobody.
// - Established connections stay when their rule goes, as in AWS; those of members of a group that `cutsOnRevoke` do not.
// - What instances need of the home itself (resolver, metadata) is no matter of groups, and neither is what nobody may
//   reach whatever the rules say: the host, other homes, link-local addresses.
// - A model that cannot be carried throws EngineError, and the previous one stays in force.
// - A change of members costs the same however many members and groups there are. The same model again costs one look:
//   if the world has lost it, it is put in force anew.
// - Rules stay in force while the control plane is dead, and another control plane finds them there.
// - `inForce()` reads what is in force from where it is enforced, never from what was asked for, and changes nothing. What is
//   there and no model says is named in `strange`, each as one sentence.

import { createHash } from 'node:crypto'

export { differencesOf } from './in-force.ts'

export type Peer =
  /** `10.0.0.0/8`. */
  | { cidr4: string }
  /** Instances have no IPv6: such a rule is carried by the balancer's public listeners and lets nobody in here. */
  | { cidr6: string }
  /** The members of a group, of the same one too. */
  | { group: string }

export type FirewallRule = {
  /** `sgr-…`: by it one finds the rule in the engine. */
  id: string
  /** `tcp`, `udp`, `icmp`, `icmpv6`, a number from 0 to 255, or `-1` for all. */
  protocol: string
  /** Of tcp and udp; null = all. Of icmp: the type; -1 or null = all. */
  fromPort: number | null
  /** Of icmp: the code; -1 or null = all. */
  toPort: number | null
  peer: Peer
}

export type FirewallGroup = {
  /** `sg-…` */
  id: string
  /** Ids of interfaces. */
  members: string[]
  ingress: FirewallRule[]
  egress: FirewallRule[]
  /** Connections of members end with the rule that let them in. */
  cutsOnRevoke: boolean
}

export type FirewallModel = {
  /** Where an interface is, said once: an engine that gives addresses itself knows better. Not yet attached ones too. */
  interfaces: { id: string; address: string }[]
  groups: FirewallGroup[]
}

export type GroupInForce = Pick<FirewallGroup, 'id' | 'ingress' | 'egress'> & {
  /** Of its members. */
  addresses: string[]
}

/** Rules as `carriedRule` writes them; IPv6 and groups that are gone are not carried. All lists are sorted. */
export type FirewallInForce = {
  /** null: nothing is in force, and nobody is let in anywhere. */
  generation: string | null
  groups: GroupInForce[]
  /** Addresses whose connections end with the rule that let them in. */
  cut: string[]
  /** Ranges (or `first-last`) that nobody in the VPC reaches, whatever rules say; no model says them. */
  closed: string[]
  /** What else is in force, or is missing there: sentences. */
  strange: string[]
}

export type FirewallEngine = {
  apply(model: FirewallModel): Promise<void>
  /** Which model is in force: its `generationOf`; null when there is none. Changes nothing. */
  applied(): Promise<string | null>
  /** Rejects when it cannot be read. */
  inForce(): Promise<FirewallInForce>
}

/** Numbers of protocols that have a name are the same as the name. */
export const protocolOf = (protocol: string): string =>
  ({ '1': 'icmp', '6': 'tcp', '17': 'udp', '58': 'icmpv6' })[protocol] ?? protocol

/** Names a model: 16 hexadecimal digits, equal for models that mean the same. */
export function generationOf(model: FirewallModel): string {
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)
  const text = JSON.stringify([
    model.interfaces.toSorted(byId).map(({ id, address }) => [id, address]),
    model.groups
      .toSorted(byId)
      .map(({ id, members, ingress, egress, cutsOnRevoke }) => [
        ...[id, members.toSorted(), cutsOnRevoke],
        ...[ingress, egress].map((rules) =>
          rules.toSorted(byId).map((one) => [one.id, one.protocol, one.fromPort, one.toPort, one.peer]),
        ),
      ]),
  ])
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
