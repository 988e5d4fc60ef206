// A gateway on a free loopback port with s3, iam and sts alone, its bodies in a folder of its own, for tests with clients.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lanesMigration, makeLanes } from '../../src/control/lanes.ts'
import { makeWorkflows, workflowsMigration } from '../../src/control/workflows.ts'
import { makeFilesystemRoom } from '../../src/engines/room/filesystem.ts'
import { makeFilesystemObjects } from '../../src/engines/objects/filesystem.ts'
import { createGateway } from '../../src/gateway/server.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { makeIds } from '../../src/kernel/ids.ts'
import { makeLog } from '../../src/kernel/log.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import type { Cloud } from '../../src/services/cloud.ts'
import { makeIamService } from '../../src/services/iam/service.ts'
import { iamMigrations } from '../../src/services/iam/store.ts'
import { makeS3Service } from '../../src/services/s3/service.ts'
import { s3Migrations } from '../../src/services/s3/store.ts'
import type { ServiceDeps } from '../../src/services/service.ts'
import { makeStsService } from '../../src/services/sts/service.ts'
import { openStore } from '../../src/store/store.ts'

export const credentials = { accessKeyId: 'PBAKTESTTESTTESTTEST', secretAccessKey: 'secret/of+the=tests' }
export const region = 'us-west-2'
const account = '000000000000'

export async function startStorageServer(options: { port?: number; logLine?: (line: string) => void } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'polebean-storage-'))
  const [clock, random] = [systemClock, systemRandom]
  const log = makeLog(clock, options.logLine ?? (() => undefined))
  const ids = makeIds(random)
  const store = openStore(':memory:', [lanesMigration, workflowsMigration, ...s3Migrations, ...iamMigrations])
  const over = new AbortController()
  const deps: ServiceDeps = {
    store,
    clock,
    ids,
    random,
    log,
    workflows: makeWorkflows({ clock, log, store, newId: () => ids.uuid() }, () => []),
    makeLanes: (_name, atOnceMax) =>
      makeLanes({ clock, log, store, signal: over.signal }, atOnceMax, () => undefined),
    cloud: {} as Cloud,
    region,
    account,
    domain: 'elasticbeanstalk.localhost',
  }
  const s3 = makeS3Service(deps, makeFilesystemObjects(join(dir, 'objects')), makeFilesystemRoom(dir))
  const services = { s3, iam: makeIamService(deps), sts: makeStsService() }
  const gateway = createGateway({
    services,
    credentials: () => [credentials],
    account,
    region,
    store,
    clock,
    ids,
    log,
  })
  const listening = await gateway.listen({ host: '127.0.0.1', port: options.port ?? 0 })
  const endpoint = `http://127.0.0.1:${listening.port}`
  return {
    dir,
    endpoint,
    store,
    internal: s3.internal,
    counters: gateway.counters,
    /** For clients that read their settings from the environment; nothing of the machine's own settings goes along. */
    environment: {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: dir,
      LC_ALL: 'C.UTF-8',
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_EC2_METADATA_DISABLED: 'true',
      NO_PROXY: '127.0.0.1',
    },
    async close() {
      over.abort()
      await listening.close()
      store.close()
      rmSync(dir, { recursive: true })
    },
  }
}
