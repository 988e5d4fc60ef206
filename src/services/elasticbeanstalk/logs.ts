// Pulls logs off instances when somebody asked for them, and keeps them as objects in S3 for a quarter of an hour.
import type { Reconciler } from '../../control/reconciler.ts'
import { DeclaredError, EngineError, reasonOf } from '../../kernel/errors.ts'
import type { BundleListing } from '../../platforms/bundle.ts'
import { parseProcfile } from '../../platforms/procfile.ts'
import type { Context } from '../context.ts'
import { systemContext } from '../service.ts'
import { ENGINE_LOG, engineLog } from './engine-log.ts'
import { ofEnvironment } from './events.ts'
import { storageBucket } from './names.ts'
import type { Parts } from './parts.ts'
import { findEnvironment } from './operations/find-environment.ts'
import { environmentById, findDeployment, findVersion, instancesOf, type EnvironmentRow } from './store.ts'
import { zipOf } from './zip.ts'

export type InfoType = 'tail' | 'bundle'

export type EnvironmentInfoRow = {
  environmentId: string
  infoType: InfoType
  instanceId: string
  bucket: string | null
  key: string | null
  requestId: string
  state: 'wanted' | 'done'
  requestedAt: number
  sampledAt: number | null
}

/** AWS: links to logs are deleted after 15 minutes (reference §3.6). */
export const KEPT_MS = 15 * 60_000

export function makeLogsReconciler(parts: Parts): Reconciler {
  const { store, clock } = parts
  const name = 'elasticbeanstalk.logs'
  const lanes = parts.makeLanes(name, 4)
  return {
    name,
    everyMs: 60_000,
    wakes: ['environment_info'],
    // eslint-disable-next-line -- the pass itself is synchronous: it hands its work to lanes
    async reconcile() {
      const rows = store.all<EnvironmentInfoRow>(
        'select * from environment_info order by requested_at, instance_id',
      )
      const expired = rows.filter(({ requestedAt }) => clock.now() - requestedAt > KEPT_MS)
      store.transaction(() => expired.forEach((row) => forget(parts, row)))
      const wanted = Map.groupBy(
        rows.filter((row) => row.state === 'wanted' && !expired.includes(row)),
        laneOf,
      )
      lanes.submit(
        [...wanted].map(([lane, group]) => ({
          what: 'pull logs',
          lane,
          timeoutMs: 120_000,
          perform: () => pull(parts, group),
        })),
      )
      return { kept: rows.length - expired.length, wanted: wanted.size }
    },
  }
}

// All instances of one request together: `eb` takes the first that is finished as the word that all are.
const laneOf = ({ environmentId, infoType, requestId }: EnvironmentInfoRow) =>
  `logs/${environmentId}/${infoType}/${requestId}`

async function pull(parts: Parts, rows: EnvironmentInfoRow[]): Promise<void> {
  const { store, events, clock } = parts
  const environment = environmentById(store, rows[0]?.environmentId ?? '')
  if (!environment) return
  const results = await Promise.all(
    rows.map(async (row) => {
      try {
        return { row, ...(await sample(parts, environment, row)) }
      } catch (error) {
        return { row, failure: reasonOf(error) }
      }
    }),
  )
  store.transaction(() => {
    const subject = ofEnvironment(environment, rows[0]?.requestId ?? null)
    for (const result of results) {
      const { environmentId, infoType, instanceId, requestId } = result.row
      const where = { environmentId, infoType, instanceId, requestId }
      if ('failure' in result) {
        store.remove('environment_info', where)
        events.write(subject, 'ERROR', `[Instance: ${instanceId}] Failed to pull its logs: ${result.failure}`)
        continue
      }
      const { bucket, key, count } = result
      store.update('environment_info', where, { bucket, key, state: 'done', sampledAt: clock.now() })
      const verb = infoType === 'tail' ? 'tailing' : 'bundling'
      events.write(subject, 'INFO', `[Instance: ${instanceId}] Successfully finished ${verb} ${count} log(s)`)
    }
    const some = results.some((result) => !('failure' in result))
    if (some) events.write(subject, 'INFO', 'Pulled logs for environment instances.')
    else events.write(subject, 'ERROR', 'Failed to pull logs for environment instances.')
  })
}

async function sample(
  parts: Parts,
  environment: EnvironmentRow,
  { infoType, instanceId, requestId }: EnvironmentInfoRow,
) {
  const { cloud, clock } = parts
  const tail = infoType === 'tail'
  const files = await readLogs(parts, environment, instanceId, tail ? TAIL_BYTES : BUNDLE_BYTES)
  const body = tail
    ? Buffer.from(files.map(tailText).join('\n'))
    : zipOf(files.map(({ name, content }) => ({ name: name.slice(1), content })))
  const bucket = storageBucket(environment)
  const file = tail ? `TailLogs-${clock.now()}.txt` : `BundleLogs-${clock.now()}.zip`
  const key = `resources/environments/logs/${infoType}/${environment.id}/${instanceId}/${file}`
  const context = systemContext(environment.account, environment.region, requestId)
  cloud.s3.ensureBucket(context, bucket)
  const ContentType = tail ? 'text/plain; charset=utf-8' : 'application/zip'
  await cloud.s3.putObject(context, { Bucket: bucket, Key: key, Body: once(body), ContentType })
  return { bucket, key, count: files.length }
}

async function readLogs(
  parts: Parts,
  environment: EnvironmentRow,
  instanceId: string,
  tailBytes: number,
): Promise<{ name: string; content: Buffer }[]> {
  const files: { name: string; content: Buffer }[] = []
  const instance = instancesOf(parts.store, environment.id).find((one) => one.instanceId === instanceId)
  if (instance)
    files.push({ name: ENGINE_LOG, content: Buffer.from(engineLog(parts, environment, instance)) })
  // One that waits for its first software has no processes, and nothing that could be read.
  const names = instance?.deploymentId === null ? [] : logsOf(parts, environment)
  for (const name of names) {
    // A log that nothing was written to yet does not exist; whatever else keeps it from being read is a failure.
    const content = await parts.compute.read(instanceId, name, { tailBytes }).catch((error: unknown) => {
      if (error instanceof EngineError && NOT_THERE.test(error.message)) return null
      throw error
    })
    if (content) files.push({ name, content })
  }
  return files
}

export type LogTail = { instance: string; text: string }

/** The tails as RequestEnvironmentInfo has them, now, without an event or an object (decision 005).
 *  @throws DeclaredError when there is no such environment. */
export async function tailLogs(parts: Parts, context: Context, environmentId: string): Promise<LogTail[]> {
  const environment = findEnvironment(parts.store, context, { EnvironmentId: environmentId })
  return Promise.all(
    instancesOf(parts.store, environment.id).map(async ({ instanceId }) => {
      try {
        const files = await readLogs(parts, environment, instanceId, TAIL_BYTES)
        return { instance: instanceId, text: files.map(tailText).join('\n') }
      } catch (error) {
        if (!(error instanceof EngineError)) throw error
        return { instance: instanceId, text: `Its logs cannot be read: ${error.message}` } // the others' can
      }
    }),
  )
}

export type InstanceLogs = {
  instance: string
  environment: string
  /** Epoch ms; null while it lives. */
  endedAt: number | null
  reason: string
  text: string
}

/** Of an instance of an environment, or of one that is gone, within the week.
 *  @throws DeclaredError when there is none, naming those that there are. */
export async function instanceLogs(parts: Parts, instanceId: string): Promise<InstanceLogs> {
  const { store, cloud } = parts
  const kept = cloud.ec2.keptLogs()
  const gone = kept.find((one) => one.instanceId === instanceId)
  if (gone) {
    const { environment, endedAt, reason } = gone
    return {
      instance: instanceId,
      environment,
      endedAt,
      reason,
      text: cloud.ec2.keptLogText(instanceId) ?? '',
    }
  }
  const member = store.get<{ environmentId: string }>(
    'select environment_id from environment_instance where instance_id = :instanceId',
    { instanceId },
  )
  const environment = member && environmentById(store, member.environmentId)
  if (environment) {
    const files = await readLogs(parts, environment, instanceId, TAIL_BYTES)
    const text = files.map(tailText).join('\n')
    return { instance: instanceId, environment: environment.name, endedAt: null, reason: '', text }
  }
  const known = kept
    .slice(0, GONE_NAMED)
    .map((one) => `${one.instanceId} (${one.environment || 'no environment'})`)
  throw new DeclaredError(
    'InvalidInstanceID.NotFound',
    `There are no logs of ${instanceId}: it is no instance of an environment, nor one that ended within the last week. ` +
      (known.length > 0
        ? `Those that ended last: ${known.join(', ')}.`
        : 'None has ended within the last week.'),
  )
}

const GONE_NAMED = 10

function tailText({ name, content }: { name: string; content: Buffer }): string {
  const rule = '-'.repeat(40)
  return [
    rule,
    name,
    rule,
    content
      .toString()
      .split('\n')
      .slice(-TAIL_LINES - 1)
      .join('\n'),
  ].join('\n')
}

/** Paths on its instances. */
export function logsOf({ store }: Pick<Parts, 'store'>, environment: EnvironmentRow): string[] {
  const deployment = findDeployment(
    store,
    environment.id,
    environment.expectedDeploymentId ?? environment.deploymentId,
  )
  const version =
    deployment && findVersion(store, environment, environment.applicationName, deployment.versionLabel)
  const listing = version?.inspection ? (JSON.parse(version.inspection) as BundleListing) : undefined
  const procfile = parseProcfile(listing?.texts['Procfile'] ?? 'web: -')
  const processes = procfile.kind === 'processes' ? procfile.processes.map(({ name }) => name) : ['web']
  return [
    ...processes.map((name) => `/var/log/${name}.stdout.log`),
    '/var/log/nginx/access.log',
    '/var/log/nginx/error.log',
  ]
}

function forget({ store, cloud }: Parts, row: EnvironmentInfoRow): void {
  const { environmentId, infoType, instanceId, bucket, key } = row
  const environment = environmentById(store, environmentId)
  if (environment && bucket && key) {
    const context = systemContext(environment.account, environment.region, row.requestId)
    cloud.s3.deleteObject(context, { Bucket: bucket, Key: key })
  }
  store.remove('environment_info', { environmentId, infoType, instanceId })
}

async function* once(body: Buffer): AsyncGenerator<Uint8Array> {
  yield body
}

/** AWS: the last 100 lines of each log. */
const TAIL_LINES = 100
const TAIL_BYTES = 64 << 10
const BUNDLE_BYTES = 16 << 20
/** How the engine says that a file is not there (its contract). */
const NOT_THERE = /No such file or directory/
