// The Node.js platform: npm's packages, the start script or a Procfile, and what is said when npm fails.
import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeTestHome, root } from './support/home.ts'

describe('a Node.js application', { concurrency: 1 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  const folder = join(home.dir, '../node-hello')
  const name = ['--name', 'node-hello']
  const ask = async (url: string) => {
    const { status, body } = await home.get(new URL(url.trim()).hostname, '/there?x=1')
    assert.equal(status, 200, body)
    return JSON.parse(body) as { greeting: string; instance: string; visit: string; path: string }
  }

  before(() => cpSync(join(root, 'samples/node-hello'), folder, { recursive: true }))

  it('answers with its property, its packages installed by npm ci', async () => {
    const { stdout, stderr } = await home.polebean(['up', folder, ...name, '--env', 'GREETING=hej'])
    assert.match(stderr, /Node\.js: .*start/)
    const said = await ask(stdout)
    assert.equal(said.greeting, 'hej')
    assert.equal(said.path, '/there?x=1')
    assert.match(said.visit, /^[\w-]{8}$/, 'nanoid, a package, made it')
    const { stdout: status } = await home.polebean(['status', '--json'])
    assert.match(JSON.parse(status).platform, /running Node\.js/)
  })

  it('is started by its Procfile when it has one', async () => {
    const server = readFileSync(join(folder, 'server.js'), 'utf8')
    writeFileSync(
      join(folder, 'other.js'),
      server.replace('greeting,', 'greeting: `${greeting} by ${process.argv[2]}`,'),
    )
    writeFileSync(join(folder, 'Procfile'), 'web: node other.js procfile\n')
    const { stdout } = await home.polebean(['up', folder, ...name])
    assert.equal((await ask(stdout)).greeting, 'hej by procfile')
  })

  it('keeps running when npm fails, and the event names the package', async () => {
    const path = join(folder, 'package.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8'))
    manifest.dependencies['no-such-package-of-polebean'] = '1.0.0'
    writeFileSync(path, JSON.stringify(manifest))
    const { stderr } = await home.polebean(['up', folder, ...name], { status: 4 })
    assert.match(stderr.trim().split('\n').at(-1) ?? '', /no-such-package-of-polebean/)
    const { stdout } = await home.polebean(['list', '--json'])
    assert.equal((await ask(JSON.parse(stdout)[0].url)).greeting, 'hej by procfile')
  })
})
