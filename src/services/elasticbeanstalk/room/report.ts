// What each kind of thing takes of the home, beside its budget; and what nothing uses, which `prune` removes.
import { leastFreeBytes } from '../../../kernel/space.ts'
import { cachesBytesMax } from '../../budgets.ts'
import { systemContext } from '../../service.ts'
import { namedLayers } from '../layer-collection.ts'
import { budgetsOf, type Parts } from '../parts.ts'
import type { ApplicationVersionRow } from '../store.ts'
import { roomRow } from './low.ts'

export type Kind = {
  kind: string
  bytes: number
  /** null: nothing but the disk bounds it. */
  budgetBytes: number | null
  /** What nothing uses, of `bytes`. */
  unusedBytes: number
  /** Objects, layers, instances, rows; null where nobody counts. */
  count: number | null
  /** Above its budget, or worth a word; '' = nothing. */
  note: string
}

export type RoomReport = {
  disk: { freeBytes: number; totalBytes: number; leastFreeBytes: number; low: boolean }
  kinds: Kind[]
}

export async function readRoom(parts: Parts): Promise<RoomReport> {
  const { store, compute, room, cloud } = parts
  const [{ use, ...space }, layers] = await Promise.all([room.look(), compute.layers()])
  const budgets = budgetsOf(parts)
  const named = namedLayers(parts)
  const sum = (all: { bytes: number }[]) => all.reduce((total, { bytes }) => total + bytes, 0)
  const count = (table: string) =>
    store.get<{ count: number }>(`select count(*) as count from ${table}`)?.count ?? 0
  const kept = cloud.ec2.keptLogs()
  const bundles = bundleUse(parts)
  const caches = { bytes: sum(layers), budgetBytes: cachesBytesMax(budgets, space) }
  const plain = { budgetBytes: null, unusedBytes: 0, count: null, note: '' }
  const kinds: Kind[] = [
    {
      kind: 'bundles',
      bytes: cloud.s3.bytesUsed(),
      budgetBytes: budgets.bundles,
      // The user's own: never removed by us.
      unusedBytes: bundles.undeployedBytes,
      count: bundles.versions,
      note:
        cloud.s3.bytesUsed() > budgets.bundles
          ? 'above its budget; delete versions that are deployed nowhere with their bundles (delete-application-version --delete-source-bundle)'
          : '',
    },
    {
      kind: 'caches',
      ...caches,
      unusedBytes: sum(layers.filter(({ key }) => !named.has(key))),
      count: layers.length,
      note:
        caches.bytes > caches.budgetBytes
          ? 'above its budget; what is left is in use, or goes within minutes'
          : '',
    },
    {
      ...{ kind: 'instance logs', bytes: sum(kept), budgetBytes: budgets.logs, unusedBytes: sum(kept) },
      ...{ count: kept.length, note: '' },
    },
    { ...plain, kind: 'log events', bytes: cloud.logs.bytesUsed(), budgetBytes: budgets.logEvents },
    { ...plain, kind: 'daemon logs', bytes: use.daemonLogs, budgetBytes: DAEMON_LOG_BYTES },
    {
      ...plain,
      kind: 'database',
      bytes: use.database,
      count: count('event'),
      note: `${count('event')} events`,
    },
    { ...plain, kind: 'instance disks', bytes: use.instanceDisks },
    { ...plain, kind: 'builds', bytes: use.builds },
    { ...plain, kind: 'backups', bytes: use.backups },
  ]
  return {
    disk: { ...space, leastFreeBytes: leastFreeBytes(space), low: roomRow(store)?.low === 1 },
    kinds,
  }
}

/** Bytes of bundles whose version no living environment has deployed. */
function bundleUse({ store, cloud }: Parts): { versions: number; undeployedBytes: number } {
  const versions = store.all<ApplicationVersionRow & { deployed: number }>(
    `select v.*, exists (select 1 from environment e join deployment d on d.environment_id = e.id
       where e.terminated_at is null and e.account = v.account and e.region = v.region
         and e.application_name = v.application_name and d.version_label = v.label
         and d.id in (e.deployment_id, e.expected_deployment_id)) as deployed
     from application_version v`,
  )
  const used = new Set(versions.filter(({ deployed }) => deployed).map(({ bodyId }) => bodyId))
  const idle = new Map<string, number>()
  for (const { account, region, requestId, bucket, key, bodyId } of versions) {
    const body = cloud.s3.objectBody(systemContext(account, region, requestId), bucket ?? '', key ?? '')
    if (body && body.id === bodyId && !used.has(bodyId)) idle.set(bodyId, body.bytes)
  }
  return { versions: versions.length, undeployedBytes: [...idle.values()].reduce((a, b) => a + b, 0) }
}

export type Pruned = { dryRun: boolean; kinds: { kind: string; count: number; bytes: number }[] }

/** Marks what nothing uses, which the reconcilers then remove: built layers that no version, deployment and instance
 *  names, and the logs of instances that are gone. Bundles are the user's and stay. */
export async function prune(parts: Parts, { dryRun }: { dryRun: boolean }): Promise<Pruned> {
  const { store, compute, cloud } = parts
  const layers = await compute.layers()
  return store.transaction(() => {
    const named = namedLayers(parts)
    const idle = layers.filter(({ key }) => !named.has(key))
    const logs = cloud.ec2.keptLogs()
    if (!dryRun) {
      for (const { key } of store.all<{ key: string }>(
        `select key from layer where state in ('ready', 'failed')`,
      ))
        if (!named.has(key)) store.update('layer', { key }, { state: 'removing' })
      cloud.ec2.removeKeptLogs(0)
    }
    const sum = (all: { bytes: number }[]) => all.reduce((total, { bytes }) => total + bytes, 0)
    return {
      dryRun,
      kinds: [
        { kind: 'caches', count: idle.length, bytes: sum(idle) },
        { kind: 'instance logs', count: logs.length, bytes: sum(logs) },
      ],
    }
  })
}

/** The balancer's 26 files of 4 MB (haproxy.ts), and six of a megabyte of each of the four others (run-script.ts). */
const DAEMON_LOG_BYTES = 26 * 4_000_000 + 4 * 6_000_000
