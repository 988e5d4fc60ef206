// Calls of logs in a world of its own for each test of a file.
import { afterEach, beforeEach } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

export type LogsBench = ReturnType<typeof onLogs>

export function onLogs() {
  let world: ServicesWorld
  beforeEach(() => {
    world = makeServicesWorld()
    world.clock.setWall(Date.UTC(2026, 5, 1, 12))
  })
  afterEach(() => world.end())

  const logs = () => world.logs
  const at = (ms = 0) => world.clock.now() + ms
  const filter = (more: object = {}) =>
    logs().filterLogEvents(world.context, { logGroupName: 'app', ...more })
  return {
    get world() {
      return world
    },
    logs,
    at,
    filter,
    group: (logGroupName: string, more: object = {}) =>
      logs().createLogGroup(world.context, { logGroupName, ...more }),
    stream: (logGroupName: string, logStreamName: string) =>
      logs().createLogStream(world.context, { logGroupName, logStreamName }),
    put: (logGroupName: string, logStreamName: string, ...messages: (string | [number, string])[]) =>
      logs().putLogEvents(world.context, {
        ...{ logGroupName, logStreamName },
        logEvents: messages.map((one) =>
          typeof one === 'string'
            ? { timestamp: at(), message: one }
            : { timestamp: one[0], message: one[1] },
        ),
      }),
    /** Messages of all pages. */
    every(more: object = {}): (string | undefined)[] {
      const found: (string | undefined)[] = []
      for (let nextToken: string | undefined; ;) {
        const page = filter({ ...more, ...(nextToken ? { nextToken } : {}) })
        found.push(...messagesOf(page.events)!)
        nextToken = page.nextToken
        if (nextToken === undefined) return found
      }
    },
  }
}

export const messagesOf = (events: { message?: string | undefined }[] | undefined) =>
  events?.map((one) => one.message)
