// What surrounds an application in its instance, on the real compute engine: nginx, logs, the disk.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { explainStart } from '../explain-start.ts'
import { makeDeployer, reasonToSkip, until, type Deployed, type Deployer } from '../test-deployment.ts'

const MEBIBYTES = 1 << 20
/** The rotation looks every 30 seconds. */
const ROTATED_SECONDS = 45

describe('an instance around its application', { skip: reasonToSkip, timeout: 400_000 }, () => {
  let deployer: Deployer
  let one: Deployed
  let other: Deployed
  before(async () => {
    deployer = await makeDeployer()
    const entries = [{ name: 'server.js', content: SERVER }]
    one = await deployer.deploy('nodejs', entries)
    other = await deployer.deploy('nodejs', entries)
    assert.equal(one.failure + other.failure, '')
  })
  after(() => deployer.end())
  const sizeOf = async (path: string) => Number(await one.inside(['stat', '-c', '%s', path]))
  const isThere = async (path: string) =>
    (await one.inside(['find', path, '-maxdepth', '0']).catch(() => '')) !== ''

  it('lets WebSockets through nginx', async () => {
    const said = await one.inside(['/usr/bin/python3', '-I', '-c', WEBSOCKET])
    assert.deepEqual(said.trim().split('\n'), ['HTTP/1.1 101 Switching Protocols', 'HELLO', 'AGAIN'])
  })

  it('has started once nginx listens too, and says what nginx said when it does not', async () => {
    const check = (seconds: number) =>
      one.inside(['/bin/sh', '-c', `${one.plan.startCheck.argv[0]} ${seconds} || true`])
    const nginx = (what: string) => one.inside(['sv', what, '/etc/service/nginx'])
    assert.equal(await check(10), '')
    await nginx('down')
    const output = await check(1)
    assert.match(
      explainStart(output).sentence,
      /^The application started, but nginx does not listen on port 80 after 1 seconds\. Its last words: none$/,
    )
    await nginx('up')
    assert.equal(await check(10), '')
  })

  it('rotates the logs of the application and of nginx at 10 MB, and their writers go on', async () => {
    assert.equal((await one.ask('/log')).text, 'logged')
    await until('the log has grown', async () => (await sizeOf('/var/log/web.stdout.log')) > 10 * MEBIBYTES)
    await one.inside(['/bin/sh', '-c', 'head -c 11000000 /dev/zero | tr "\\0" x >>/var/log/nginx/access.log'])
    const rotated = ['/var/log/web.stdout.log.1', '/var/log/nginx/access.log.1']
    const areThere = async () => (await Promise.all(rotated.map(isThere))).every(Boolean)
    await until('both are rotated', areThere, ROTATED_SECONDS)
    assert.equal((await one.ask('/line')).text, 'logged')
    await until('the application writes on', async () =>
      (await one.log('web.stdout.log')).includes('one line'),
    )
    await until('nginx writes on', async () => (await one.log('nginx/access.log')).includes('GET /line'))
    assert.ok((await sizeOf('/var/log/web.stdout.log')) < MEBIBYTES)
    assert.ok((await sizeOf('/var/log/nginx/access.log')) < MEBIBYTES)
  })

  it('serves on when its disk is full, and hurts no other', async () => {
    await one.inside(['/bin/sh', '-c', FILL], 'webapp')
    const write = (deployed: Deployed) =>
      deployed.inside(['/bin/sh', '-c', 'head -c 100000 /dev/zero >/home/webapp/x && echo written'], 'webapp')
    await assert.rejects(write(one), /No space left on device/)
    assert.equal(await write(other), 'written\n')
    assert.equal((await other.ask('/')).text, 'plain')
    assert.equal((await one.ask('/')).text, 'plain')
    await one.ask('/die')
    await until('it is started again', async () => (await one.ask('/')).text === 'plain')
    await deployer.compute.stop(one.id, 5_000)
    await deployer.compute.start(one.id)
    await until(
      'it comes back with its full disk',
      async () => (await one.ask('/').catch(() => null))?.text === 'plain',
    )
  })

  it('makes room again when a log fills the disk', async () => {
    await one.inside(['/bin/sh', '-c', 'rm /home/webapp/full.*'], 'webapp')
    assert.equal((await one.ask('/log')).text, 'logged')
    await one.inside([
      '/bin/sh',
      '-c',
      'rm -f /var/log/*.1; cat /dev/zero >>/var/log/web.stdout.log 2>/dev/null || true',
    ])
    assert.ok((await sizeOf('/var/log/web.stdout.log')) > 100 * MEBIBYTES)
    await until(
      'it was emptied',
      async () => (await sizeOf('/var/log/web.stdout.log')) < MEBIBYTES,
      ROTATED_SECONDS,
    )
    assert.equal(
      await one.inside(['/bin/sh', '-c', 'echo x >/home/webapp/y && echo done'], 'webapp'),
      'done\n',
    )
  })
})

// What was still unwritten when the disk was full makes room for a little more: again, in ever smaller pieces.
const FILL = `for bytes in 1M 4k 1; do
  dd if=/dev/zero of=/home/webapp/full.$bytes bs=$bytes count=9999999 2>/dev/null
  sync
done
true`

const SERVER = `const { createServer } = require('node:http')
const server = createServer(({ url }, response) => {
  if (url === '/die') process.exit(1)
  if (url === '/log') process.stdout.write('x'.repeat(99).concat('\\n').repeat(110_000))
  if (url === '/line') console.log('one line')
  response.end(url === '/' ? 'plain' : 'logged')
})
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n')
  socket.on('data', (data) => socket.write(data.toString().toUpperCase()))
  socket.on('error', () => socket.destroy())
})
server.listen(process.env.PORT, '127.0.0.1')
`

// The handshake, and bytes in both directions afterwards; frames are the application's own matter.
const WEBSOCKET = `import socket
connection = socket.create_connection(("127.0.0.1", 80), timeout=10)
connection.sendall(b"GET /socket HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n"
    b"Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n")
head = b""
while not head.endswith(b"\\r\\n\\r\\n"):
    head += connection.recv(1)
print(head.split(b"\\r\\n")[0].decode())
for word in (b"hello", b"again"):
    connection.sendall(word)
    print(connection.recv(100).decode())
`
