// What must hold in the whole world: `safety` after every move, `rest` when the trouble is over and time has passed.
// Each answers sentences about what is wrong; none is the goal.
import { runningInstances } from '../src/engines/compute/fake-world.ts'
import { layersAtRest, layersThere } from './layer-invariants.ts'
import type { World } from './world.ts'

type InstanceRow = { id: string; state: string; desired: string; networkInterfaceId: string }
type EnvironmentRow = { id: string; name: string; status: string; health: string }
type GroupRow = { name: string; minSize: number; maxSize: number; desiredCapacity: number; deleting: number }
type TargetRow = { targetGroupArn: string; targetId: string; drainingSince: number | null; health: string }

const live = (rows: InstanceRow[]) => rows.filter((row) => row.state !== 'terminated')

export function safety(world: World): string[] {
  const { store, compute, balancer } = world
  const wrong: string[] = layersThere(world)
  const rows = store.all<InstanceRow>('select * from ec2_instance')
  for (const { spec } of compute.instances.values()) {
    const row = rows.find(({ id }) => id === spec.id)
    if (!row) wrong.push(`instance ${spec.id} has no row`)
    else if (row.state === 'terminated')
      wrong.push(`instance ${spec.id} is there though its row says terminated`)
  }
  const addresses = [...compute.instances.values()].map(({ spec }) => spec.requestedAddress)
  if (new Set(addresses).size !== addresses.length)
    wrong.push(`two instances share an address: ${addresses.join(', ')}`)

  for (const group of store.all<GroupRow>('select * from autoscaling_group')) {
    if (group.desiredCapacity < group.minSize || group.desiredCapacity > group.maxSize)
      wrong.push(
        `${group.name}: desired ${group.desiredCapacity} is outside ${group.minSize}..${group.maxSize}`,
      )
  }
  const carried = balancer.model().targetGroups.flatMap(({ targets }) => targets)
  for (const target of carried)
    if (!rows.some(({ id }) => id === target.id))
      wrong.push(`the balancer carries ${target.id}, which has no row`)

  const busy = store.all<{ subject: string; n: number }>(
    `select subject, count(*) as n from workflow_run where state in ('running', 'undoing') group by subject having n > 1`,
  )
  for (const { subject, n } of busy) wrong.push(`${n} workflows work on ${subject} at once`)
  const doubled = store.all<{ environmentId: string; at: number }>(
    'select environment_id, at from event where environment_id is not null group by environment_id, at having count(*) > 1',
  )
  for (const { environmentId, at } of doubled)
    wrong.push(`two events of ${environmentId} share the millisecond ${at}`)
  return wrong
}

export function rest(world: World): string[] {
  const { store, compute, balancer } = world
  const wrong = [...safety(world), ...layersAtRest(world)]
  const environments = store.all<EnvironmentRow>(`select * from environment where status <> 'Terminated'`)
  for (const { name, status } of environments)
    if (status !== 'Ready') wrong.push(`${name} is still ${status}`)
  const runs = store.all<{ kind: string; subject: string }>(
    `select * from workflow_run where state in ('running', 'undoing')`,
  )
  for (const { kind, subject } of runs) wrong.push(`the workflow ${kind} of ${subject} has not ended`)

  const waiting = waitingForSoftware(store)
  const rows = live(store.all<InstanceRow>('select * from ec2_instance')).filter(({ id }) => !waiting.has(id))
  for (const { id, state, desired } of rows)
    if (state !== desired) wrong.push(`${id} is ${state}, not ${desired}`)
  const running = runningInstances(compute).map(({ spec }) => spec.id)
  same(
    wrong,
    'instances',
    running,
    'rows',
    rows.map(({ id }) => id),
  )

  const groups = store.all<GroupRow>('select * from autoscaling_group')
  for (const group of groups) {
    const members = store.all<{ instanceId: string; lifecycleState: string }>(
      'select * from autoscaling_instance where group_name = :name',
      group,
    )
    const settled = members.filter(
      ({ instanceId, lifecycleState }) => lifecycleState === 'InService' || waiting.has(instanceId),
    ).length
    if (group.deleting) wrong.push(`${group.name} is still being deleted`)
    else if (settled !== group.desiredCapacity)
      wrong.push(`${group.name} has ${settled} of ${group.desiredCapacity} in service`)
  }
  const members = store
    .all<{ instanceId: string }>('select instance_id from autoscaling_instance')
    .map((one) => one.instanceId)
    .filter((id) => !waiting.has(id))
  same(
    wrong,
    'group members',
    members,
    'rows',
    rows.map(({ id }) => id),
  )

  const targets = store.all<TargetRow>('select * from elbv2_target')
  same(
    wrong,
    'targets',
    targets.map(({ targetId }) => targetId),
    'group members',
    members,
  )
  for (const { targetId, health } of targets) {
    const expected = world.broken.has(targetId) ? 'unhealthy' : 'healthy'
    if (health !== expected) wrong.push(`target ${targetId} is ${health}, not ${expected}`)
  }
  const model = balancer.model()
  const carried = model.targetGroups.flatMap((group) => group.targets.map(({ id }) => id))
  same(
    wrong,
    'carried targets',
    carried,
    'targets',
    targets.map(({ targetId }) => targetId),
  )
  const balancers = store.all<{ id: string }>('select id from elbv2_load_balancer').map(({ id }) => id)
  same(
    wrong,
    'carried load balancers',
    model.loadBalancers.map(({ id }) => id),
    'load balancers',
    balancers,
  )
  if (groups.length !== balancers.length)
    wrong.push(`${groups.length} groups and ${balancers.length} load balancers`)

  const interfaces = store.all<{ instanceId: string | null }>(
    'select * from ec2_network_interface where released_at is null',
  )
  if (interfaces.length !== rows.length + waiting.size + balancers.length)
    wrong.push(
      `${interfaces.length} network interfaces for ${rows.length} instances and ${balancers.length} load balancers`,
    )
  const securityGroups = store.get<{ n: number }>(
    `select count(*) as n from ec2_security_group where name <> 'default'`,
  )!.n
  if (securityGroups !== 2 * groups.length)
    wrong.push(`${securityGroups} security groups for ${groups.length} environments`)
  return wrong
}

// An environment whose every build failed never had software to put: its instances wait for the first good version.
function waitingForSoftware(store: World['store']): Set<string> {
  const rows = store.all<{ id: string }>(
    `select i.id from ec2_instance i
     join ec2_tag t on t.resource_id = i.id and t.key = 'elasticbeanstalk:environment-id'
     join environment e on e.id = t.value
     where i.state = 'pending' and i.awaits_software = 1 and e.expected_deployment_id is null and e.status = 'Ready'
       and not exists (select 1 from ec2_instance_software s where s.instance_id = i.id)
       and (select state from deployment d where d.environment_id = e.id order by id desc limit 1) = 'failed'`,
  )
  return new Set(rows.map(({ id }) => id))
}

function same(wrong: string[], whatA: string, a: string[], whatB: string, b: string[]): void {
  const onlyA = a.filter((id) => !b.includes(id))
  const onlyB = b.filter((id) => !a.includes(id))
  if (onlyA.length > 0) wrong.push(`${whatA} without ${whatB}: ${onlyA.join(', ')}`)
  if (onlyB.length > 0) wrong.push(`${whatB} without ${whatA}: ${onlyB.join(', ')}`)
}
