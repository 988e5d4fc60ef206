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

  it('is started by its Procfile when it has one, and speaks WebSocket through balancer and nginx', async () => {
    const server = readFileSync(join(folder, 'server.js'), 'utf8')
    writeFileSync(
      join(folder, 'other.js'),
      server.replace('greeting,', 'greeting: `${greeting} by ${process.argv[2]}`,') + WEBSOCKET,
    )
    writeFileSync(join(folder, 'Procfile'), 'web: node other.js procfile\n')
    const { stdout } = await home.polebean(['up', folder, ...name])
    assert.equal((await ask(stdout)).greeting, 'hej by procfile')
    const { stdout: listed } = await home.polebean(['list', '--json'])
    assert.equal(await shout(JSON.parse(listed)[0].localUrl, 'hello'), 'HELLO')
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

/** What comes back from the application's WebSocket. */
const shout = (url: string, word: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = new WebSocket(url.replace(/^http/, 'ws'))
    socket.onopen = () => socket.send(word)
    socket.onmessage = ({ data }) => {
      resolve(String(data))
      socket.close()
    }
    socket.onerror = () => reject(new Error(`no WebSocket at ${url}`))
  })

// The least of RFC 6455: one short masked frame in, its text in capitals out.
const WEBSOCKET = `
server.on('upgrade', (request, socket) => {
  const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
  const accept = require('node:crypto').createHash('sha1').update(key).digest('base64')
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n' +
    'Sec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n')
  socket.on('data', (frame) => {
    if ((frame[0] & 15) !== 1) return socket.end()
    const length = frame[1] & 127
    const text = Buffer.from(frame.subarray(6, 6 + length).map((byte, index) => byte ^ frame[2 + (index % 4)]))
    socket.write(Buffer.concat([Buffer.from([0x81, length]), Buffer.from(text.toString().toUpperCase())]))
  })
  socket.on('error', () => socket.destroy())
})
`
