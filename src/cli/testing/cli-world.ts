// What the command line talks to in its own tests: the real gateway and control plane on fake engines, listening on
// loopback, with a home folder that the command line finds it by. Needs no root; environments are ready in a second.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeControlPlane, migrations } from '../../control-plane.ts'
import { makeFakeBalancerWorld } from '../../engines/balancer/fake.ts'
import { makeFakeCompute } from '../../engines/compute/fake.ts'
import { makeFakeWorld } from '../../engines/compute/fake-world.ts'
import { makeFakeDisk, makeFakeRoom } from '../../engines/room/fake.ts'
import { makeFakeProbes } from '../../engines/probe/fake.ts'
import { makeFakeAcmeWorld } from '../../engines/acme/fake.ts'
import { makeFakeAuthority } from '../../engines/authority/fake.ts'
import { makeFakeHosts } from '../../engines/hosts/fake.ts'
import { makeFakeDnsWorld } from '../../engines/dns/fake.ts'
import { makeFakeFirewallWorld } from '../../engines/firewall/fake.ts'
import { makeFilesystemObjects } from '../../engines/objects/filesystem.ts'
import { createGateway } from '../../gateway/server.ts'
import { pathOfObject, presign } from '../../gateway/sigv4/presign.ts'
import { systemClock } from '../../kernel/clock.ts'
import { makeIds } from '../../kernel/ids.ts'
import { makeLog } from '../../kernel/log.ts'
import { systemRandom } from '../../kernel/random.ts'
import { makeCatalogue } from '../../platforms/catalogue.ts'
import { probeRuntimes } from '../../platforms/probe.ts'
import { openMetricFile } from '../../services/cloudwatch/points/file.ts'
import { logEventsMigrations } from '../../services/logs/events/file.ts'
import { openStore } from '../../store/store.ts'

const ENTRY = fileURLToPath(new URL('../main.ts', import.meta.url))
export const BIN = fileURLToPath(new URL('../../../bin/polebean', import.meta.url))
const REGION = 'us-west-2'
const ACCOUNT = '000000000000'
export const CREDENTIALS = { accessKeyId: 'PBLNTESTTESTTESTTEST', secretAccessKey: 'not-a-secret-in-a-test' }

export type Ran = { status: number; stdout: string; stderr: string }
type Options = { cwd?: string; env?: Record<string, string>; stdin?: string }

/** Runs a program to its end; what it was told to read is all it gets. */
export function runProgram(argv: string[], { cwd, env = {}, stdin = '' }: Options = {}): Promise<Ran> {
  const child = startProgram(argv, { ...(cwd ? { cwd } : {}), env })
  child.stdin!.on('error', () => undefined)
  child.stdin!.end(stdin)
  return endOf(child)
}

export function startProgram([file = '', ...args]: string[], { cwd, env = {} }: Options = {}): ChildProcess {
  return spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: 'pipe', timeout: 60_000 })
}

export function endOf(child: ChildProcess): Promise<Ran> {
  return new Promise((resolve, reject) => {
    let [stdout, stderr] = ['', '']
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status: status ?? 128, stdout, stderr }))
  })
}

/** The command line as a program, with a HOME of its own and none of the AWS variables of whoever runs the tests. */
export const cli = (args: string[]): string[] => [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  ENTRY,
  ...args,
]

export type CliWorld = Awaited<ReturnType<typeof makeCliWorld>>

export async function makeCliWorld() {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'polebean-cli-')))
  const dir = join(base, 'home')
  mkdirSync(dir)
  const compute = makeFakeWorld()
  /** What instances answer by HTTP (and were asked for), what their start checks say, and their logs. */
  const app = { status: 200, startCheck: '', seen: [] as string[], logs: {} as Record<string, string> }
  const clock = systemClock
  const disk = makeFakeDisk()
  const balancer = makeFakeBalancerWorld({
    clock,
    probe: (address) =>
      [...compute.instances.values()].some(
        (one) => one.spec.requestedAddress === address && one.state === 'running',
      )
        ? app.status
        : null,
  })
  const publicPort = createServer((request, response) => {
    app.seen.push(request.url ?? '')
    const { status } = balancer.request({ host: request.headers.host?.split(':')[0] ?? '' })
    // As HAProxy, which has a page of its own for what it answers itself.
    if (status === 503 && app.status !== 503) response.setHeader('server', 'awselb/2.0')
    response.statusCode = status
    response.end()
  })
  await new Promise<void>((done) => publicPort.listen(0, '127.0.0.1', done))
  const ports = { api: 0, http: (publicPort.address() as AddressInfo).port, environments: 18_000, dns: 5380 }
  const store = openStore(':memory:', migrations)
  const metricFile = openMetricFile(':memory:')
  const logEvents = openStore(':memory:', logEventsMigrations)
  const objects = makeFilesystemObjects(join(dir, 'objects'))
  const catalogue = makeCatalogue(await probeRuntimes(process.execPath))

  const start = async (port: number) => {
    const over = new AbortController()
    const bugs: string[] = []
    const log = makeLog(clock, (line) => void (/"level":"error"/.test(line) && bugs.push(line)))
    const fake = makeFakeCompute({
      world: compute,
      clock,
      zones: [`${REGION}a`, `${REGION}b`],
      program: () =>
        app.startCheck === '' ? undefined : { exit: 1, output: app.startCheck, truncated: false },
    })
    const plane = makeControlPlane({
      ...{ store, metricFile, logEvents, clock, random: systemRandom, log, signal: over.signal, catalogue },
      engines: {
        compute: {
          ...fake,
          read: async (id, path, limits) =>
            path in app.logs ? Buffer.from(app.logs[path]!) : fake.read(id, path, limits),
        },
        balancer: balancer.engine(),
        firewall: makeFakeFirewallWorld(clock).engine(),
        dns: makeFakeDnsWorld(clock).engine(),
        privateDns: makeFakeDnsWorld(clock).engine(),
        acme: makeFakeAcmeWorld(clock).engine(),
        authority: makeFakeAuthority(clock),
        hosts: makeFakeHosts(),
        probes: makeFakeProbes(),
        objects,
        room: makeFakeRoom(disk),
      },
      settings: { region: REGION, account: ACCOUNT, domain: 'elasticbeanstalk.localhost', ports },
      buildConfiguration: () => ({ files: [], inputs: [], env: {} }),
      presign: (context, bucket, key, expiresSeconds): string =>
        presign({
          ...{ endpoint: context.endpoint, path: pathOfObject(bucket, key), service: 's3', region: REGION },
          credentials: plane.accessKeys.signingFor(context.caller.accessKeyId),
          ...{ at: clock.now(), expiresSeconds },
        }),
    })
    plane.accessKeys.adopt(CREDENTIALS)
    const gateway = createGateway({
      ...{ services: plane.services, account: ACCOUNT, region: REGION },
      credentials: () => plane.accessKeys.valid(),
      used: (use) => plane.accessKeys.used(use),
      ...{ store, clock, ids: makeIds(systemRandom), log },
      signed: plane.signedRoutes,
      extra: [
        {
          path: '/healthz',
          answer: () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: 'testhm\n' }),
        },
      ],
    })
    const listening = await gateway.listen({ host: '127.0.0.1', port })
    const driver = plane.start()
    return {
      port: listening.port,
      bugs,
      async stop() {
        over.abort(new Error('stopped'))
        await listening.close()
        await driver.ended
      },
    }
  }
  let server = await start(0)
  ports.api = server.port
  const settings = {
    ...{ format: 1, id: 'testhm', dir, runDir: join(base, 'run'), idBase: 1, cidr: '10.99.0.0/16', ports },
    ...{ region: REGION, account: ACCOUNT, domain: 'elasticbeanstalk.localhost' },
  }
  writeFileSync(join(dir, 'home.json'), JSON.stringify(settings))
  writeFileSync(join(dir, 'credentials.json'), JSON.stringify(CREDENTIALS))

  const env = cleanEnvironment(base, dir)
  return {
    base,
    dir,
    env,
    app,
    ports,
    compute,
    disk,
    settings,
    /** Runs the command line; its status must be the one given (0 unless said). */
    async polebean(args: string[], { status = 0, ...options }: Options & { status?: number } = {}) {
      const ran = await runProgram(cli(args), { cwd: base, ...options, env: { ...env, ...options.env } })
      if (ran.status !== status)
        throw new Error(`polebean ${args.join(' ')}: exit ${ran.status}\n${ran.stderr}\n${ran.stdout}`)
      return ran
    },
    /** Starts it and lets it run. */
    begin: (args: string[], options: Options = {}) =>
      startProgram(cli(args), { cwd: base, ...options, env: { ...env, ...options.env } }),
    /** A folder with files in it, deployable unless said. */
    folder(name: string, files: Record<string, string> = APP) {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(base, name, path)), { recursive: true })
        writeFileSync(join(base, name, path), content)
      }
      return join(base, name)
    },
    /** The control plane goes away, and comes back on the same port with the same rows. */
    stop: () => server.stop(),
    async restart() {
      server = await start(ports.api)
    },
    async end() {
      await server.stop()
      await new Promise((done) => publicPort.close(done))
      store.close()
      metricFile.close()
      rmSync(base, { recursive: true, force: true })
      return server.bugs
    },
  }
}

export const APP = {
  'application.py': 'from flask import Flask\napplication = Flask(__name__)\n',
  'requirements.txt': 'flask\n',
}

function cleanEnvironment(base: string, dir: string): Record<string, string> {
  const foreign = Object.keys(process.env).filter((name) => /^AWS_|^XDG_|^(no_proxy|NO_PROXY)$/.test(name))
  for (const name of foreign) delete process.env[name]
  return { POLEBEAN_HOME: dir, HOME: base, NO_COLOR: '1' }
}
