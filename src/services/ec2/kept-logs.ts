// Logs of instances that are gone: pulled before the engine removes them, kept for a week, bounded in bytes.
import { gunzipSync, gzipSync } from 'node:zlib'
import type { ComputeEngine } from '../../engines/compute/engine.ts'
import { reasonOf } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import type { KeptLog } from '../cloud.ts'
import type { ServiceDeps } from '../service.ts'
import { softwareOf, tagsOf, type InstanceRow } from './store.ts'

/** `text`: gzip of it. */
type KeptLogRow = KeptLog & { text: Uint8Array }

export const LOGS_KEPT_MS = 7 * 24 * 3600_000
const TAIL_BYTES = 128 << 10
const INSTANCE_BYTES_MAX = 1 << 20

/** Pulls the logs of an instance that is about to be removed. Never throws: an instance that cannot be read goes all the
 *  same, and its text says why there is no more. */
export async function keepLogs(
  { store, clock }: Pick<ServiceDeps, 'store' | 'clock'>,
  compute: Pick<ComputeEngine, 'logs'>,
  row: InstanceRow,
): Promise<void> {
  // One that never ran has none.
  if (row.boot === '') return
  const limits = { tailBytes: TAIL_BYTES, bytesMax: INSTANCE_BYTES_MAX }
  const logs = await compute
    .logs(row.id, limits)
    .catch((error: unknown) => `The logs of ${row.id} could not be read: ${reasonOf(error)}\n`)
  const output = softwareOf(store, row.id)?.output ?? ''
  const text = gzipSync(output === '' ? logs : `${logs}\n==> output of the start check <==\n${output}\n`)
  const environment =
    tagsOf(store, row.id).find(({ key }) => key === 'elasticbeanstalk:environment-name')?.value ?? ''
  const kept: KeptLogRow = {
    instanceId: row.id,
    environment,
    endedAt: clock.now(),
    reason: row.stateReasonMessage ?? '',
    text,
    bytes: text.length,
  }
  store.put('ec2_instance_log', kept)
}

/** Newest first. */
export const keptLogs = (store: Store) =>
  store.all<KeptLog>(
    'select instance_id, environment, ended_at, reason, bytes from ec2_instance_log order by ended_at desc, instance_id',
  )

export function keptLogText(store: Store, instanceId: string): string | undefined {
  const row = store.get<KeptLogRow>('select * from ec2_instance_log where instance_id = :instanceId', {
    instanceId,
  })
  return row && gunzipSync(row.text).toString()
}

/** Removes what is too old or too much; answers how many bytes that were. */
export function removeKeptLogs(
  { store, clock }: Pick<ServiceDeps, 'store' | 'clock'>,
  bytesMax: number,
): number {
  const rows = keptLogs(store)
  const gone = planKeptLogs(rows, bytesMax, clock.now())
  for (const instanceId of gone) store.remove('ec2_instance_log', { instanceId })
  return rows.filter((row) => gone.includes(row.instanceId)).reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Which go: what is too old, and the oldest of what is above the budget. Pure. `rows` newest first. */
export function planKeptLogs(rows: KeptLog[], bytesMax: number, now: number): string[] {
  let bytes = 0
  return rows.flatMap((row) => {
    bytes += row.bytes
    // One from the future was written before the clock was set back: it counts from now on as new.
    return bytes > bytesMax || now - row.endedAt > LOGS_KEPT_MS ? [row.instanceId] : []
  })
}
