// The samples on the real compute engine: built in its sandbox, started in an instance, asked through nginx.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { makeTestHome, traces, type TestHome } from '../engines/compute/test-home.ts'
import type { RuncCompute } from '../engines/compute/runc.ts'
import { systemClock } from '../kernel/clock.ts'
import { inspectBundle } from './bundle.ts'
import { makeCatalogue, type Catalogue } from './catalogue.ts'
import { readBuildConfiguration } from './configuration.ts'
import type { PlatformOptions } from './options.ts'
import { buildRequest, softwareOf, type Digests } from './plan.ts'
import { explainBuild, explainStart, planVersion } from './platform.ts'
import { probeRuntimes } from './probe.ts'
import { zipOf, type FixtureEntry } from './zip-fixture.ts'

const MEBIBYTES = 1 << 20
const START_SECONDS = 30

type Init = { method?: string; body?: string }
type Answer = { status: number; text: string }
type Started = {
  exit: number
  output: string
  ask: (path: string, init?: Init) => Promise<Answer>
}

const reasonToSkip = process.getuid?.() === 0 ? false : 'needs root: namespaces, mounts and cgroups'

describe('an application on the real compute engine', { skip: reasonToSkip }, () => {
  let test: TestHome
  let compute: RuncCompute
  let resolver: ChildProcess
  let catalogue: Catalogue
  let count = 0

  before(async () => {
    test = await makeTestHome()
    compute = test.open()
    await compute.ensure()
    resolver = startResolver(test)
    catalogue = makeCatalogue(await probeRuntimes(process.execPath))
  })
  after(async () => {
    resolver.kill('SIGTERM')
    await test.destroy(compute)
    assert.deepEqual(await traces(test), [])
  })

  /** Builds, launches, runs the start check; answers how to ask the instance. */
  const deploy = async (
    family: 'python' | 'nodejs',
    entries: FixtureEntry[],
    more: Partial<PlatformOptions> = {},
  ): Promise<Started> => {
    const number = ++count
    const bytes = zipOf(entries)
    const path = join(test.home.dir, `${number}.zip`)
    writeFileSync(path, bytes)
    const listing = await inspectBundle(path)
    assert.ok(listing.kind === 'bundle', JSON.stringify(listing))
    const stack = catalogue.stacks.find((each) => each.runtime.family === family)
    assert.ok(stack)
    const bundle = { path, sha256Hex: createHash('sha256').update(bytes).digest('hex') }
    const plan = planVersion({
      stack,
      listing,
      bundle,
      options: { ...OPTIONS, ...more },
      configuration: readBuildConfiguration(process.env),
    })
    assert.ok(plan.kind === 'plan', JSON.stringify(plan))
    const digests: Digests = {}
    for (const build of plan.builds) {
      const { exit, output, digest } = await compute.build(buildRequest(build, digests))
      if (exit !== 0)
        return {
          exit,
          output: explainBuild(build.key, output).sentence,
          ask: () => Promise.reject(new Error('not built')),
        }
      digests[build.name] = digest
    }
    const id = `i-${String(number).padStart(17, '0')}`
    const { platform, startCheck, ...software } = softwareOf(plan, digests)
    const requestedAddress = test.home.cidr.replace(/0\.0\/16$/, `1.${number}`)
    await compute.launch({
      id,
      platform,
      requestedAddress,
      zone: 'a',
      tags: {},
      cpu: 1,
      pids: 256,
      software: { revision: 1, ...software },
      diskBytes: 512 * MEBIBYTES,
      memoryBytes: 512 * MEBIBYTES,
    })
    const check = await compute.exec(id, startCheck.argv, {
      timeoutMs: startCheck.timeoutMs,
      outputBytesMax: 64 << 10,
    })
    return { ...check, ask: (url, init = {}) => ask(compute, id, url, init) }
  }

  it('serves the Flask guestbook with gunicorn, nginx, its static files and its property', async () => {
    const {
      exit,
      output,
      ask: get,
    } = await deploy('python', sample('flask-guestbook'), { env: { GREETING: `it's "me"  ` } })
    assert.equal(exit, 0, output)
    const who = await get('/whoami')
    assert.deepEqual(JSON.parse(who.text), {
      greeting: `it's "me"  `,
      instance: `ip-${test.home.cidr.replace(/0\.0\/16$/, '1.1').replaceAll('.', '-')}`,
    })
    assert.match((await get('/')).text, /Nobody has signed yet/)
    const css = await get('/static/style.css')
    assert.equal(css.status, 200)
    assert.match(css.text, /color-scheme/)
    assert.equal((await get('/', { method: 'POST', body: 'name=Ada&text=first+line' })).status, 302)
    assert.match((await get('/')).text, /first line/)
    const log = await compute.read(`i-${'1'.padStart(17, '0')}`, '/var/log/web.stdout.log', {
      tailBytes: 4096,
    })
    assert.match(log.toString(), /Booting worker/)
  })

  it('serves the Node.js sample', async () => {
    const {
      exit,
      output,
      ask: get,
    } = await deploy('nodejs', sample('node-hello'), { env: { GREETING: 'moin' } })
    assert.equal(exit, 0, output)
    assert.equal(JSON.parse((await get('/')).text).greeting, 'moin')
  })

  it('says which module is missing', async () => {
    const { exit, output } = await deploy('python', [{ name: 'application.py', content: 'import flask\n' }])
    assert.equal(exit, 1)
    assert.match(explainStart(output).sentence, /The module 'flask' is not installed \(application\.py:1\)/)
  })

  it('says which port the application listens on instead', async () => {
    const { exit, output } = await deploy('python', [
      {
        name: 'serve.py',
        content:
          'import http.server as h\nh.HTTPServer(("", 5000), h.SimpleHTTPRequestHandler).serve_forever()\n',
      },
      { name: 'Procfile', content: 'web: python serve.py\n' },
    ])
    assert.equal(exit, 1)
    assert.match(explainStart(output).sentence, /^The application listens on port 5000, not on port 8000\./)
  })

  it('says which package does not exist', async () => {
    const { output } = await deploy('python', [
      { name: 'application.py', content: '' },
      { name: 'requirements.txt', content: 'Flask\nno-such-package-zzz==1.0\n' },
    ])
    assert.match(output, /the package index has no 'no-such-package-zzz==1\.0'/)
  })

  it('installs what the bundle itself holds, and restarts a process that dies', async () => {
    const {
      exit,
      output,
      ask: get,
    } = await deploy(
      'python',
      [
        { name: 'lib/pyproject.toml', content: '[project]\nname = "shop"\nversion = "1"\n' },
        { name: 'lib/shop.py', content: SHOP },
        { name: 'requirements.txt', content: '-e ./lib\n' },
      ],
      { python: { wsgiPath: 'shop:app', numProcesses: 1, numThreads: 4 } },
    )
    assert.equal(exit, 0, output)
    const first = await get('/')
    assert.match(first.text, /^shop from \/var\/app\/current\/lib\/shop\.py by \d+$/)
    await get('/die')
    const isAnother = ({ status, text }: Answer) => status === 200 && text !== first.text
    for (let tries = 0; tries < 50 && !isAnother(await get('/')); tries++) await systemClock.sleep(100)
    assert.ok(isAnother(await get('/')))
  })
})

const SHOP = `import os, signal
def app(environ, start_response):
    if environ["PATH_INFO"] == "/die":
        os.kill(os.getppid(), signal.SIGKILL)
    start_response("200 OK", [("content-type", "text/plain")])
    return [f"shop from {__file__} by {os.getppid()}".encode()]
`

const OPTIONS: PlatformOptions = {
  env: {},
  proxyServer: 'nginx',
  staticFiles: { '/static': 'static' },
  commandTimeoutSeconds: START_SECONDS,
  python: { wsgiPath: 'application', numProcesses: 1, numThreads: 15 },
}

const SAMPLES = fileURLToPath(new URL('../../samples', import.meta.url))

function sample(name: string): FixtureEntry[] {
  const dir = join(SAMPLES, name)
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(dir, path)).isFile() && !path.startsWith('node_modules'))
    .map((path) => ({ name: path, content: readFileSync(join(dir, path)) }))
}

// From inside, because only balancers may come from outside. Asks nginx on port 80.
async function ask(compute: RuncCompute, id: string, path: string, { method = 'GET', body = '' }: Init) {
  const script = `import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=10)
connection.request(sys.argv[1], sys.argv[2], body=sys.argv[3] or None, headers={"Content-Type": "application/x-www-form-urlencoded"})
response = connection.getresponse()
print(response.status)
print(response.read().decode(), end="")`
  const argv = ['/usr/bin/python3', '-I', '-c', script, method, path, body]
  const { exit, output } = await compute.exec(id, argv, { timeoutMs: 20_000, outputBytesMax: 1 << 20 })
  assert.equal(exit, 0, output)
  const end = output.indexOf('\n')
  return { status: Number(output.slice(0, end)), text: output.slice(end + 1) }
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
