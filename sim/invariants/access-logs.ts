// Access logs: every request of a load balancer that logs them is in one of its objects, once.
import { gunzipSync } from 'node:zlib'
import type { World } from '../world.ts'
import { column } from './rows.ts'

/** Lines are read every two seconds, and objects are due ten after the period. */
const OVERDUE_MS = 5 * 60_000

export function accessLogs(world: World): string[] {
  const visits = [...written(world), ...waiting(world)].flatMap(
    (line) => /\/visit\/\d+/.exec(line)?.[0] ?? [],
  )
  const times = Map.groupBy(visits, (visit) => visit)
  const there = new Set(column(world, 'select id from elbv2_load_balancer where deleted_at is null'))
  const overdue = column(
    world,
    `select key from elbv2_access_log where due_at < ${world.clock.now() - OVERDUE_MS}`,
  )
  return [
    ...[...times]
      .filter(([, all]) => all.length > 1)
      .map(([visit, all]) => `${visit} was logged ${all.length} times`),
    ...[...world.visits]
      .filter(([visit, loadBalancer]) => there.has(loadBalancer) && !times.has(visit))
      .map(([visit, loadBalancer]) => `${visit} is in no access log of ${loadBalancer}`),
    ...overdue.map((key) => `${key} was not published`),
  ]
}

function written({ store, bodies }: World): string[] {
  const ids = store.all<{ bodyId: string }>(
    `select body_id from s3_object where key like '%AWSLogs/%' and key like '%.log.gz'`,
  )
  return ids.flatMap(({ bodyId }) => {
    const body = bodies.get(bodyId)
    return body ? linesOf(body) : []
  })
}

const waiting = ({ store }: World): string[] =>
  store
    .all<{ content: Uint8Array }>(`select content from elbv2_access_log where key like '%.log.gz'`)
    .flatMap(({ content }) => linesOf(content))

const linesOf = (content: Uint8Array) => gunzipSync(content).toString().split('\n')
