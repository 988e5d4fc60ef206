// Bundles on the real compute engine, for tests: built in its sandbox, started in an instance, asked from inside.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../kernel/clock.ts'
import type { RuncCompute } from '../engines/compute/runc.ts'
import { makeTestHome, traces, type TestHome } from '../engines/compute/test-home.ts'
import { inspectBundle } from './bundle.ts'
import { makeCatalogue } from './catalogue.ts'
import { readBuildConfiguration } from './configuration.ts'
import type { PlatformOptions } from './options.ts'
import { buildRequest, softwareOf, type Digests, type Plan } from './plan.ts'
import { eventText, explainBuild, explainStart, planVersion } from './platform.ts'
import { probeRuntimes } from './probe.ts'
import { zipOf, type FixtureEntry } from './zip-fixture.ts'

const MEBIBYTES = 1 << 20
const START_SECONDS = 30

export type Init = { method?: string; body?: string }
export type Answer = { status: number; server: string; text: string }
export type Deployed = {
  id: string
  /** Of the build that failed, or of the start check. */
  exit: number
  /** Text of the event that tells the failure; '' when it started. */
  failure: string
  plan: Plan
  /** Asks port 80 from inside, because only balancers may come from outside. */
  ask(path: string, init?: Init): Promise<Answer>
  /** Runs a program inside as root, or as webapp; answers what it printed. */
  inside(argv: string[], user?: 'root' | 'webapp'): Promise<string>
  log(name: string): Promise<string>
}
export type Given = Partial<PlatformOptions> & { environment?: Record<string, string> }

export type Deployer = {
  test: TestHome
  compute: RuncCompute
  deploy(family: 'python' | 'nodejs', entries: FixtureEntry[], given?: Given): Promise<Deployed>
  end(): Promise<void>
}

export const OPTIONS: PlatformOptions = {
  env: {},
  proxyServer: 'nginx',
  staticFiles: { '/static': 'static' },
  commandTimeoutSeconds: START_SECONDS,
  python: { wsgiPath: 'application', numProcesses: 1, numThreads: 15 },
}

export const reasonToSkip = process.getuid?.() === 0 ? false : 'needs root: namespaces, mounts and cgroups'

export async function makeDeployer(): Promise<Deployer> {
  const test = await makeTestHome()
  const compute = test.open()
  await compute.ensure()
  // Builds reach out once there are groups, whichever.
  await test.letIn([], [], [])
  const resolver = startResolver(test)
  const catalogue = makeCatalogue(await probeRuntimes(process.execPath))
  let count = 0

  const deploy: Deployer['deploy'] = async (family, entries, { environment = {}, ...more } = {}) => {
    const number = ++count
    const bytes = zipOf(entries)
    const path = join(test.home.dir, `${number}.zip`)
    writeFileSync(path, bytes)
    const listing = await inspectBundle(path)
    assert.ok(listing.kind === 'bundle', JSON.stringify(listing))
    const stack = catalogue.stacks.find((each) => each.runtime.family === family)
    assert.ok(stack)
    const plan = planVersion({
      stack,
      listing,
      bundle: { path, sha256Hex: createHash('sha256').update(bytes).digest('hex') },
      options: { ...OPTIONS, ...more },
      configuration: readBuildConfiguration({ ...process.env, ...environment }),
    })
    assert.ok(plan.kind === 'plan', JSON.stringify(plan))
    const id = `i-${String(number).padStart(17, '0')}`
    const inside = async (argv: string[], user: 'root' | 'webapp' = 'root') => {
      const limits = { user, timeoutMs: 60_000, outputBytesMax: MEBIBYTES }
      const { exit, output } = await compute.exec(id, argv, limits)
      assert.equal(exit, 0, `${argv.join(' ')}: ${output}`)
      return output
    }
    const deployed = {
      id,
      plan,
      inside,
      ask: (url: string, init: Init = {}) => ask(inside, url, init),
      log: async (name: string) =>
        (await compute.read(id, `/var/log/${name}`, { tailBytes: 64 << 10 })).toString(),
    }
    const digests: Digests = {}
    for (const build of plan.builds) {
      const { exit, output, digest } = await compute.build(buildRequest(build, digests))
      if (exit !== 0) return { ...deployed, exit, failure: eventText(explainBuild(build.key, output)) }
      digests[build.name] = digest
    }
    const { platform, startCheck, ...software } = softwareOf(plan, digests)
    await compute.launch({
      id,
      platform,
      requestedAddress: test.home.cidr.replace(/0\.0\/16$/, `1.${number}`),
      zone: 'a',
      tags: {},
      cpu: 1,
      pids: 256,
      software: { revision: 1, ...software },
      diskBytes: 512 * MEBIBYTES,
      memoryBytes: 512 * MEBIBYTES,
    })
    const { exit, output } = await compute.exec(id, startCheck.argv, {
      timeoutMs: startCheck.timeoutMs,
      outputBytesMax: 64 << 10,
    })
    return { ...deployed, exit, failure: exit === 0 ? '' : eventText(explainStart(output)) }
  }

  return {
    test,
    compute,
    deploy,
    async end() {
      resolver.kill('SIGTERM')
      await test.destroy(compute)
      assert.deepEqual(await traces(test), [])
    },
  }
}

/** Looks until it is so, for as long as that may reasonably take. */
export async function until(what: string, isSo: () => Promise<boolean>, secondsMax = 10): Promise<void> {
  for (const startedAt = systemClock.monotonic(); !(await isSo()); await systemClock.sleep(50))
    assert.ok(systemClock.monotonic() - startedAt < secondsMax * 1000, `not within ${secondsMax} s: ${what}`)
}

/** The files of a folder, as entries of a bundle. */
export function entriesOf(dir: string): FixtureEntry[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(dir, path)).isFile() && !path.startsWith('node_modules'))
    .map((path) => ({ name: path, content: readFileSync(join(dir, path)) }))
}

export const sample = (name: string) =>
  entriesOf(fileURLToPath(new URL(`../../samples/${name}`, import.meta.url)))

const ASK = `import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=10)
headers = {"Content-Type": "application/x-www-form-urlencoded"}
connection.request(sys.argv[1], sys.argv[2], body=sys.argv[3] or None, headers=headers)
response = connection.getresponse()
print(response.status)
print(response.headers.get("Server", ""))
print(response.read().decode(), end="")`

async function ask(inside: Deployed['inside'], path: string, { method = 'GET', body = '' }: Init) {
  const output = await inside(['/usr/bin/python3', '-I', '-c', ASK, method, path, body])
  const [status, server = '', ...text] = output.split('\n')
  return { status: Number(status), server, text: text.join('\n') }
}

// The resolver of a home is another engine's; here the least that lets pip find its index.
function startResolver({ router }: TestHome): ChildProcess {
  assert.ok(existsSync('/usr/sbin/dnsmasq'), 'dnsmasq is needed')
  const options = [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--bind-interfaces',
    '--listen-address=169.254.169.253',
    '--pid-file=',
  ]
  return spawn('ip', ['netns', 'exec', router.names.router, '/usr/sbin/dnsmasq', ...options], {
    stdio: 'inherit',
  })
}
