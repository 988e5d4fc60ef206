// `exec --ssh`, with a real ssh and a real sshd, to a home whose engines are fakes.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, it } from 'node:test'
import { BIN, CREDENTIALS, endOf, makeCliWorld, type CliWorld } from '../testing/cli-world.ts'
import { hasSshd, startSshServer, type SshServer } from '../testing/ssh-server.ts'

const here = hasSshd() ? {} : { skip: 'there is no sshd; npm test installs it' }

describe('exec --ssh', here, () => {
  let world: CliWorld
  let server: SshServer
  let temporary: string
  before(async () => {
    world = await makeCliWorld()
    server = await startSshServer([`SetEnv PATH=${join(world.base, 'bin')}:/usr/bin:/bin`])
    temporary = mkdtempSync(join(world.base, 'tmp-'))
  })
  after(async () => {
    await server.end()
    assert.deepEqual(await world.end(), [])
  })

  // This machine has no home: what the command gets is from there.
  const env = () => ({ POLEBEAN_HOME: '/nowhere', TMPDIR: temporary })
  const there = () => ['--remote-polebean', BIN, '--home', world.dir, '--']
  const remote = (command: string[], status = 0) =>
    world.polebean([...server.args(), ...there(), ...command], { env: env(), status })
  const begin = (command: string[]) => world.begin([...server.args(), ...there(), ...command], { env: env() })
  const until = async (what: string, holds: () => boolean, timeoutMs = 15_000) => {
    for (const from = Date.now(); !holds(); await sleep(20))
      if (Date.now() > from + timeoutMs) assert.fail(`${what}: not within ${timeoutMs} ms`)
  }
  const nothingLeft = async (timeoutMs?: number) => {
    await until('the connection has ended', () => server.connections() === 0, timeoutMs)
  }
  /** A program for the machine there. */
  const program = (name: string, script: string) => {
    mkdirSync(join(world.base, 'bin'), { recursive: true })
    const file = join(world.base, 'bin', name)
    writeFileSync(file, `#!/bin/sh\n${script}\n`)
    chmodSync(file, 0o755)
    return file
  }

  it('runs a command here with the endpoint and keys of there, and ends the tunnel with it', async () => {
    const script = `
      const { readdirSync, readFileSync } = require('node:fs')
      const { AWS_ENDPOINT_URL: url, AWS_SECRET_ACCESS_KEY: secret, ...env } = process.env
      const seen = readdirSync('/proc').filter((pid) => {
        try { return /^\\d+$/.test(pid) && readFileSync('/proc/' + pid + '/cmdline', 'utf8').includes(secret) }
        catch { return false }
      })
      fetch(url + '/healthz').then((answer) => answer.text()).then((text) => {
        console.log(JSON.stringify({ url, secret, id: env.AWS_ACCESS_KEY_ID, region: env.AWS_REGION, text, seen }))
        process.exit(7)
      })`
    const { stdout, stderr } = await remote([process.execPath, '-e', script], 7)
    const { url, ...saw } = JSON.parse(stdout)
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.notEqual(url, `http://127.0.0.1:${world.ports.api}`)
    assert.deepEqual(saw, {
      secret: CREDENTIALS.secretAccessKey,
      id: CREDENTIALS.accessKeyId,
      region: 'us-west-2',
      text: 'testhm\n',
      seen: [],
    })
    assert.equal(stderr, '')
    await nothingLeft()
    assert.deepEqual(readdirSync(temporary), [])
    await assert.rejects(fetch(`${url}/healthz`), 'nobody listens any more')
  })
  it('hands signals on, and ends the tunnel after the command has', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const child = begin([
        ...[process.execPath, '-e'],
        `process.on('${signal}', async () => {
           const answer = await fetch(process.env.AWS_ENDPOINT_URL + '/healthz')
           console.log('tidied up', answer.status); process.exit(3) })
         setTimeout(() => {}, 30_000); console.log('ready')`,
      ])
      const end = endOf(child)
      await once(child.stdout!, 'data')
      child.kill(signal)
      assert.deepEqual(await end, { status: 3, stdout: 'ready\ntidied up 200\n', stderr: '' }, signal)
      await nothingLeft()
      assert.deepEqual(readdirSync(temporary), [])
    }
  })
  it('ends on a signal while it still connects', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const child = world.begin([...server.args(`Port=${port}`), ...there(), 'true'], { env: env() })
    const end = endOf(child)
    const [socket] = await once(silent, 'connection')
    child.kill('SIGTERM')
    assert.deepEqual(await end, { status: 143, stdout: '', stderr: '' })
    assert.deepEqual(readdirSync(temporary), [])
    socket.destroy()
    silent.close()
  })
  it('leaves no connection when it is killed', async () => {
    const own = mkdtempSync(join(world.base, 'tmp-'))
    const script = `console.log('ready'); setTimeout(() => {}, 2000)`
    const child = world.begin([...server.args(), ...there(), process.execPath, '-e', script], {
      env: { ...env(), TMPDIR: own },
    })
    const end = endOf(child)
    await once(child.stdout!, 'data')
    assert.ok(server.connections() > 0)
    child.kill('SIGKILL')
    await end
    await nothingLeft(30_000)
    const [folder = ''] = readdirSync(own)
    await until('its socket is gone', () => readdirSync(join(own, folder)).length === 0)
  })
  it('says so when the connection is lost', async () => {
    const child = begin([process.execPath, '-e', `console.log('ready'); setTimeout(() => {}, 2000)`])
    const end = endOf(child)
    await once(child.stdout!, 'data')
    server.cut()
    const { status, stderr } = await end
    assert.deepEqual([status, stderr], [0, `polebean: the connection to ${server.destination} was lost\n`])
  })
  it('asks sudo there when the key belongs to another user', async () => {
    const polebean = program(
      'other-users',
      `[ "$AS_ROOT" ] && exec '${BIN}' "$@"
       echo 'polebean: the access key of /x belongs to another user; run this as that user or with sudo' >&2; exit 1`,
    )
    const args = [...server.args(), '--remote-polebean', polebean, '--home', world.dir, '--']
    const run = (status: number) =>
      world.polebean([...args, 'sh', '-c', 'echo $AWS_ACCESS_KEY_ID'], { env: env(), status })
    program('sudo', `[ "$1" = -n ] || exit 9; shift; AS_ROOT=1 exec "$@"`)
    assert.equal((await run(0)).stdout, `${CREDENTIALS.accessKeyId}\n`)
    program('sudo', `echo 'sudo: a password is required' >&2; exit 1`)
    assert.match(
      (await run(1)).stderr,
      /belongs to another user there, and sudo does not help: sudo: a password is required; log in as/,
    )
  })
  it('takes polebean from the PATH there, whatever its shell says before', async () => {
    program('polebean', `echo 'Welcome!'; exec '${BIN}' "$@"`)
    const { stdout } = await world.polebean(
      [...server.args(), '--home', world.dir, '--', 'sh', '-c', 'echo $AWS_REGION'],
      { env: env() },
    )
    assert.equal(stdout, 'us-west-2\n')
  })

  describe('says in a sentence that', () => {
    type Case = [what: string, args: () => string[], expected: RegExp, status?: number]
    const known = () => join(world.base, 'known')
    const changed = () => {
      const other = readFileSync(join(server.dir, 'other.pub'), 'utf8').split(' ')
      writeFileSync(known(), `[127.0.0.1]:${server.port} ${other[0]} ${other[1]}\n`)
      return known()
    }
    const cases: Case[] = [
      [
        'the host is unknown',
        () => ['exec', '--ssh', 'me@no.such.host.invalid'],
        /ssh does not know the host no\.such/,
      ],
      ['nobody listens', () => server.args('Port=1'), /ssh does not reach \S+: Connection refused/],
      [
        'the host key is unknown',
        () => server.args('UserKnownHostsFile=/dev/null', 'StrictHostKeyChecking=yes'),
        /ssh does not know the host key of .*; log in once by hand and accept it: ssh /,
      ],
      [
        'the host key has changed',
        () => server.args(`UserKnownHostsFile=${changed()}`),
        /the host key of \S+ is not the one that ssh knows/,
      ],
      [
        'the user is not let in',
        () => server.args('PubkeyAuthentication=no'),
        /does not let you in \(.*Permission denied \(publickey\)\.\)/,
      ],
      ['an option is unknown', () => server.args('NoSuchOption=1'), /Bad configuration option: nosuchoption/],
      [
        'polebean is not there',
        () => [...server.args(), '--remote-polebean', '/opt/no such/polebean'],
        /there is no \/opt\/no such\/polebean on \S+; name it with --remote-polebean PATH/,
      ],
      [
        'polebean cannot be run there',
        () => [...server.args(), '--remote-polebean', '/etc/passwd'],
        /\/etc\/passwd on \S+ cannot be run: .*Permission denied/,
      ],
      [
        'what is there is something else',
        () => [...server.args(), '--remote-polebean', program('else', 'echo "{}"')],
        /is no Polebean of this kind/,
      ],
      [
        'there is no home',
        () => [...server.args(), '--remote-polebean', BIN, '--home', "/no/such 'home"],
        /root@127\.0\.0\.1 says: there is no Polebean home in \/no\/such 'home; start one/,
      ],
      ['an ssh option is none', () => ['exec', '--ssh', '-oProxyCommand=id'], /--ssh names a machine/, 2],
      ['no machine is named', () => ['exec', '--ssh', ''], /--ssh names a machine/, 2],
      ['ssh is not meant', () => ['exec', '--ssh-option', 'A=b'], /go with --ssh/, 2],
    ]
    for (const [what, args, expected, status = 1] of cases)
      it(what, async () => {
        const ran = await world.polebean([...args(), '--', 'echo', 'ran'], { env: env(), status })
        assert.equal(ran.stdout, '')
        assert.match(ran.stderr, expected)
        assert.equal(ran.stderr.split('\n').length, 2, ran.stderr)
        assert.deepEqual(readdirSync(temporary), [])
      })
    it('there is no ssh', async () => {
      const ran = await world.polebean([...server.args(), '--', 'true'], {
        env: { ...env(), PATH: '/nowhere' },
        status: 1,
      })
      assert.match(ran.stderr, /^polebean: there is no ssh on this machine/)
    })
    it('Polebean does not run there', async () => {
      await world.stop()
      try {
        const { stderr } = await remote(['true'], 1)
        assert.match(stderr, /does not answer through the tunnel: it is not running there/)
      } finally {
        await world.restart()
      }
      await nothingLeft()
    })
    it('forwarding is forbidden', async () => {
      const strict = await startSshServer(['AllowTcpForwarding no'])
      try {
        const ran = await world.polebean([...strict.args(), ...there(), 'true'], { env: env(), status: 1 })
        assert.match(ran.stderr, /the ssh server forbids forwarding \(AllowTcpForwarding/)
      } finally {
        await strict.end()
      }
    })
  })
})
