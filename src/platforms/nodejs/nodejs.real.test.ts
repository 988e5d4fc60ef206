// What Elastic Beanstalk's Node.js platform promises, on the real compute engine.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { makeDeployer, reasonToSkip, sample, type Deployer, type Given } from '../test-deployment.ts'

const SERVER = `require('node:http')
  .createServer((request, response) => response.end(text()))
  .listen(process.env.PORT, '127.0.0.1')
`
const server = (text: string) => `const text = () => ${text}\n${SERVER}`

describe('the Node.js platform on the real compute engine', { skip: reasonToSkip }, () => {
  let deployer: Deployer
  before(async () => {
    deployer = await makeDeployer()
  })
  after(() => deployer.end())
  const deploy = (files: Record<string, string>, given: Given = {}) =>
    deployer.deploy(
      'nodejs',
      Object.entries(files).map(([name, content]) => ({ name, content })),
      given,
    )

  it('installs by npm ci what the lock file pins, and runs the start script', async () => {
    const { failure, ask, plan } = await deployer.deploy('nodejs', sample('node-hello'), {
      env: { GREETING: 'moin' },
    })
    assert.equal(failure, '')
    assert.deepEqual(plan.warnings, [])
    assert.match(JSON.parse((await ask('/')).text).visit, /^[\w-]{8}$/, 'nanoid, a package, made it')
  })

  it('installs without a lock file, with a warning, without development packages', async () => {
    const { failure, ask, plan } = await deploy({
      'package.json': JSON.stringify({
        dependencies: { ms: '2.1.3' },
        devDependencies: { 'no-such-package-zzz-q': '1.0.0' },
      }),
      'app.js': server(`String(require('ms')('2 days'))`),
    })
    assert.equal(failure, '')
    assert.equal((await ask('/')).text, '172800000')
    assert.match(plan.warnings.join(), /has no package-lock\.json/)
  })

  it('runs npm start itself when there is a prestart script', async () => {
    const { failure, ask } = await deploy({
      'package.json': JSON.stringify({
        scripts: { prestart: 'node -p 1+1 >/tmp/before', start: 'node server.js' },
      }),
      'server.js': server(`require('node:fs').readFileSync('/tmp/before', 'utf8')`),
    })
    assert.equal(failure, '')
    assert.equal((await ask('/')).text, '2\n')
  })

  it('runs the build scripts of the application, and says which one failed', async () => {
    const files = (postinstall: string) => ({
      'package.json': JSON.stringify({ scripts: { postinstall, start: 'node server.js' } }),
      'server.js': server(`require('node:fs').readFileSync('built', 'utf8')`),
    })
    const right = await deploy(files('echo built >built'))
    assert.equal(right.failure, '')
    assert.equal((await right.ask('/')).text, 'built\n')
    const { failure } = await deploy(files('tsc -p .'))
    const [sentence, command] = failure.split('\n')
    assert.equal(
      sentence,
      "Failed to install dependencies with npm: the script 'tsc -p .' failed: tsc: not found.",
    )
    assert.match(command ?? '', /^Command: npm install --omit=dev /)
  })

  it('says what a start script that fails was, in its own words', async () => {
    const { failure } = await deploy({
      'package.json': JSON.stringify({ name: 'x', scripts: { start: 'node missing.js' } }),
    })
    assert.match(failure, /^The application did not start: .*missing\.js is not in the bundle\.$/m)
    assert.match(failure, /\nCommand: node missing\.js\n/)
  })
})
