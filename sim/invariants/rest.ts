// What must hold when the trouble is over and time has passed: rows = instances = members = targets, all of it healthy.
import { accessLogs } from './access-logs.ts'
import { runningInstances } from '../../src/engines/compute/fake-world.ts'
import type { World } from '../world.ts'
import { contents } from './contents.ts'
import { inForce } from './firewall.ts'
import { health } from './health.ts'
import { certificates } from './certificates.ts'
import { streamed } from './logs.ts'
import { names } from './names.ts'
import { ownership } from './ownership.ts'
import {
  column,
  environmentsOf,
  liveInstances,
  membersOf,
  same,
  targetsOf,
  waitingForSoftware,
  type GroupRow,
} from './rows.ts'
import { safety } from './safety.ts'
import { scaling } from './scaling.ts'

export function rest(world: World): string[] {
  return [
    ...safety(world),
    ...operations(world),
    ...machines(world),
    ...groups(world),
    ...hooks(world),
    ...balancers(world),
    ...inForce(world),
    ...ownership(world),
    ...contents(world),
    ...health(world),
    ...names(world),
    ...scaling(world),
    ...certificates(world),
    ...told(world),
    ...streamed(world),
  ]
}

// A burst of kills is one event, of an instance that lives to be told of.
function told({ store, starved, killsLost }: World): string[] {
  const members = store.all<{ instanceId: string }>('select instance_id from environment_instance')
  const count = (id: string) =>
    store.get<{ n: number }>('select count(*) as n from event where message like :like', {
      like: `[Instance: ${id}] The kernel ended %`,
    })!.n
  return [...starved].flatMap((id) => {
    const n = count(id)
    const least = !killsLost.has(id) && members.some(({ instanceId }) => instanceId === id) ? 1 : 0
    return n >= least && n <= 1 ? [] : [`${n} events tell that memory ran out in ${id}`]
  })
}

function operations(world: World): string[] {
  const runs = world.store.all<{ kind: string; subject: string }>(
    `select * from workflow_run where state in ('running', 'undoing')`,
  )
  return [
    ...environmentsOf(world)
      .filter(({ status }) => status !== 'Ready')
      .map(({ name, status }) => `${name} is still ${status}`),
    ...runs.map(({ kind, subject }) => `the workflow ${kind} of ${subject} has not ended`),
  ]
}

function machines(world: World): string[] {
  const waiting = waitingForSoftware(world)
  const rows = liveInstances(world).filter(({ id }) => !waiting.has(id))
  const isOurs = (id: string) => world.strangers.get(id) !== 'foreign'
  const running = runningInstances(world.compute).map(({ spec }) => spec.id)
  const there = [...world.compute.instances.keys()]
  const ids = rows.map(({ id }) => id)
  const members = membersOf(world).map(({ instanceId }) => instanceId)
  return [
    ...rows
      .filter(({ state, desired }) => state !== desired)
      .map(({ id, state, desired }) => `${id} is ${state}, not ${desired}`),
    ...same('running instances', running.filter(isOurs), 'rows', ids),
    ...same('instances that the engine has', there.filter(isOurs), 'rows', ids),
    ...strangers(world),
    ...same('group members', members, 'rows', [...ids, ...waiting]),
  ]
}

// Those of another database are reported, and left alone.
const strangers = ({ strangers: all, compute }: World) =>
  [...all]
    .filter(([id, whose]) => whose === 'foreign' && !compute.instances.has(id))
    .map(([id]) => `${id} of another database was removed`)

function groups(world: World): string[] {
  const waiting = waitingForSoftware(world)
  const members = membersOf(world)
  return world.store.all<GroupRow>('select * from autoscaling_group').flatMap((group) => {
    const settled = members.filter(
      ({ groupName, instanceId, lifecycleState }) =>
        groupName === group.name && (lifecycleState === 'InService' || waiting.has(instanceId)),
    ).length
    if (group.deleting) return [`${group.name} is still being deleted`]
    if (settled === group.desiredCapacity) return []
    return [`${group.name} has ${settled} of ${group.desiredCapacity} in service`]
  })
}

// Nobody waits for a word longer than the hook says.
const hooks = ({ store, clock }: World) =>
  store
    .all<{ instanceId: string; hookName: string; deadline: number }>(
      'select * from autoscaling_lifecycle_action where result is null',
    )
    .filter(({ deadline }) => deadline < clock.now() - HOOK_LATE_MS)
    .map(({ instanceId, hookName }) => `${instanceId} still waits for ${hookName}, whose time is over`)
const HOOK_LATE_MS = 30_000

function balancers(world: World): string[] {
  const waiting = waitingForSoftware(world)
  const targets = targetsOf(world)
  // Users take instances out of the default process alone.
  const ofDefault = column(
    world,
    `select resources ->> '$.targetGroupArn' from environment where terminated_at is null`,
  )
  const ids = targets
    .filter(({ targetGroupArn }) => ofDefault.includes(targetGroupArn))
    .map(({ targetId }) => targetId)
  const balanced = column(world, `select name from autoscaling_group where target_groups <> '[]'`)
  const expected = membersOf(world)
    .filter(({ groupName }) => balanced.includes(groupName))
    .map(({ instanceId }) => instanceId)
    .filter((id) => !waiting.has(id) && !world.takenOut.has(id))
  const model = world.balancer.model()
  const loadBalancers = column(world, 'select id from elbv2_load_balancer')
  const carried = model.targetGroups.flatMap((group) => group.targets.map(({ id }) => id))
  const elastic = world.store.all<{ id: string; instanceId: string; leadsTo: string | null }>(
    `select a.id, e.instance_id, a.leads_to from ec2_address a
     left join ec2_network_interface e on e.id = a.network_interface_id where a.released_at is null`,
  )
  const reached = elastic.flatMap(({ instanceId }) =>
    instanceId && !waiting.has(instanceId) ? instanceId : [],
  )
  const kept = ids.filter((id) => world.trouble.broken.has(id))
  return [
    ...same('targets', ids, 'group members', expected),
    ...targets
      .filter(({ targetId, health: seen }) => seen !== (kept.includes(targetId) ? 'unhealthy' : 'healthy'))
      .map(({ targetId, health: seen }) => `target ${targetId} is ${seen}`),
    ...same(
      'carried targets',
      carried.filter((id) => !waiting.has(id)),
      'targets',
      [...targets.map(({ targetId }) => targetId), ...reached],
    ),
    ...elastic
      .filter(({ instanceId, leadsTo }) => instanceId !== leadsTo)
      .map(({ id, instanceId, leadsTo }) => `${id} leads to ${leadsTo}, not to ${instanceId}`),
    ...same(
      'carried load balancers',
      model.loadBalancers.map(({ id }) => id),
      'load balancers',
      [...loadBalancers, ...elastic.map(({ id }) => id)],
    ),
    ...listeners(world),
    ...rules(world),
    ...accessLogs(world),
  ]
}

function listeners(world: World): string[] {
  const rows = world.store.all<{ id: string; port: number; certificates: string }>(
    `select b.id, l.port, l.certificates from elbv2_listener l
     join elbv2_load_balancer b on b.arn = l.load_balancer_arn where b.deleted_at is null`,
  )
  const carried = world.balancer
    .model()
    .loadBalancers.flatMap(({ id, elasticAddress, listeners: own }) =>
      elasticAddress === null
        ? own.map(({ port, tls }) => `${id} ${port} ${JSON.stringify(tls?.certificateIds ?? [])}`)
        : [],
    )
  return same(
    'carried listeners',
    carried,
    'listeners',
    rows.map(({ id, port, certificates }) => `${id} ${port} ${certificates}`),
  )
}

/** What the engine asks in turn is what the rows say, told by the bodies of the answers. */
function rules(world: World): string[] {
  const rows = world.store.all<{ id: string; port: number; body: string }>(
    `select b.id, l.port, r.action ->> '$.body' as body from elbv2_rule r
     join elbv2_listener l on l.arn = r.listener_arn join elbv2_load_balancer b on b.arn = l.load_balancer_arn
     order by r.priority`,
  )
  const carried = world.balancer
    .model()
    .loadBalancers.flatMap(({ id, listeners }) =>
      listeners.flatMap(({ port, rules: asked }) =>
        asked.map(({ action }) => ({ id, port, body: action.type === 'fixed-response' ? action.body : '' })),
      ),
    )
  const told = (list: { id: string; port: number; body: string }[]) =>
    [...Map.groupBy(list, ({ id, port }) => `${id} ${port}`)]
      .map(([listener, own]) => `${listener}: ${own.map(({ body }) => body).join(', ')}`)
      .sort()
  const [is, shall] = [told(carried).join('; '), told(rows).join('; ')]
  const orphans = column(
    world,
    'select arn from elbv2_rule where listener_arn not in (select arn from elbv2_listener)',
  )
  return [
    ...(is === shall ? [] : [`the engine asks rules ${is}, not ${shall}`]),
    ...orphans.map((arn) => `${arn} has no listener`),
  ]
}
