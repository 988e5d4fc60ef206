// Logs in the simulator: what users write to groups of their own, and what applications write to files of their instances.
import { rotateInside, runningInstances, writeInside } from '../src/engines/compute/fake-world.ts'
import { call, callJson } from './client.ts'
import type { Move, Stage } from './stage.ts'
import { setting } from './shop.ts'
import type { World } from './world.ts'

/** What was answered to users who wrote, and what was written in instances. */
export type KnownLogs = {
  /** By group and stream: message → its time. */
  acknowledged: Map<string, Map<string, number>>
  lines: number
}

export const noLogs = (): KnownLogs => ({ acknowledged: new Map(), lines: 0 })

export const WEB_LOG = '/var/log/web.stdout.log'
export const STREAMED = /^line \d+$/

const LOGS = 'aws:elasticbeanstalk:cloudwatch:logs'

export const LOG_MOVES: Record<string, Move> = {
  'write, search or delete logs': { weight: 1, play: changeLogs },
  'stream its logs, or do not': {
    weight: 0.8,
    async play({ world, life, name, chance, note }) {
      const input = { EnvironmentName: name, ...streaming(chance(0.75), chance(0.5), 1) }
      const { code } = await call(world, life, 'UpdateEnvironment', input)
      note(`stream logs of ${name}: ${code || 'ok'}`)
    },
  },
  'applications write': {
    weight: 2,
    play({ world, below, chance, note }) {
      const ids = runningInstances(world.compute).map(({ spec }) => spec.id)
      for (let count = below(20); count > 0 && ids.length > 0; count--) {
        const id = ids[below(ids.length)]!
        writeInside(world.compute, id, WEB_LOG, `line ${++world.logs.lines}\n`)
        if (chance(0.05)) rotateInside(world.compute, id, WEB_LOG)
      }
      note('applications write')
    },
  },
}

/** Settings from that index on: of the logs of instances, and of health. */
export const streaming = (enabled: boolean, deletes: boolean, index: number): Record<string, string> => ({
  ...setting(index, LOGS, 'StreamLogs', String(enabled)),
  ...setting(index + 1, LOGS, 'DeleteOnTerminate', String(deletes)),
  ...setting(index + 2, `${LOGS}:health`, 'HealthStreamingEnabled', String(enabled)),
})

/** Each instance that runs adds to its log. */
export function applicationsWrite(world: World): void {
  for (const { spec } of runningInstances(world.compute))
    for (let count = 3; count > 0; count--)
      writeInside(world.compute, spec.id, WEB_LOG, `line ${++world.logs.lines}\n`)
}

/** The first index of settings that is free. */
export const nextSetting = (input: Record<string, string>): number =>
  1 +
  Math.max(
    0,
    ...Object.keys(input).map((key) => Number(/^OptionSettings\.member\.(\d+)\./.exec(key)?.[1] ?? 0)),
  )

async function changeLogs(stage: Stage): Promise<void> {
  for (let count = 1 + stage.below(4); count > 0; count--) await changeLog(stage)
}

async function changeLog({ world, life, below, chance, note }: Stage): Promise<void> {
  const group = `app-${below(2)}`
  const stream = `s${below(2)}`
  const ask = async (action: string, input: object) => {
    const { code, result } = await callJson(world, life, 'logs', `Logs_20140328.${action}`, {
      ...{ logGroupName: group, ...input },
    })
    note(`${action} ${group} ${stream}: ${code || 'ok'}`)
    return { ok: code === '', result }
  }
  const known = world.logs.acknowledged
  const key = `${group} ${stream}`
  const what = below(10)
  if (what === 0) {
    if (!chance(0.5)) return
    if ((await ask('DeleteLogGroup', {})).ok)
      for (const one of known.keys()) if (one.startsWith(`${group} `)) known.delete(one)
    return
  }
  if (what === 1) {
    if ((await ask('DeleteLogStream', { logStreamName: stream })).ok) known.delete(key)
    return
  }
  if (what === 2) return void (await ask('PutRetentionPolicy', { retentionInDays: chance(0.5) ? 7 : 30 }))
  if (what === 3) return void (await ask('FilterLogEvents', { filterPattern: 'line', limit: 1 + below(3) }))
  await ask('CreateLogGroup', {})
  await ask('CreateLogStream', { logStreamName: stream })
  const messages = Array.from({ length: 1 + below(5) }, () => `written ${++world.logs.lines}`)
  const timestamp = world.clock.now() - below(3_600_000)
  const logEvents = messages.map((message) => ({ timestamp, message }))
  const { ok } = await ask('PutLogEvents', { logStreamName: stream, logEvents })
  if (!ok) return
  const all = known.get(key) ?? new Map<string, number>()
  for (const message of messages) all.set(message, timestamp)
  known.set(key, all)
}
