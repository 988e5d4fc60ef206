// Rules in force = what the groups say. While there is trouble an engine may lag behind the rows, but nobody is ever let in
// of whom it knows nothing.
import { runningInstances } from '../../src/engines/compute/fake-world.ts'
import type { World } from '../world.ts'
import { column, same } from './rows.ts'

/** After every move: what runs was let in by its groups. */
export function letIn({ store, compute, firewall, strangers }: World): string[] {
  const { generation, groups } = firewall.inForce()
  if (generation === null) return [] // nothing passes at all
  const known = new Set(groups.flatMap(({ addresses }) => addresses))
  const grouped = new Set(
    store
      .all<{ address: string }>(`select address from ec2_network_interface where groups <> '[]'`)
      .map(({ address }) => address),
  )
  const ours = new Set(store.all<{ id: string }>('select id from ec2_instance').map(({ id }) => id))
  return runningInstances(compute)
    .filter(
      ({ spec: { id, requestedAddress: address } }) =>
        ours.has(id) && !strangers.has(id) && grouped.has(address) && !known.has(address),
    )
    .map(({ spec }) => `${spec.id} runs and the firewall knows nothing of ${spec.requestedAddress}`)
}

/** At rest: one sentence a group, member or rule, from the rows in SQL and from the engine's own reading. */
export function inForce(world: World): string[] {
  const found = world.firewall.inForce()
  if (found.generation === null)
    return column(world, 'select id from ec2_security_group').map((id) => `${id} is not in force`)
  const members = found.groups.flatMap(({ id, addresses }) =>
    addresses.map((address) => `${id} has ${address}`),
  )
  const rules = found.groups.flatMap(({ id, ingress, egress }) =>
    [ingress, egress].flatMap((side, way) =>
      side.map(({ id: rule, protocol, fromPort, toPort, peer }) =>
        [id, rule, way, protocol, fromPort ?? '', toPort ?? '', Object.values(peer)[0]].join(' '),
      ),
    ),
  )
  return [
    ...same(
      'members in force',
      members,
      'interfaces',
      column(
        world,
        `select g.value || ' has ' || i.address from ec2_network_interface i, json_each(i.groups) g where i.released_at is null`,
      ),
    ),
    ...same(
      'rules in force',
      rules,
      'rows',
      column(
        world,
        `select group_id || ' ' || id || ' ' || egress || ' ' || protocol || ' ' || coalesce(from_port, '') || ' ' ||
           coalesce(to_port, '') || ' ' || coalesce(cidr4, peer_group_id) from ec2_security_group_rule where cidr6 is null`,
      ),
    ),
  ]
}
