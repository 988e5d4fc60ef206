// Follows an environment's events until the operation that caused them ended, also over a restart of the control plane.
import { setTimeout as sleep } from 'node:timers/promises'
import { causeOf } from '../services/elasticbeanstalk/reason.ts'
import type { Api } from './client.ts'
import { EXIT, Failure, Unreachable } from './failure.ts'
import { note } from './output.ts'
import { listOf, textOf } from './xml.ts'

export type Event = { at: string; severity: string; message: string; environment: string; requestId: string }

/** Oldest first. */
export async function readEvents(
  api: Api,
  filter: Record<string, string | number | undefined>,
): Promise<Event[]> {
  const { result } = await api.call('elasticbeanstalk', 'DescribeEvents', filter)
  return listOf(result.Events)
    .map((one) => ({
      at: textOf(one.EventDate),
      severity: textOf(one.Severity),
      message: textOf(one.Message),
      environment: textOf(one.EnvironmentName),
      requestId: textOf(one.RequestId),
    }))
    .reverse()
}

type Filter = Record<string, string | undefined>
const POLL_MS = 250
const LOOK_EVERY_MS = 1_000
/** A restart of the control plane loses nothing; its supervisor brings it back within seconds. */
const UNREACHABLE_MS = 30_000

/** Calls `seen` for each new event; ends when `seen`, or `idle` after them, answers true. */
export async function followEvents(
  api: Api,
  filter: Filter,
  seen: (event: Event) => boolean,
  idle: () => Promise<boolean> = async () => false,
): Promise<void> {
  let since = filter.StartTime
  let lostAt: number | undefined
  const printed = new Set<string>()
  for (;;) {
    try {
      for (const event of await readEvents(api, { ...filter, StartTime: since })) {
        const key = `${event.at} ${event.environment}`
        if (printed.has(key)) continue
        printed.add(key)
        since = event.at
        if (seen(event)) return
      }
      if (await idle()) return
      lostAt = undefined
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      if (lostAt === undefined) note('Polebean does not answer; waiting for it to come back …')
      lostAt ??= performance.now()
      if (performance.now() - lostAt > UNREACHABLE_MS) throw error
    }
    await sleep(POLL_MS)
  }
}

const ENDS_WELL = [
  /^Successfully launched environment:/,
  /^Environment update completed successfully\.$/,
  /^terminateEnvironment completed successfully\.$/,
]
const ENDS_BADLY = [
  /^Failed to terminate environment:/,
  /^Failed to (?:launch environment|deploy application|deploy configuration)\./,
  /^(?:Create|Update) environment operation is complete, but with (?:errors|command timeouts)/,
  /However, there were issues during launch\./,
]

type Subject = { id: string; name: string }

/**
 * Shows the events of a request until its operation ended; a bad end is a Failure with the events' own words. Somebody
 * else's operation may end ours without a word, so the environment's status is watched as well.
 */
export async function waitForRequest(
  api: Api,
  environment: Subject,
  { requestId, goal }: { requestId: string; goal: 'Ready' | 'Terminated' },
  show: (event: Event) => void,
): Promise<void> {
  const errors: string[] = []
  const fail = (otherwise: string): never => {
    throw new Failure(causeOf(errors) ?? otherwise, EXIT.operationFailed)
  }
  const seen = (event: Event) => {
    show(event)
    if (event.severity === 'ERROR') errors.push(event.message)
    if (ENDS_BADLY.some((end) => end.test(event.message))) fail(event.message)
    return ENDS_WELL.some((end) => end.test(event.message))
  }
  const settled = watchStatus(api, environment)
  await followEvents(api, { RequestId: requestId }, seen, async () => {
    const status = await settled()
    if (goal === 'Ready' && (status === 'Terminating' || status === 'Terminated'))
      fail(`${environment.name} was terminated meanwhile`)
    if (status !== 'Ready' && status !== 'Terminated') return false
    // Its last event is written with the status, and was read since.
    if (errors.length > 0 || status !== goal) fail(`${environment.name} is ${status}`)
    return true
  })
}

/** Shows what happens to an environment until no operation is under way on it any more. */
export async function waitUntilSettled(
  api: Api,
  environment: Subject,
  show: (event: Event) => void,
): Promise<void> {
  const [last] = await readEvents(api, { EnvironmentId: environment.id, MaxRecords: 1 })
  const settled = watchStatus(api, environment)
  const seen = (event: Event) => {
    if (event.at !== last?.at) show(event)
    return false
  }
  await followEvents(api, { EnvironmentId: environment.id, StartTime: last?.at }, seen, async () => {
    const status = await settled()
    return status === 'Ready' || status === 'Terminated'
  })
}

/** Answers the status, once a second, when it was the same the time before; undefined while there is nothing to say. */
function watchStatus(api: Api, { id }: Subject): () => Promise<string | undefined> {
  let [before, at] = ['', Number.NEGATIVE_INFINITY]
  return async () => {
    if (performance.now() - at < LOOK_EVERY_MS) return undefined
    at = performance.now()
    const { result } = await api.call('elasticbeanstalk', 'DescribeEnvironments', { EnvironmentIds: [id] })
    const now = textOf(listOf(result.Environments)[0]?.Status) || 'Terminated'
    const same = now === before
    before = now
    return same ? now : undefined
  }
}
