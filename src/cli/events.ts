// Follows an environment's events, by the request that caused them, until the operation ended.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from './client.ts'
import { EXIT, Failure } from './failure.ts'
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

/** Calls `seen` for each new event; ends when `seen` answers true. Polls four times a second. */
export async function followEvents(
  api: Api,
  filter: Record<string, string | undefined>,
  seen: (event: Event) => boolean,
  signal?: AbortSignal,
): Promise<void> {
  let since: string | undefined
  const printed = new Set<string>()
  while (!signal?.aborted) {
    for (const event of await readEvents(api, { ...filter, StartTime: since })) {
      const key = `${event.at} ${event.environment}`
      if (printed.has(key)) continue
      printed.add(key)
      since = event.at
      if (seen(event)) return
    }
    await sleep(250, undefined, { signal }).catch(() => undefined)
  }
}

const ENDS_WELL = [
  /^Successfully launched environment:/,
  /^Environment update completed successfully\.$/,
  /^terminateEnvironment completed successfully\.$/,
]
const ENDS_BADLY = [
  /^Failed to (?:launch environment|deploy application|deploy configuration)\./,
  /^(?:Create|Update) environment operation is complete, but with (?:errors|command timeouts)/,
  /However, there were issues during launch\./,
]

/** Shows the events of a request until it ended; a bad end is a Failure with the events' own words. */
export async function waitForRequest(
  api: Api,
  requestId: string,
  show: (event: Event) => void,
): Promise<void> {
  const errors: string[] = []
  await followEvents(api, { RequestId: requestId }, (event) => {
    show(event)
    if (event.severity === 'ERROR') errors.push(event.message)
    if (ENDS_WELL.some((end) => end.test(event.message))) return true
    if (ENDS_BADLY.some((end) => end.test(event.message)))
      throw new Failure(causeOf(errors) ?? event.message, EXIT.operationFailed)
    return false
  })
}

/** The one line that tells most: what an instance said, else the first error. All of them were shown before. */
export function causeOf(errors: string[]): string | undefined {
  const [, said] =
    errors.find((text) => text.startsWith('[Instance: ') && text.includes('\n'))?.split('\n') ?? []
  return said ?? errors[0]?.split('\n')[0]
}
