// ec2.firewall: what the rows say of security groups is in force. Every address is a network interface, of an instance or
// of a load balancer; which groups it has, its row says.
import {
  type FirewallEngine,
  type FirewallGroup,
  type FirewallModel,
  type FirewallRule,
  generationOf,
} from '../../engines/firewall/engine.ts'
import type { Reconciler } from '../../control/reconciler.ts'
import { type Clock, withTimeout } from '../../kernel/clock.ts'
import { makeTurns } from '../../kernel/turns.ts'
import type { Store } from '../../store/store.ts'
import type { ClientRules } from '../cloud.ts'
import type { NetworkInterfaceRow, SecurityGroupRow, SecurityGroupRuleRow } from './store.ts'

const NAME = 'ec2.firewall'
/** How soon it is seen that somebody took the rules away. */
const EVERY_MS = 2_000
const APPLY_TIMEOUT_MS = 30_000

/** A tag of a security group with this key and the value `true`: connections end with the rule that let them in. */
export const CUTS_ON_REVOKE_TAG = 'polebean:cuts-on-revoke'

export type Enforcer = {
  /** Resolves when the rows as they are now, or later ones, are in force. Throws the engine's failure. */
  enforce(): Promise<void>
  /** The same, and the engine looks whether it still is so. */
  enforceAgain(): Promise<FirewallModel>
}

export function makeEnforcer(
  { store, clock }: { store: Store; clock: Clock },
  firewall: FirewallEngine,
): Enforcer {
  const inTurn = makeTurns()
  let inForce: string | undefined
  const apply = async (model: FirewallModel) => {
    inForce = undefined // until the engine has answered, nobody knows
    await withTimeout(clock, APPLY_TIMEOUT_MS, 'firewall.apply', () => firewall.apply(model))
    inForce = generationOf(model)
  }
  return {
    enforce: () =>
      inTurn('', async () => {
        const model = readFirewall(store)
        if (generationOf(model) !== inForce) await apply(model)
      }),
    enforceAgain: () =>
      inTurn('', async () => {
        const model = readFirewall(store)
        await apply(model)
        return model
      }),
  }
}

export const makeFirewallReconciler = (enforcer: Enforcer): Reconciler => ({
  name: NAME,
  everyMs: EVERY_MS,
  wakes: ['ec2_security_group', 'ec2_security_group_rule', 'ec2_network_interface', 'ec2_tag'],
  async reconcile() {
    const { groups, interfaces } = await enforcer.enforceAgain()
    return { groups: groups.length, interfaces: interfaces.length }
  },
})

/** Rows → what the engine is to enforce. */
export const readFirewall = (store: Store): FirewallModel =>
  store.remember('ec2.firewall', () => readModel(store))

function readModel(store: Store): FirewallModel {
  const interfaces = store.all<Pick<NetworkInterfaceRow, 'id' | 'address' | 'groups'>>(
    'select id, address, groups from ec2_network_interface where released_at is null order by id',
  )
  const rules = Map.groupBy(
    store.all<SecurityGroupRuleRow>('select * from ec2_security_group_rule order by id'),
    (rule) => rule.groupId,
  )
  const cutting = new Set(
    store
      .all<{ id: string }>(
        `select resource_id as id from ec2_tag where key = :key and value = 'true' and resource_type = 'security-group'`,
        { key: CUTS_ON_REVOKE_TAG },
      )
      .map(({ id }) => id),
  )
  const members = new Map<string, string[]>()
  for (const { id, groups } of interfaces)
    for (const group of new Set(JSON.parse(groups) as string[]))
      members.set(group, [...(members.get(group) ?? []), id])
  const groups = store
    .all<SecurityGroupRow>('select * from ec2_security_group order by id')
    .map(({ id }): FirewallGroup => {
      const side = (egress: number) =>
        (rules.get(id) ?? []).filter((rule) => rule.egress === egress).flatMap((rule) => ruleOf(rule) ?? [])
      return {
        id,
        members: members.get(id) ?? [],
        ingress: side(0),
        egress: side(1),
        cutsOnRevoke: cutting.has(id),
      }
    })
  return { interfaces: interfaces.map(({ id, address }) => ({ id, address })), groups }
}

function ruleOf({
  id,
  protocol,
  fromPort,
  toPort,
  cidr4,
  cidr6,
  peerGroupId,
}: SecurityGroupRuleRow): FirewallRule | undefined {
  const peer = cidr4 ? { cidr4 } : cidr6 ? { cidr6 } : peerGroupId ? { group: peerGroupId } : undefined
  return peer && { id, protocol, fromPort, toPort, peer }
}

/** What groups mean to clients outside of the VPC, as the rows are now: read once, asked for many interfaces. */
export function readClientRules(store: Store): ClientRules {
  const groupsOf = new Map<string, FirewallGroup[]>()
  for (const group of readFirewall(store).groups)
    for (const member of group.members) groupsOf.set(member, [...(groupsOf.get(member) ?? []), group])
  const opens = ({ protocol, fromPort, toPort }: FirewallRule, port: number) =>
    protocol === '-1' ||
    (protocol === 'tcp' && (fromPort === null || (port >= fromPort && port <= (toPort ?? fromPort))))
  // Peers that are groups are no matter here: their members are inside.
  const rangeOf = ({ peer }: FirewallRule) =>
    'cidr4' in peer ? peer.cidr4 : 'cidr6' in peer ? peer.cidr6 : []
  return {
    ranges(networkInterfaceId, port) {
      const rules = (groupsOf.get(networkInterfaceId) ?? []).flatMap(({ ingress }) => ingress)
      return [...new Set(rules.filter((rule) => opens(rule, port)).flatMap(rangeOf))].sort()
    },
    cutsOnRevoke: (networkInterfaceId) =>
      (groupsOf.get(networkInterfaceId) ?? []).some((group) => group.cutsOnRevoke),
  }
}
