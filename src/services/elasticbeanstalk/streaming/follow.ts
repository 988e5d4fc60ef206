// One look at the logs of an instance. How far each was read is kept with the lines, by logs itself (cloud.logs.ingest): whatever
// ends between reading and writing, the next look reads the same again.
import type { FilePosition, FollowedPart } from '../../../engines/compute/engine.ts'
import type { Context } from '../../context.ts'
import { systemContext } from '../../service.ts'
import { deploymentLog, ENGINE_LOG } from '../engine-log.ts'
import { logsOf } from '../logs.ts'
import type { Parts } from '../parts.ts'
import { configurationOfSettings } from '../software.ts'
import { environmentById, type EnvironmentRow, instancesOf } from '../store.ts'
import { after, linesOf, positionOf, positionText, type Line } from './lines.ts'
import { groupOf } from './names.ts'

/** Of all logs of an instance together, in one look: a chatty one hurts itself alone. */
const BYTES_A_LOOK = 4 << 20
/** Lines that are written at once, about 20 ms. */
const LINES_AT_ONCE = 2_000

export async function followInstance(parts: Parts, row: EnvironmentRow, instanceId: string): Promise<void> {
  const { store, cloud, compute } = parts
  const context = systemContext(row.account, row.region, row.requestId)
  store.transaction(() => streamDeployment(parts, row.id, instanceId))
  const paths = logsOf(parts, row)
  const bytesMax = Math.floor(BYTES_A_LOOK / paths.length)
  const files = paths.map((path) => ({
    path,
    position: positionOf(
      cloud.logs.position(context, { group: groupOf(row.name, path), stream: instanceId }),
    ),
  }))
  const found = await compute.follow(instanceId, files, { bytesMax })
  for (const part of found) {
    const { isWhole } = await writePart(parts, { row, context, instanceId, part, bytesMax })
    if (!isWhole) return
  }
}

type Written = {
  row: EnvironmentRow
  context: Context
  instanceId: string
  part: FollowedPart
  bytesMax: number
}

/** `isWhole`: nothing came in between, such as the end of the environment. */
async function writePart(
  parts: Parts,
  { row, context, instanceId, part, bytesMax }: Written,
): Promise<{ isWhole: boolean }> {
  const { store, clock, cloud } = parts
  const { lines, taken } = linesOf(part, bytesMax)
  const to = { group: groupOf(row.name, part.path), stream: instanceId }
  const write = (some: Line[], position: FilePosition) =>
    store.transaction(() => {
      const now = stillStreaming(parts, row.id)
      if (now)
        cloud.logs.ingest(
          context,
          { ...to, retentionDays: now.retentionDays },
          some.map(({ text }) => ({ timestamp: clock.now(), message: text })),
          positionText(position),
        )
      return now !== undefined
    })
  for (let first = 0; first < lines.length; first += LINES_AT_ONCE) {
    const some = lines.slice(first, first + LINES_AT_ONCE)
    if (!write(some, after(part.from, some.at(-1)!.end))) return { isWhole: false }
    if (first + LINES_AT_ONCE < lines.length) await clock.sleep(1) // others have their turn
  }
  return { isWhole: write([], after(part.from, taken)) }
}

/** Undefined when it streams no logs any more. */
function stillStreaming({ store }: Parts, environmentId: string) {
  const row = environmentById(store, environmentId)
  if (!row || row.terminatedAt !== null) return undefined
  const { logStreaming } = configurationOfSettings(row)
  return logStreaming.enabled ? logStreaming : undefined
}

/** What the last deployment to an instance did, once it is over. Joins a transaction. */
function streamDeployment(parts: Parts, environmentId: string, instanceId: string): void {
  const { store, clock, cloud } = parts
  const row = environmentById(store, environmentId)
  const streaming = stillStreaming(parts, environmentId)
  const instance = instancesOf(store, environmentId).find((one) => one.instanceId === instanceId)
  if (!row || !streaming || !instance || (instance.state !== 'Deployed' && instance.state !== 'Failed'))
    return
  const context = systemContext(row.account, row.region, row.requestId)
  const to = { group: groupOf(row.name, ENGINE_LOG), stream: instanceId }
  const position = `${instance.deploymentId} ${instance.state} ${instance.deployedAt}`
  if (cloud.logs.position(context, to) === position) return
  const events = deploymentLog(parts, row, instance).map((message) => ({ timestamp: clock.now(), message }))
  cloud.logs.ingest(context, { ...to, retentionDays: streaming.retentionDays }, events, position)
}
