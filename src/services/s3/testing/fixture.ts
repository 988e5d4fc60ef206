// For tests: the service on a database in memory, bodies in memory, and a clock that stands still until it is told.
import { Readable } from 'node:stream'
import type { LaneAction } from '../../../control/lanes.ts'
import { lanesMigration, makeLanes } from '../../../control/lanes.ts'
import { makeWorkflows, workflowsMigration } from '../../../control/workflows.ts'
import { makeFakeObjects } from '../../../engines/objects/fake.ts'
import type { ObjectEngine } from '../../../engines/objects/engine.ts'
import { makeFakeDisk, makeFakeRoom } from '../../../engines/room/fake.ts'
import { makeIds } from '../../../kernel/ids.ts'
import { silentLog } from '../../../kernel/log.ts'
import { seededRandom } from '../../../kernel/random.ts'
import { openStore } from '../../../store/store.ts'
import type { Cloud } from '../../cloud.ts'
import type { Context } from '../../context.ts'
import type { ServiceDeps } from '../../service.ts'
import { makeS3Service } from '../service.ts'
import { s3Migrations } from '../store.ts'

export const context: Context = {
  account: '000000000000',
  region: 'us-west-2',
  requestId: 'request',
  caller: { accessKeyId: 'PBKEY', arn: 'arn:aws:iam::000000000000:root', userId: '000000000000' },
  endpoint: 'http://127.0.0.1:9',
}

export function makeFixture(objects: ObjectEngine = makeFakeObjects()) {
  const time = { now: Date.UTC(2026, 10, 23, 12, 0, 0, 500) }
  const clock = {
    now: () => time.now,
    monotonic: () => time.now,
    sleep: () => new Promise<void>(() => undefined),
  }
  const log = silentLog
  const disk = makeFakeDisk()
  const store = openStore(':memory:', [lanesMigration, workflowsMigration, ...s3Migrations])
  const random = seededRandom(1)
  const ids = makeIds(random)
  const workflows = makeWorkflows({ clock, log, store, newId: () => ids.uuid() }, () => [])
  const { signal } = new AbortController()
  let actions: Promise<void>[] = []
  const deps: ServiceDeps = {
    store,
    clock,
    ids,
    random,
    log,
    workflows,
    cloud: {} as Cloud,
    domain: '',
    region: context.region,
    account: context.account,
    makeLanes(_name, atOnceMax) {
      const lanes = makeLanes({ clock, log, store, signal }, atOnceMax, () => undefined)
      const watched = (action: LaneAction): LaneAction => ({
        ...action,
        perform(over) {
          const performed = action.perform(over)
          actions.push(performed)
          return performed
        },
      })
      return { ...lanes, submit: (all) => lanes.submit(all.map(watched)) }
    },
  }
  const service = makeS3Service(deps, objects, makeFakeRoom(disk))
  const { operations: s3 } = service

  return {
    s3,
    store,
    objects,
    disk,
    internal: service.internal,
    tick: (ms: number) => void (time.now += ms),
    /** One pass of the sweep, and all that it began. */
    async sweep() {
      await service.reconcilers[0]?.reconcile(signal)
      await Promise.all(actions)
      actions = []
    },
    createBucket: (name = 'bucket') =>
      s3.createBucket(context, {
        Bucket: name,
        CreateBucketConfiguration: { LocationConstraint: 'us-west-2' },
      }),
    put: (key: string, content = key, input: Partial<Parameters<typeof s3.putObject>[1]> = {}) =>
      s3.putObject(context, {
        Bucket: 'bucket',
        Key: key,
        Body: Readable.from([Buffer.from(content)]),
        ...input,
      }),
    async text(key: string, input: Partial<Parameters<typeof s3.getObject>[1]> = {}) {
      const { Body } = s3.getObject(context, { Bucket: 'bucket', Key: key, ...input })
      return Body ? Buffer.concat(await Array.fromAsync(Body)).toString() : undefined
    },
    keys: () => s3.listObjectsV2(context, { Bucket: 'bucket' }).Contents?.map(({ Key }) => Key),
  }
}

/** For assert.throws and assert.rejects. */
export const code = (name: string, httpStatus?: number) => (error: unknown) =>
  error instanceof Error &&
  error.name === name &&
  (httpStatus === undefined || ('httpStatus' in error && error.httpStatus === httpStatus))
