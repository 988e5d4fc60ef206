// What the control plane alone costs while nothing happens: 200 environments of one instance, on fake engines and the
// real clock, so that neither sandboxes nor HAProxy are in the figure.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeControlPlane, migrations } from '../src/control-plane.ts'
import { makeFakeBalancerWorld } from '../src/engines/balancer/fake.ts'
import { makeFakeCompute } from '../src/engines/compute/fake.ts'
import { makeFakeWorld } from '../src/engines/compute/fake-world.ts'
import { makeFakeRoom } from '../src/engines/room/fake.ts'
import { makeFakeProbes } from '../src/engines/probe/fake.ts'
import { makeFakeAcmeWorld } from '../src/engines/acme/fake.ts'
import { makeFakeAuthority } from '../src/engines/authority/fake.ts'
import { makeFakeHosts } from '../src/engines/hosts/fake.ts'
import { makeFakeDnsWorld } from '../src/engines/dns/fake.ts'
import { makeFakeFirewallWorld } from '../src/engines/firewall/fake.ts'
import { makeFakeObjects } from '../src/engines/objects/fake.ts'
import { systemClock as clock } from '../src/kernel/clock.ts'
import { silentLog as log } from '../src/kernel/log.ts'
import { systemRandom as random } from '../src/kernel/random.ts'
import { makeCatalogue } from '../src/platforms/catalogue.ts'
import type { AsyncOperation, Operation } from '../src/services/context.ts'
import { systemContext } from '../src/services/service.ts'
import { openMetricFile } from '../src/services/cloudwatch/points/file.ts'
import { logEventsMigrations } from '../src/services/logs/events/file.ts'
import { openStore } from '../src/store/store.ts'
import type { Figure } from './measure.ts'

const ENVIRONMENTS = 200
const SECONDS = 30
const READY_MS_MAX = 300_000
const SETTLED_MS_MAX = 300_000
const QUIET_MS = 10_000
const REGION = 'us-west-2'
const ACCOUNT = '000000000000'
const BUCKET = `elasticbeanstalk-${REGION}-${ACCOUNT}`
const STACK = '64bit Amazon Linux 2023 v4.6.0 running Python 3.11'

export async function idle(): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'pbe-idle-'))
  const life = new AbortController()
  const store = openStore(join(dir, 'idle.db'), migrations)
  try {
    const plane = makePlane(store, life.signal)
    const { operations } = plane.services.elasticbeanstalk!
    const call = (name: string, input: object) =>
      store.transaction(() =>
        (operations[name] as Operation<object, object>)(systemContext(ACCOUNT, REGION, name), input),
      )
    const driver = plane.start()
    await clock.sleep(1_000)
    await plane.putBundle()
    call('createApplication', { ApplicationName: 'idle' })
    const SourceBundle = { S3Bucket: BUCKET, S3Key: 'idle.zip' }
    const version = { ApplicationName: 'idle', VersionLabel: 'v1' }
    call('createApplicationVersion', { ...version, SourceBundle, Process: true })
    await sleep(1_000)
    for (let index = 0; index < ENVIRONMENTS; index++)
      call('createEnvironment', {
        ...version,
        EnvironmentName: `idle-${index}`,
        SolutionStackName: STACK,
      })
    const ready = `select 1 from environment where status = 'Ready' and health = 'Green'`
    for (const until = clock.monotonic() + READY_MS_MAX; store.all(ready).length < ENVIRONMENTS;) {
      if (clock.monotonic() > until) throw new Error(`${store.all(ready).length} environments became ready`)
      await sleep(500)
    }
    await settled(store)
    const [cpu, at] = [process.cpuUsage(), performance.now()]
    await sleep(SECONDS * 1_000)
    const { user, system } = process.cpuUsage(cpu)
    const percent = (user + system) / 10 / (performance.now() - at)
    life.abort(new Error('measured'))
    await driver.ended
    return [
      {
        what: `control plane idle, ${ENVIRONMENTS} environments on fake engines`,
        value: `${percent.toFixed(1)} % of a core`,
        against: '',
        ratio: '',
        budget: '< 5 %',
        met: percent < 5 ? 'yes' : 'no',
      },
    ]
  } finally {
    life.abort(new Error('measured'))
    store.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** New environments have news for a while: until none was written for some seconds. */
async function settled(store: ReturnType<typeof openStore>): Promise<void> {
  let newsAt = clock.monotonic()
  store.onCommit((tables) => {
    if (!tables.has('heartbeat')) newsAt = clock.monotonic()
  })
  for (const until = newsAt + SETTLED_MS_MAX; clock.monotonic() < until; await sleep(500))
    if (clock.monotonic() - newsAt > QUIET_MS) return
  throw new Error('there is no end of news')
}

function makePlane(store: ReturnType<typeof openStore>, signal: AbortSignal) {
  const world = makeFakeWorld()
  const probe = (address: string) =>
    [...world.instances.values()].some((one) => one.spec.requestedAddress === address) ? 200 : null
  const plane = makeControlPlane({
    ...{ store, clock, random, log, signal, metricFile: openMetricFile(':memory:') },
    logEvents: openStore(':memory:', logEventsMigrations),
    engines: {
      compute: makeFakeCompute({ world, clock, zones: [`${REGION}a`, `${REGION}b`] }),
      balancer: makeFakeBalancerWorld({ clock, probe }).engine(),
      firewall: makeFakeFirewallWorld(clock).engine(),
      dns: makeFakeDnsWorld(clock).engine(),
      privateDns: makeFakeDnsWorld(clock).engine(),
      acme: makeFakeAcmeWorld(clock).engine(),
      authority: makeFakeAuthority(clock),
      hosts: makeFakeHosts(),
      probes: makeFakeProbes(),
      objects: makeFakeObjects(),
      room: makeFakeRoom(),
    },
    settings: {
      region: REGION,
      account: ACCOUNT,
      domain: 'elasticbeanstalk.localhost',
      ports: { http: 80, environments: 18_000 },
    },
    catalogue: makeCatalogue([
      { family: 'python', language: '3.11', program: '/usr/bin/python3.11', build: '3.11 bench' },
    ]),
    buildConfiguration: () => ({ files: [], inputs: [], env: {} }),
    inspect: async () => ({
      kind: 'bundle',
      entries: 1,
      unpackedBytes: 100,
      topLevel: ['application.py'],
      texts: {},
      unsupported: [],
    }),
    presign: (_context, bucket, key) => `http://bench/${bucket}/${key}`,
  })
  const { createBucket, putObject } = plane.services.s3!.operations as Record<
    string,
    AsyncOperation<object, object>
  >
  const context = systemContext(ACCOUNT, REGION, 'bench')
  return {
    ...plane,
    async putBundle() {
      const CreateBucketConfiguration = { LocationConstraint: REGION }
      await createBucket!(context, { Bucket: BUCKET, CreateBucketConfiguration })
      await putObject!(context, {
        Bucket: BUCKET,
        Key: 'idle.zip',
        Body: Readable.from([Buffer.from('bundle')]),
      })
    },
  }
}
