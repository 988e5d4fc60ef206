// `up` against the real control plane on fake engines: which environment it deploys to, and that it always ends.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { on } from 'node:events'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openApi, type Api } from '../client.ts'
import { listEnvironments, settingsOf } from '../environments.ts'
import { APP, cli, endOf, makeCliWorld, runProgram, type CliWorld } from '../testing/cli-world.ts'

let world: CliWorld
let api: Api
before(async () => {
  world = await makeCliWorld()
  api = openApi(world.dir)
})
after(async () => assert.deepEqual(await world.end(), []))

const environmentNamed = async (name: string) => {
  const found = (await listEnvironments(api)).find((one) => one.name === name)
  assert.ok(found, `there is an environment ${name}`)
  return found
}
const wsgiPathOf = async (name: string) =>
  (await settingsOf(api, await environmentNamed(name))).find((one) => one.option === 'WSGIPath')?.value
const saying = async (child: ReturnType<CliWorld['begin']>, text: string) => {
  let said = ''
  for await (const [chunk] of on(child.stderr!, 'data', { close: ['end'] }))
    if ((said += String(chunk)).includes(text)) return
  assert.fail(`it ended without saying '${text}':\n${said}`)
}

// Runs a program on a terminal of so many columns, and tells what it wrote there.
const TERMINAL = `
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, int(sys.argv[1]), 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
try:
    while data := os.read(fd, 65536):
        sys.stdout.buffer.write(data)
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`

describe('the environment that a folder is deployed to', () => {
  it('is named like the folder at first, and stays the same', async () => {
    const dir = world.folder('a/shop-app')
    const { stdout, stderr } = await world.polebean(['up', dir])
    assert.equal(stdout, `http://shop-app.us-west-2.elasticbeanstalk.localhost:${world.ports.http}/\n`)
    assert.match(stderr, /Packed 2 files of .*shop-app \(1 kB\)\./)
    assert.match(stderr, /Uploaded version up-[0-9a-f]{16} \(1 kB\)\./)
    assert.match((await world.polebean(['up', dir])).stderr, /Nothing changed: shop-app runs this folder/)
    symlinkSync(dir, join(world.base, 'link'))
    assert.match((await world.polebean(['up', join(world.base, 'link')])).stderr, /Nothing changed/)
  })
  it('is not that of another folder of the same name', async () => {
    const before = await environmentNamed('shop-app')
    const dir = world.folder('b/shop-app', { ...APP, 'other.txt': 'x' })
    const { stdout, stderr } = await world.polebean(['up', dir], { status: 2 })
    assert.equal(stdout, '')
    assert.match(stderr, /there is an environment shop-app .* not made from .*b\/shop-app.*--name shop-app/)
    assert.deepEqual(await environmentNamed('shop-app'), before)
    await world.polebean(['up', dir, '--name', 'other-app'])
    assert.match((await world.polebean(['up', dir])).stderr, /Nothing changed: other-app/)
  })
  it('is not one that was made anew under the name since', async () => {
    const [first, second] = [world.folder('c/twin-app'), world.folder('d/twin-app')]
    await world.polebean(['up', first])
    await world.polebean(['terminate', 'twin-app', '--force'])
    await world.polebean(['up', second])
    const { stderr } = await world.polebean(['up', first], { status: 2 })
    assert.match(stderr, /not made from .*c\/twin-app/)
    await world.polebean(['terminate', 'twin-app', '--force'])
    await world.polebean(['up', first])
  })
  it('is the one it was made for also when its first version failed', async () => {
    const dir = world.folder('e/late-app')
    world.app.startCheck = "ModuleNotFoundError: No module named 'flask'"
    const failed = await world.polebean(['up', dir], { status: 4 })
    assert.equal(failed.stdout, '', 'a failing up prints nothing on stdout')
    assert.match(failed.stderr.trim().split('\n').at(-1)!, /^polebean: .*module 'flask' is not installed/)
    world.app.startCheck = ''
    writeFileSync(join(dir, 'fixed.txt'), '')
    assert.match((await world.polebean(['up', dir])).stdout, /^http:\/\/late-app\./)
  })
  it('keeps its platform', async () => {
    const dir = world.folder('f/node-app', {
      'package.json': '{"scripts":{"start":"node x.js"}}',
      'x.js': '',
    })
    const { stderr } = await world.polebean(['up', dir, '--name', 'shop-app'], { status: 1 })
    assert.match(stderr, /shop-app runs Python, and .*node-app is a Node\.js application/)
  })
})

describe('the folder', () => {
  it('is the current one without DIR, if it is an application', async () => {
    const dir = world.folder('a/shop-app')
    assert.match((await world.polebean(['up'], { cwd: dir })).stderr, /Nothing changed: shop-app/)
    mkdirSync(join(world.base, 'empty'))
    const { stderr } = await world.polebean(['up'], { cwd: join(world.base, 'empty'), status: 1 })
    assert.match(stderr, /empty: This folder holds no application.* Name another folder: polebean up DIR/)
  })
  it('is not swallowed by --env, which is checked before anything is started', async () => {
    const dir = world.folder('g/prop-app')
    const nowhere = { POLEBEAN_HOME: join(world.base, 'no-home') }
    const { stderr } = await world.polebean(['up', '--env', 'A', dir], { status: 2, env: nowhere })
    assert.equal(stderr, "polebean: 'A' is not NAME=VALUE\n")
    await world.polebean(['up', '--env', 'A=1', '--env', 'B=x=y', dir])
    const { stdout } = await world.polebean(['printenv', 'prop-app', '--json'])
    assert.deepEqual(JSON.parse(stdout), { A: '1', B: 'x=y' })
  })
  it('is packed and uploaded with a bar on a terminal, whose width no line exceeds', async () => {
    const dir = world.folder('n/wide-app', { ...APP, ballast: '' })
    writeFileSync(join(dir, 'ballast'), randomBytes(30 << 20))
    const argv = ['python3', '-c', TERMINAL, '50', ...cli(['up', dir])]
    const { stdout, status } = await runProgram(argv, { cwd: world.base, env: world.env })
    assert.equal(status, 0)
    const frames = [...stdout.matchAll(/\x1b\[K([^\x1b\r\n]+)/g)].map(([, text]) => text!)
    const spinning = frames.filter((text) => /^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] /.test(text))
    assert.ok(
      spinning.some((text) => /Packing \[#* *\] \d+ % of 3 files/.test(text)),
      stdout,
    )
    assert.ok(
      spinning.some((text) => /Uploading \[#* *\] \d+ % of 31 MB/.test(text)),
      stdout,
    )
    assert.ok(spinning.every((text) => text.length < 50))
    assert.match(stdout, /\x1b\[Khttp:\/\/wide-app\.[^\n]*\r\n$/)
  })
  it('gives its WSGIPath, and takes it away again', async () => {
    const dir = world.folder('h/path-app', {
      'app.py': 'from flask import Flask\napp = Flask("x")\n',
      'requirements.txt': '',
    })
    await world.polebean(['up', dir])
    assert.equal(await wsgiPathOf('path-app'), 'app:app')
    writeFileSync(join(dir, 'application.py'), APP['application.py'])
    await world.polebean(['up', dir])
    assert.equal(await wsgiPathOf('path-app'), 'application')
  })
  it('is remembered where it can be, and a success otherwise, too', async () => {
    const dir = world.folder('i/ro-home-app')
    // A file in the way, since root may write everywhere else.
    world.folder('state', { 'polebean/links-testhm': '' })
    const env = { XDG_STATE_HOME: join(world.base, 'state') }
    const { stdout, stderr } = await world.polebean(['up', dir, '--name', 'ro-home-app'], { env })
    assert.match(stdout, /^http:\/\/ro-home-app\./)
    assert.match(stderr, /Warning: that .* cannot be remembered .*--name ro-home-app/)
    assert.doesNotMatch(stderr, /bug in Polebean/)
  })
})

describe('up ends', () => {
  it('with a sentence when somebody terminates the environment meanwhile', async () => {
    const dir = world.folder('j/short-app')
    world.app.status = 500 // never healthy, so it stays Launching
    const child = world.begin(['up', dir])
    const end = endOf(child)
    await saying(child, 'createEnvironment is starting.')
    await world.polebean(['terminate', 'short-app', '--force'])
    world.app.status = 200
    const { status, stdout, stderr } = await end
    assert.deepEqual([status, stdout], [4, ''])
    assert.match(stderr, /polebean: short-app was terminated meanwhile\n$/)
  })
  it('after a restart of the control plane in the middle', async () => {
    const dir = world.folder('k/long-app')
    world.app.status = 500
    const child = world.begin(['up', dir])
    const end = endOf(child)
    await saying(child, 'createEnvironment is starting.')
    await world.stop()
    await saying(child, 'Polebean does not answer; waiting for it to come back')
    world.app.status = 200
    await world.restart()
    const { status, stdout, stderr } = await end
    assert.equal(status, 0, stderr)
    assert.match(stdout, /^http:\/\/long-app\./)
  })
  it('after the operation that was under way on the environment', async () => {
    const dir = world.folder('l/busy-app')
    world.app.status = 500
    const first = world.begin(['up', dir])
    const firstEnd = endOf(first)
    await saying(first, 'createEnvironment is starting.')
    writeFileSync(join(dir, 'more.txt'), '')
    const second = world.begin(['up', dir])
    const secondEnd = endOf(second)
    await saying(second, 'busy-app is Launching; its operation is followed first.')
    world.app.status = 200
    assert.equal((await firstEnd).status, 0)
    const { status, stderr } = await secondEnd
    assert.equal(status, 0, stderr)
    assert.match(stderr, /Successfully launched environment: busy-app[^]*Environment update completed/)
  })
  it('on Ctrl-C, with nothing left in /tmp', async () => {
    const dir = world.folder('m/cut-app')
    const tmp = join(world.base, 'tmp')
    mkdirSync(tmp)
    world.app.status = 500
    const child = world.begin(['up', dir], { env: { TMPDIR: tmp } })
    const end = endOf(child)
    await saying(child, 'createEnvironment is starting.')
    assert.equal(readdirSync(tmp).length, 1)
    child.kill('SIGINT')
    assert.equal((await end).status, 130)
    assert.deepEqual(readdirSync(tmp), [])
    world.app.status = 200
  })
  it('with a sentence when another program answers on the API port', async () => {
    const html = createServer((_request, response) => response.end('<!doctype html><html><body><br>hi'))
    html.unref()
    await new Promise<void>((done) => html.listen(0, '127.0.0.1', done))
    const port = (html.address() as { port: number }).port
    const dir = world.folder('foreign', {
      'home.json': JSON.stringify({ ...world.settings, ports: { ...world.ports, api: port } }),
      'credentials.json': '{"accessKeyId":"a","secretAccessKey":"b"}',
    })
    const { stderr } = await world.polebean(['list', '--home', dir], { status: 1 })
    html.close()
    assert.match(stderr, new RegExp(`^polebean: something else than Polebean answers on port ${port}, `))
  })
})
