// What must hold after every move, however bad the world is. Sentences about what is wrong; none is the goal.
import { letIn } from './firewall.ts'
import { layersThere } from './layers.ts'
import { acknowledged } from './logs.ts'
import type { World } from '../world.ts'
import { column, type GroupRow, type InstanceRow } from './rows.ts'

export function safety(world: World): string[] {
  return [
    ...world.spinning,
    ...(world.layersLost ? [] : layersThere(world)),
    ...letIn(world),
    ...instances(world),
    ...capacities(world),
    ...carried(world),
    ...leaving(world),
    ...bodies(world),
    ...histories(world),
    ...effort(world),
    ...acknowledged(world),
  ]
}

function instances({ store, compute, strangers }: World): string[] {
  const wrong: string[] = []
  const rows = store.all<InstanceRow>('select * from ec2_instance')
  for (const { spec } of compute.instances.values()) {
    const row = rows.find(({ id }) => id === spec.id)
    if (strangers.has(spec.id)) continue
    if (!row) wrong.push(`instance ${spec.id} has no row`)
    else if (row.state === 'terminated')
      wrong.push(`instance ${spec.id} is there though its row says terminated`)
  }
  const addresses = [...compute.instances.values()].map(({ spec }) => spec.requestedAddress)
  if (new Set(addresses).size !== addresses.length)
    wrong.push(`two instances share an address: ${addresses.join(', ')}`)
  return wrong
}

const capacities = ({ store }: World) =>
  store
    .all<GroupRow>('select * from autoscaling_group')
    .filter((group) => group.desiredCapacity < group.minSize || group.desiredCapacity > group.maxSize)
    .map(
      (group) =>
        `${group.name}: desired ${group.desiredCapacity} is outside ${group.minSize}..${group.maxSize}`,
    )

function carried(world: World): string[] {
  const rows = column(
    world,
    'select id from ec2_instance union select id from elbv2_load_balancer union select id from ec2_address',
  )
  const { loadBalancers, targetGroups } = world.balancer.model()
  return [...loadBalancers, ...targetGroups.flatMap(({ targets }) => targets)]
    .filter(({ id }) => !rows.includes(id))
    .map(({ id }) => `the balancer carries ${id}, which has no row`)
}

// Who is not in service gets no requests: not yet, for a while, or never again.
const leaving = ({ store }: World) =>
  store
    .all<{ targetId: string; lifecycleState: string }>(
      `select target_id, lifecycle_state from elbv2_target join autoscaling_instance on instance_id = target_id
       where lifecycle_state <> 'InService' and draining_since is null`,
    )
    .map(({ targetId, lifecycleState }) => `${targetId} is ${lifecycleState} and gets requests`)

// Bytes first, then the row; row first away, then the bytes.
const bodies = (world: World) =>
  column(world, 'select body_id from s3_object union select body_id from s3_part')
    .filter((id) => !world.bodies.has(id))
    .map((id) => `an object's body ${id} is not there`)

function histories({ store }: World): string[] {
  const busy = store.all<{ subject: string; n: number }>(
    `select subject, count(*) as n from workflow_run where state in ('running', 'undoing') group by subject having n > 1`,
  )
  const doubled = store.all<{ environmentId: string; at: number }>(
    'select environment_id, at from event where environment_id is not null group by environment_id, at having count(*) > 1',
  )
  return [
    ...busy.map(({ subject, n }) => `${n} workflows work on ${subject} at once`),
    ...doubled.map(({ environmentId, at }) => `two events of ${environmentId} share the millisecond ${at}`),
  ]
}

// What cannot be done is tried again, with pauses that grow.
function effort({ trouble, clock }: World): string[] {
  const since = clock.monotonic() - EFFORT_MS
  return [...trouble.attempts].flatMap(([id, times]) => {
    const recent = times.filter((at) => at >= since).length
    return recent > ATTEMPTS_MAX ? [`${id} was tried ${recent} times in five minutes`] : []
  })
}
const EFFORT_MS = 5 * 60_000
const ATTEMPTS_MAX = 30
