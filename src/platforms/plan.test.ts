import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { BundleListing } from './bundle.ts'
import { makeCatalogue } from './catalogue.ts'
import { buildRequest, softwareOf, type Plan } from './plan.ts'
import { planVersion, type PlanInput } from './platform.ts'

const [python, nodejs] = makeCatalogue([
  { family: 'python', language: '3.11', program: '/usr/bin/python3.11', build: '3.11.2' },
  { family: 'nodejs', language: '26', program: '/home/node', build: 'v26.10.0' },
]).stacks
assert.ok(python && nodejs)

const listing = (texts: Record<string, string>, topLevel: string[] = []): BundleListing => ({
  kind: 'bundle',
  entries: 1,
  unpackedBytes: 1,
  topLevel: [...Object.keys(texts), ...topLevel],
  texts,
  unsupported: [],
})
const OPTIONS: PlanInput['options'] = {
  env: {},
  proxyServer: 'nginx',
  staticFiles: { '/static': 'static' },
  commandTimeoutSeconds: 600,
  python: { wsgiPath: 'application', numProcesses: 2, numThreads: 3 },
}
const input = (more: Partial<PlanInput> = {}): PlanInput => ({
  stack: python,
  listing: listing({ 'requirements.txt': 'Flask\n' }),
  bundle: { path: '/objects/1', sha256Hex: 'aa' },
  options: OPTIONS,
  configuration: {
    files: [],
    inputs: [],
    env: {},
    npm: { dir: '/usr/lib/node_modules/npm', version: '10.8.2' },
  },
  ...more,
})
const plan = (more: Partial<PlanInput> = {}): Plan => {
  const made = planVersion(input(more))
  assert.ok(made.kind === 'plan', JSON.stringify(made))
  return made
}
const problem = (more: Partial<PlanInput>) => {
  const made = planVersion(input(more))
  assert.ok(made.kind === 'problem')
  return made.problem
}
const keyOf = (made: Plan, name: string) => made.builds.find((build) => build.name === name)?.key
const webRun = (made: Plan) => made.files.find((file) => file.path === '/etc/service/web/run')?.content ?? ''

describe('the plan of a Python bundle', () => {
  it('builds bundle and dependencies, and starts gunicorn as AWS does', () => {
    const made = plan()
    assert.deepEqual(
      made.builds.map(({ name, target }) => [name, target]),
      [
        ['bundle', '/var/app/current'],
        ['dependencies', '/var/app/venv/staging-LQM1lest'],
      ],
    )
    assert.match(
      webRun(made),
      /exec gunicorn --bind 127\.0\.0\.1:8000 --workers=2 --threads=3 application:application'/,
    )
    assert.equal(made.env['PORT'], '8000')
    for (const build of made.builds) assert.match(build.key, /^[a-z0-9-]{1,80}$/)
  })

  it('keys the dependencies by interpreter, requirements and pip configuration, not by the bundle', () => {
    const ordinary = keyOf(plan(), 'dependencies')
    const other = (more: Partial<PlanInput>) => keyOf(plan(more), 'dependencies')
    assert.equal(other({ bundle: { path: '/objects/2', sha256Hex: 'bb' } }), ordinary)
    assert.notEqual(other({ listing: listing({ 'requirements.txt': 'Flask==3\n' }) }), ordinary)
    assert.notEqual(
      other({ stack: { ...python, runtime: { ...python.runtime, build: '3.11.3' } } }),
      ordinary,
    )
    const files = [{ name: 'pip.conf', content: '[global]', mode: 0o644 }]
    assert.notEqual(other({ configuration: { files, inputs: [], env: {} } }), ordinary)
  })

  it('keys them by the bundle too where requirements read it, and shows it to the build', () => {
    const reading = { listing: listing({ 'requirements.txt': '-r more.txt\n' }) }
    const made = plan(reading)
    assert.notEqual(
      keyOf(plan({ ...reading, bundle: { path: '/objects/2', sha256Hex: 'bb' } }), 'dependencies'),
      keyOf(made, 'dependencies'),
    )
    const build = made.builds.find(({ name }) => name === 'dependencies')
    assert.ok(build)
    assert.deepEqual(buildRequest(build, { bundle: 'sha256-1' }).layers, [
      { digest: 'sha256-1', target: '/var/app/current' },
    ])
    assert.throws(() => buildRequest(build, {}), /the layer 'bundle' is not built yet/)
  })

  it('prefers requirements.txt to Pipfile.lock to Pipfile, and warns when there is none', () => {
    const [requirements, lock] = [
      { 'requirements.txt': 'a\n' },
      { 'Pipfile.lock': '{"default":{"b":{"version":"==1"}}}' },
    ]
    const installed = (texts: Record<string, string>) => {
      const { files = [], argv = [] } = plan({ listing: listing(texts) }).builds[1] ?? {}
      const file = files.find(({ name }) => argv.includes(`/build/in/${name}`) && !name.endsWith('.py'))
      return [file?.name, file?.content]
    }
    assert.deepEqual(installed({ ...requirements, ...lock }), ['requirements.txt', 'a\n'])
    assert.deepEqual(installed({ ...lock, Pipfile: '[packages]\nc = "*"\n' }), ['Pipfile.lock', 'b==1\n'])
    assert.deepEqual(installed({ Pipfile: '[packages]\nc = "*"\n' }), ['Pipfile', 'c\n'])
    assert.match(plan({ listing: listing({}) }).warnings[0] ?? '', /no requirements\.txt/)
    assert.match(problem({ listing: listing({ 'Pipfile.lock': '{' }) }), /Pipfile\.lock is not valid JSON/)
  })

  it('follows a Procfile, PORT and ProxyServer', () => {
    const made = plan({
      listing: listing({ Procfile: 'worker: python w.py\nweb: python app.py\n' }),
      options: { ...OPTIONS, proxyServer: 'none' },
    })
    assert.equal(made.env['PORT'], '80')
    assert.deepEqual(made.notes, [
      "Instance deployment used the commands in your 'Procfile' to initiate startup of your application.",
    ])
    assert.ok(made.files.some((file) => file.path === '/etc/service/worker/run'))
    assert.match(webRun(plan({ options: { ...OPTIONS, proxyServer: 'none' } })), /--bind 0\.0\.0\.0:80 /)
    assert.match(
      webRun(plan({ options: { ...OPTIONS, env: { PORT: '5000' } } })),
      /--bind 127\.0\.0\.1:5000 /,
    )
  })

  it('refuses what cannot run by a sentence', () => {
    assert.match(problem({ options: { ...OPTIONS, env: { PORT: 'x' } } }), /PORT is 'x', which is no port/)
    assert.match(problem({ options: { ...OPTIONS, env: { PORT: '80' } } }), /PORT is 80, where nginx listens/)
    assert.match(
      problem({ options: { ...OPTIONS, python: { ...OPTIONS.python, wsgiPath: 'a b' } } }),
      /WSGIPath is 'a b'/,
    )
    assert.match(problem({ listing: listing({ Procfile: 'x' }) }), /Procfile line 1/)
  })

  it('has a static location only for a folder that the bundle has', () => {
    const conf = (made: Plan) =>
      made.files.find((file) => file.path === '/etc/nginx/nginx.conf')?.content ?? ''
    assert.doesNotMatch(conf(plan()), /location \/static/)
    assert.match(conf(plan({ listing: listing({}, ['static/']) })), /location \/static\//)
  })
})

describe('the plan of a Node.js bundle', () => {
  const PACKAGE = {
    name: 'shop',
    version: '1.0.0',
    scripts: { start: 'node server.js' },
    dependencies: { a: '1' },
  }
  const node = (value: object, texts: Record<string, string> = {}, topLevel: string[] = []) =>
    plan({ stack: nodejs, listing: listing({ 'package.json': JSON.stringify(value), ...texts }, topLevel) })

  it('installs the packages beside the bundle and runs the start script', () => {
    const made = node(PACKAGE, { 'package-lock.json': '{}' })
    assert.deepEqual(made.mounts, [
      { name: 'runtime', target: '/opt/nodejs' },
      { name: 'bundle', target: '/var/app/current' },
      { name: 'dependencies', target: '/var/app/node_modules' },
    ])
    assert.equal(made.env['PORT'], '8080')
    assert.match(webRun(made), /npm_package_name=shop/)
    assert.deepEqual(made.warnings, [])
  })

  it('makes one layer of bundle and packages where installing needs the source', () => {
    const made = node({ ...PACKAGE, scripts: { ...PACKAGE.scripts, postinstall: 'tsc' } })
    assert.deepEqual(made.mounts, [
      { name: 'runtime', target: '/opt/nodejs' },
      { name: 'dependencies', target: '/var/app/current' },
    ])
    const software = softwareOf(made, { runtime: 'r', bundle: 'b', dependencies: 'd' })
    assert.deepEqual(software.layers, [
      { digest: 'r', target: '/opt/nodejs' },
      { digest: 'd', target: '/var/app/current' },
    ])
    assert.match(made.warnings[0] ?? '', /no package-lock\.json/)
  })

  it('installs nothing when the bundle brings its packages or needs none', () => {
    assert.equal(node(PACKAGE, {}, ['node_modules/']).builds.length, 2)
    assert.equal(node({ scripts: { start: 'node x' } }).builds.length, 2)
  })

  it('starts app.js or server.js when nothing says how, and says so when there is neither', () => {
    assert.match(webRun(plan({ stack: nodejs, listing: listing({}, ['server.js']) })), /exec node server\.js/)
    assert.match(
      problem({ stack: nodejs, listing: listing({ 'package.json': '{}' }) }),
      /says not how to start/,
    )
    assert.match(
      problem({ stack: nodejs, listing: listing({ 'package.json': '{' }) }),
      /package\.json is not valid JSON/,
    )
  })
})
