// Logs: what was acknowledged is there until it expires, once; what instances of a streaming environment wrote is there, once.
import type { LogEvent } from '../../src/services/logs/events/block.ts'
import { streamRow } from '../../src/services/logs/events/file.ts'
import { readEvents } from '../../src/services/logs/events/read.ts'
import { STREAMED, WEB_LOG } from '../logs.ts'
import { ACCOUNT, REGION, type World } from '../world.ts'
import { environmentsOf } from './rows.ts'

/** Less than the shortest retention that the workload sets. */
const KEPT_MS = 6 * 24 * 3_600_000
const EVERYTHING = { from: 0, to: 99_999_999_999_999, after: null, backwards: false, accept: () => true }

/** After every move. */
export function acknowledged(world: World): string[] {
  return [...world.logs.acknowledged].flatMap(([key, messages]) => {
    const [group = '', stream = ''] = key.split(' ')
    const times = Map.groupBy(messagesOf(world, group, stream) ?? [], (message) => message)
    return [...messages].flatMap(([message, at]) => {
      const count = times.get(message)?.length ?? 0
      if (count === 1 || (count === 0 && Math.abs(world.clock.now() - at) > KEPT_MS)) return []
      return [`"${message}", which was acknowledged, is ${count} times in ${group} ${stream}`]
    })
  })
}

/** At rest. */
export function streamed(world: World): string[] {
  const wrong = environmentsOf(world)
    .filter(({ settings }) => /"StreamLogs","resourceName":null,"value":"true"/.test(settings))
    .flatMap(({ id, name }) =>
      world.store
        .all<{ instanceId: string }>(
          'select instance_id from environment_instance where environment_id = :id and deployed_at is not null',
          { id },
        )
        .flatMap(({ instanceId }) => ofInstance(world, name, instanceId)),
    )
  const groups = world.store.all<{ id: string }>('select id from logs_group').map(({ id }) => id)
  const orphans = world.logEvents
    .all<{ name: string; groupId: string }>('select name, group_id from log_stream')
    .filter(({ groupId }) => !groups.includes(groupId))
  return [
    ...wrong,
    ...orphans.map(({ name }) => `the stream ${name} has no group`),
    ...world.logEvents
      .all<{ streamId: number }>('select stream_id from log_garbage')
      .map(({ streamId }) => `the stream ${streamId} is gone, and not swept`),
  ]
}

function ofInstance(world: World, environment: string, instanceId: string): string[] {
  const instance = world.compute.instances.get(instanceId)
  if (instance?.state !== 'running') return []
  const written =
    instance.written
      ?.get(WEB_LOG)
      ?.text.split('\n')
      .filter((line) => line !== '') ?? []
  const found = messagesOf(world, `/aws/elasticbeanstalk/${environment}${WEB_LOG}`, instanceId) ?? []
  const times = Map.groupBy(found, (line) => line)
  return [
    ...written
      .filter((line) => !times.has(line))
      .map((line) => `"${line}" of ${instanceId} is not in the logs of ${environment}`),
    ...[...times]
      .filter(([line, all]) => STREAMED.test(line) && all.length > 1)
      .map(
        ([line, all]) => `"${line}" of ${instanceId} is ${all.length} times in the logs of ${environment}`,
      ),
  ]
}

/** Undefined: there is no such group. */
function messagesOf({ store, logEvents }: World, group: string, stream: string): string[] | undefined {
  const row = store.get<{ id: string }>(
    'select id from logs_group where account = :account and region = :region and name = :group',
    { account: ACCOUNT, region: REGION, group },
  )
  const found = row && streamRow(logEvents, row.id, stream)
  if (!found) return undefined
  const limits = { countMax: Infinity, bytesMax: Infinity, scanMax: Infinity, includes: () => true }
  const { events } = readEvents(logEvents, { ...EVERYTHING, ...limits, of: { streamId: found.id } })
  return events.map(({ message }: LogEvent) => message)
}
