// Commands for who runs a home: who may reach whom, and a shell in an instance, over real engines.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { answers } from '../src/cli/start-server.ts'
import { run } from '../src/kernel/process.ts'
import { makeTestHome, root } from './support/home.ts'
import { daemonPid, until } from './support/world.ts'

const isRoot = process.getuid!() === 0
const POLEBEAN = join(root, 'bin/polebean')

describe('who runs a home', { skip: isRoot ? false : 'needs root', timeout: 280_000 }, () => {
  const home = makeTestHome('operate')
  const say = async (...args: string[]) => (await home.polebean(args)).stdout.trim()
  const nft = (...words: string[]) =>
    run(['nsenter', `--net=/run/netns/pb-${home.settings().id}`, '--', 'nft', ...words])
  const env = { ...process.env, POLEBEAN_HOME: home.dir, NO_COLOR: '1' }
  /** Command lines of what runs in the home's instances. */
  const inside = () =>
    readdirSync('/proc')
      .filter(
        (name) =>
          /^\d+$/.test(name) && readQuietly(`/proc/${name}/cgroup`).includes(`/${home.settings().id}/`),
      )
      .map((name) => readQuietly(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim())
  const begin = (args: string[]) => spawn(POLEBEAN, args, { env, cwd: root })
  /** A terminal of 31 × 97 with `polebean ssh` on it. */
  const terminal = (args: string[]) => {
    const line = ['stty rows 31 cols 97; tty >&3; exec', POLEBEAN, 'ssh', ...args].join(' ')
    const child = spawn(
      'script',
      ['--quiet', '--return', '--flush', '--command', `exec 3>&3; ${line}`, '/dev/null'],
      {
        ...{
          env: { ...env, SHELL: '/bin/sh', TERM: 'xterm' },
          cwd: root,
          stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
        },
      },
    )
    let seen = ''
    let name = ''
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (seen += chunk))
    child.stdio[3]!.on('data', (chunk) => (name += chunk))
    return {
      child,
      type: (text: string) => void child.stdin!.write(text),
      name: () => name.trim(),
      sees: (text: RegExp) => until(`the terminal shows ${text}`, async () => text.test(seen)),
      ended: once(child, 'close').then(([status]) => status as number),
    }
  }
  let instance = ''

  before(async () => {
    await home.polebean(['up', join(root, 'samples/node-hello'), '--name', 'shop'])
    const { instances } = JSON.parse(await say('status', 'shop', '--json')) as { instances: { id: string }[] }
    instance = instances[0]!.id
  })
  after(async () => assert.deepEqual(await home.remove(), []))

  it('reads who may reach whom, and by which rule', async () => {
    const said = await say('firewall')
    assert.match(
      said,
      /^The load balancer of shop: tcp 80 from everywhere \(0\.0\.0\.0\/0, ::\/0\)\. Everything else is refused\./,
    )
    assert.match(
      said,
      new RegExp(`The instance of shop \\(${instance}\\): tcp 80 from the load balancer of shop`),
    )
    assert.match(
      await say('firewall', '--from', 'outside', '--to', 'shop', '--port', '80'),
      /^Yes: .* by sgr-/,
    )
    const no = await home.polebean(['firewall', '--from', 'shop', '--to', 'host'], { status: 1 })
    assert.match(no.stdout, /^No: .* whatever the rules say\.$/m)
  })

  it('says what somebody put before the rules, and what is gone', async () => {
    await nft('insert', 'rule', 'inet', 'polebean', 'forward', 'accept')
    const { stderr } = await home.polebean(['firewall'], { status: 1 })
    assert.match(stderr, /Rule 1 of the chain forward is not Polebean’s: accept/)
    assert.match(
      (await home.polebean(['doctor'], { status: 1 })).stdout,
      /firewall .* is not Polebean’s: accept/,
    )
    // Comes back whole within the look of the reconciler.
    await nft('flush', 'ruleset')
    await until('the rules are back', async () => (await home.client([POLEBEAN, 'firewall'])).status === 0)
  })

  it('runs a program inside: streams apart and whole, its exit status', async () => {
    const ran = await home.polebean(
      ['ssh', instance, '--', 'sh', '-c', 'id -un; pwd; echo wrong >&2; exit 7'],
      { status: 7 },
    )
    assert.deepEqual([ran.stdout, ran.stderr], ['root\n/root\n', 'wrong\n'])
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_unused, index) => (index * 7) & 255))
    const child = begin(['ssh', 'shop', '--', 'cat'])
    child.stdin.end(bytes)
    const back = Buffer.concat(await Array.fromAsync(child.stdout as AsyncIterable<Buffer>))
    assert.ok(back.equals(bytes), `${back.length} bytes came back`)
    assert.match(
      await say('ssh', '--user', 'webapp', 'shop', '--', 'sh', '-c', 'id -un; pwd; env'),
      /^webapp\n\/var\/app\/current\n[^]*PORT=/,
    )
    assert.equal(
      (await home.polebean(['ssh', instance, '--', 'sh', '-c', 'kill -9 $$'], { status: 137 })).stdout,
      '',
    )
    assert.match(
      (await home.polebean(['ssh', instance, '--', 'no-such-thing'], { status: 127 })).stderr,
      /not found/,
    )
    assert.match(
      await say('events', 'shop'),
      new RegExp(`A session was opened on instance ${instance} as root, with the access key [A-Z0-9]{20}`),
    )
  })

  it('gives a shell on a terminal: its size, Ctrl-C, the exit status', async () => {
    const shell = terminal([instance])
    await shell.sees(/\[root@i-[0-9a-f]+ ~\]# $/)
    shell.type('stty size; tty\r')
    await shell.sees(/31 97\r\n\/dev\/pts\/\d/)
    await run(['stty', '-F', shell.name(), 'rows', '44', 'cols', '111'])
    shell.type('sleep 0.5; stty size\r')
    await shell.sees(/44 111\r\n/)
    shell.type('sleep 1001\r')
    await until('it sleeps', async () => inside().includes('sleep 1001'))
    shell.type('\x03')
    await until('it was interrupted', async () => !inside().includes('sleep 1001'))
    shell.type('exit 9\r')
    assert.equal(await shell.ended, 9)
  })

  it('leaves nothing running when the client has gone, but what ignores it', async () => {
    const shell = terminal([instance])
    await shell.sees(/# $/)
    shell.type('sleep 2001 & nohup sleep 2002 >/dev/null 2>&1 & sleep 2003\r')
    await until('all run', async () => [1, 2, 3].every((each) => inside().includes(`sleep 200${each}`)))
    shell.child.kill('SIGKILL')
    const plain = begin(['ssh', instance, '--', 'sh', '-c', 'sleep 2004 & trap "" TERM; sleep 2005; true'])
    await until('all run', async () => [4, 5].every((each) => inside().includes(`sleep 200${each}`)))
    plain.kill('SIGKILL')
    await until(
      'only nohup is left',
      async () =>
        inside()
          .filter((one) => one.startsWith('sleep 200'))
          .join() === 'sleep 2002',
    )
    await say('ssh', instance, '--', 'pkill', '-x', 'sleep')
  })

  it('ends with the server, and with the instance, and says so', async () => {
    const held = begin(['ssh', instance, '--', 'sleep', '3001'])
    let said = ''
    held.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
    await until('it runs', async () => inside().includes('sleep 3001'))
    const closed = once(held, 'close')
    await home.polebean(['restart'])
    const [status] = (await closed) as [number]
    assert.deepEqual(
      [status, said],
      [255, 'polebean: Polebean is being stopped or started again, and the session ended with it\n'],
    )
    await until('nothing is left', async () => !inside().includes('sleep 3001'))
    const other = begin(['ssh', instance, '--', 'sleep', '3002'])
    said = ''
    other.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
    await until('it runs', async () => inside().includes('sleep 3002'))
    process.kill(daemonPid(home.settings(), 'server')!, 'SIGKILL')
    assert.equal(((await once(other, 'close')) as [number])[0], 255)
    assert.match(said, /the connection to Polebean ended, and the session with it/)
    await until('the next server ended it', async () => !inside().includes('sleep 3002'))
    await until('it answers', () => answers(home.dir))
  })

  it('refuses what does not run, in sentences', async () => {
    const stopped = (await home.polebean(['ssh', 'i-0123456789abcdef0'], { status: 4 })).stderr
    assert.match(stopped, /there is no instance i-0123456789abcdef0/)
    assert.match((await home.polebean(['ssh', 'i-1'], { status: 2 })).stderr, /not the id of an instance/)
    assert.match(
      (await home.polebean(['ssh', 'shop', '--user', 'bob'], { status: 2 })).stderr,
      /root or webapp/,
    )
    assert.match(
      (await home.polebean(['ssh', 'shop', '-n', '9'], { status: 2 })).stderr,
      /no instance number "9"; there are: 1\) i-/,
    )
  })
})

const readQuietly = (path: string): string => {
  try {
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  } catch {
    return ''
  }
}
