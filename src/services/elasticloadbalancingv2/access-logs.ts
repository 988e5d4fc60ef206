// Access logs: lines are kept in rows, compressed, until the object that they belong to is due. Rows are written with the
// position in the balancer's log, so each line is in one object, once, whenever the control plane dies.
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { Store } from '../../store/store.ts'
import { ACCESS_LOGS } from './attributes.ts'
import { attributesOf, type LoadBalancerRow } from './store.ts'

/** AWS publishes a log for each load balancer every five minutes. */
export const PERIOD_MS = 300_000
/** Lines come a moment after their requests. */
const GRACE_MS = 10_000
/** Of what waits for a bucket that takes nothing; the oldest goes first. */
const WAITING_BYTES_MAX = 64 * 2 ** 20

type AccessLogRow = {
  bucket: string
  key: string
  part: number
  account: string
  region: string
  loadBalancerId: string
  /** When it is to be published. */
  dueAt: number
  content: Uint8Array
}

export type LogsTo = { bucket: string; prefix: string }

/** Where a load balancer's access logs go; null = it shall write none. */
export function accessLogsOf({ attributes }: Pick<LoadBalancerRow, 'attributes'>): LogsTo | null {
  return attributesOf(attributes)[ACCESS_LOGS.enabled] === 'true' ? logsTo({ attributes }) : null
}

/** Where those go that it wrote before. */
export function logsTo({ attributes }: Pick<LoadBalancerRow, 'attributes'>): LogsTo {
  const set = attributesOf(attributes)
  return { bucket: set[ACCESS_LOGS.bucket] ?? '', prefix: set[ACCESS_LOGS.prefix] ?? '' }
}

/** `generation`: another one each time that the clock was set back, so that a period that comes again has another object. */
export type Period = { end: number; generation: number }

export const periodEnd = (at: number): number => (Math.floor(at / PERIOD_MS) + 1) * PERIOD_MS

/** Lines of requests that ended in the period whose end is given. Joins a transaction. */
export function keepLines(
  store: Store,
  row: LoadBalancerRow,
  to: LogsTo,
  period: Period,
  lines: string[],
): void {
  // Members of gzip one after the other are a gzip file (RFC 1952 §2.2). Nothing else happens meanwhile: so quickly.
  const content = gzipSync(lines.map((line) => `${line}\n`).join(''), { level: 1 })
  keep(store, row, {
    ...{ bucket: to.bucket, key: keyOf(row, to, period) },
    ...{ dueAt: period.end + GRACE_MS, content },
  })
}

/** AWS writes one when access logs are switched on, to see that it can. Joins a transaction. */
export function keepTestFile(store: Store, row: LoadBalancerRow, to: LogsTo, now: number): void {
  const text = `Enable AccessLog for ELB: ${row.name} at ${new Date(now).toISOString()}\n`
  keep(store, row, {
    bucket: to.bucket,
    key: `${folderOf(row, to)}ELBAccessLogTestFile`,
    dueAt: now,
    content: Buffer.from(text),
  })
}

function keep(
  store: Store,
  { account, region, id }: LoadBalancerRow,
  one: Pick<AccessLogRow, 'bucket' | 'key' | 'dueAt' | 'content'>,
) {
  const { bucket, key } = one
  const { part } = store.get<{ part: number }>(
    'select coalesce(max(part), 0) + 1 as part from elbv2_access_log where bucket = :bucket and key = :key',
    { bucket, key },
  )!
  store.insert('elbv2_access_log', { ...one, part, account, region, loadBalancerId: id })
}

const folderOf = ({ account }: LoadBalancerRow, { prefix }: LogsTo) =>
  `${prefix === '' ? '' : `${prefix}/`}AWSLogs/${account}/`

// The same for the same period, so that an object that is put twice is one.
function keyOf(row: LoadBalancerRow, to: LogsTo, { end, generation }: Period): string {
  const { account, region, name, id, address } = row
  const [day, time] = [new Date(end).toISOString().slice(0, 10), new Date(end).toISOString().slice(11, 16)]
  const random = createHash('sha256')
    .update(`${id} ${end} ${generation}`)
    .digest('base64url')
    .replace(/[^A-Za-z0-9]/g, 'x')
    .slice(0, 8)
  const stamp = `${day.replaceAll('-', '')}T${time.replace(':', '')}Z`
  return (
    `${folderOf(row, to)}elasticloadbalancing/${region}/${day.replaceAll('-', '/')}/` +
    `${account}_elasticloadbalancing_${region}_app.${name}.${id}_${stamp}_${address}_${random}.log.gz`
  )
}

export type DueObject = Pick<AccessLogRow, 'bucket' | 'key' | 'account' | 'region' | 'loadBalancerId'>

export const dueObjects = (store: Store, upTo: number, now: number): DueObject[] =>
  store.all<DueObject>(
    `select distinct bucket, key, account, region, load_balancer_id from elbv2_access_log
     where due_at <= :upTo or due_at > :far order by due_at, bucket, key`,
    // A clock that was set back must not keep them for years.
    { upTo, far: now + 2 * PERIOD_MS },
  )

/** Its parts in their order, read one by one; `published` removes what was read. */
export function openObject(store: Store, { bucket, key }: DueObject) {
  const parts = store
    .all<{ part: number }>(
      'select part from elbv2_access_log where bucket = :bucket and key = :key order by part',
      {
        bucket,
        key,
      },
    )
    .map(({ part }) => part)
  return {
    async *content(): AsyncGenerator<Uint8Array> {
      for (const part of parts) {
        const row = store.get<{ content: Uint8Array }>(
          'select content from elbv2_access_log where bucket = :bucket and key = :key and part = :part',
          { bucket, key, part },
        )
        if (row) yield row.content
      }
    },
    published: () =>
      store.transaction(() => {
        for (const part of parts) store.remove('elbv2_access_log', { bucket, key, part })
      }),
  }
}

/** Takes the oldest away while more waits than may; answers how many parts went. Joins a transaction. */
export function boundWaiting(store: Store, bytesMax = WAITING_BYTES_MAX): number {
  const { waiting } = store.get<{ waiting: number }>(
    'select coalesce(sum(length(content)), 0) as waiting from elbv2_access_log',
  )!
  if (waiting <= bytesMax) return 0
  const rows = store.all<Pick<AccessLogRow, 'bucket' | 'key' | 'part'> & { bytes: number }>(
    'select bucket, key, part, length(content) as bytes from elbv2_access_log order by due_at desc, part desc',
  )
  let bytes = 0
  const beyond = rows.filter((row) => (bytes += row.bytes) > bytesMax)
  for (const { bucket, key, part } of beyond) store.remove('elbv2_access_log', { bucket, key, part })
  return beyond.length
}
