// Two homes on one machine, one of them in a folder with a long and odd name. Neither reaches the other, nor the host.
import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { rangeOf } from '../src/engines/network/names.ts'
import { leftOvers, makeTestHome, runProgram, type TestHome } from './support/home.ts'
import { PROBE_PORT, writeProbeApp } from './support/probe-app.ts'
import { sandboxes, things, until, untilTold, untilWhole } from './support/world.ts'

// 150 characters with what precedes it, a blank and an umlaut in it (HAProxy's socket paths end at 97).
const ODD = `über lang ${'x'.repeat(150)}`.slice(0, 150 - '/tmp/pbe-xxxxxx/'.length)

describe('two homes', { concurrency: 1 }, () => {
  const homes = [makeTestHome(), makeTestHome(ODD)] as const
  const [near, far] = homes
  after(async () => {
    for (const home of homes) assert.deepEqual(await home.remove(), [])
  })
  const hosts = new Map<TestHome, string>()
  const get = (home: TestHome, path = '/') => home.get(hosts.get(home)!, path)
  /** Who dialled, and what came of it. */
  const dial = async (address: string, port: number) => {
    const [who = '', what = ''] = (await get(near, `/dial?host=${address}&port=${port}`)).body.split(' ')
    return { from: who.replace('ip-', '').replaceAll('-', '.'), what }
  }
  const addressesOf = async (home: TestHome, dev: RegExp) =>
    (await things(home.settings())).flatMap((line) => {
      const [, address, link = ''] = /^route (\S+) dev (\S+)/.exec(line) ?? []
      return address && dev.test(link) ? address : []
    })
  let listener: Server

  before(async () => {
    for (const home of homes) {
      const name = home === near ? 'near-app' : 'far-app'
      const { stdout } = await home.polebean([
        'up',
        writeProbeApp(join(home.dir, '../probe-app'), name),
        '--name',
        name,
      ])
      hosts.set(home, new URL(stdout.trim()).hostname)
    }
    await near.polebean(['scale', '2'])
    await untilTold(near)
    listener = createServer().listen(0, '0.0.0.0')
  })
  after(() => void listener?.close())

  it('both serve, each its own', async () => {
    assert.equal(Buffer.byteLength(far.dir) >= 150, true)
    assert.match((await get(near)).body, /^near-app /)
    assert.match((await get(far)).body, /^far-app /)
    const [one, two] = homes.map((home) => home.settings())
    assert.notEqual(one!.id, two!.id)
    assert.notEqual(one!.cidr, two!.cidr)
    for (const port of ['api', 'http', 'environments'] as const)
      assert.notEqual(one!.ports[port], two!.ports[port])
  })

  it('an instance reaches neither siblings, nor the other home, nor any service of the host', async () => {
    const { port } = listener.address() as AddressInfo
    const [own, other] = [await addressesOf(near, /^i/), await addressesOf(far, /^i|^lb0/)]
    assert.deepEqual([own.length, other.length], [2, 2])
    const balancers = await addressesOf(near, /^lb0/)
    for (const address of other) assert.notEqual((await dial(address, 80)).what, 'open', address)
    for (const address of balancers) {
      assert.equal((await dial(address, 80)).what, 'open', 'its group is open to everybody')
      assert.notEqual((await dial(address, 81)).what, 'open', address)
    }

    const host = Object.values(networkInterfaces()).flatMap((some = []) =>
      some.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address),
    )
    const ranges = homes.map((home) => rangeOf(home.settings().cidr))
    const doors = [
      ...host,
      ...ranges.flatMap((range) => [range.uplinkHost, range.uplinkRouter]),
      '169.254.1.1',
    ]
    const ports = [
      port,
      ...homes.flatMap((home) => [
        home.settings().ports.api,
        home.settings().ports.http,
        home.settings().ports.environments,
      ]),
    ]
    // In its own namespace, where only its own nginx and application listen.
    for (const one of ports.filter((number) => number !== 80 && number !== PROBE_PORT))
      assert.notEqual((await dial('127.0.0.1', one)).what, 'open')
    const dials = doors.flatMap((address) => ports.map((one) => ({ address, one })))
    const answers = await Promise.all(
      dials.map(async ({ address, one }) => `${address}:${one} ${(await dial(address, one)).what}`),
    )
    assert.deepEqual(
      answers.filter((answer) => / (open|)$/.test(answer)),
      [],
    )
  })

  it('an instance reaches itself, and no other instance of its own home', async () => {
    const instances = await addressesOf(near, /^i/)
    const ways = new Map<string, string>()
    // The balancer takes turns, so both are soon asked about each.
    for (const address of instances)
      for (let request = 0; request < 4; request++) {
        const { from, what } = await dial(address, 80)
        ways.set(`${from === address ? 'itself' : 'the other'} ${from}`, what)
      }
    const [one, two] = instances
    assert.deepEqual(
      [...ways.keys()].sort(),
      [`itself ${one}`, `itself ${two}`, `the other ${one}`, `the other ${two}`].sort(),
    )
    for (const [way, what] of ways) assert.equal(what, way.startsWith('itself') ? 'open' : 'timeout', way)
  })

  it('one goes on when the other ends', async () => {
    const before = sandboxes(near.settings())
    await far.polebean(['down'])
    await untilWhole(near, 'near-app', /^near-app /)
    assert.deepEqual(sandboxes(near.settings()), before)
  })

  it('a port that is taken meanwhile is named with its holder', async () => {
    const { ports } = far.settings()
    for (const [name, port] of [
      ['API', ports.api],
      ['HTTP', ports.http],
    ] as const) {
      const taken = createServer()
      await new Promise<void>((done) => taken.listen(port, '127.0.0.1', done))
      try {
        const { stderr } = await far.polebean(['start'], { status: 1 })
        assert.match(stderr, new RegExp(`port ${port} is taken by \\S+ \\(pid ${process.pid}\\)`), name)
      } finally {
        taken.close()
      }
    }
    await far.polebean(['up', join(far.dir, '../probe-app'), '--name', 'far-app'])
    await untilWhole(far, 'far-app', /^far-app /)
    assert.equal((await runProgram(['ip', 'netns', 'exec', `pb-${far.settings().id}`, 'true'])).status, 0)
  })
  it('doctor finds what one leaves whose folder is deleted by hand; down --orphans removes it, and nothing of the other', async () => {
    const { id } = far.settings()
    const accept = ['-i', `pole${id}`, '-m', 'comment', '--comment', `polebean pb-${id}`, '-j', 'ACCEPT']
    await runProgram(['iptables-nft', '-A', 'FORWARD', ...accept]) // as where a firewall drops what is forwarded
    const orphan = async (status: number) => {
      const { stdout } = await near.polebean(['doctor', '--json'], { status })
      const checks = JSON.parse(stdout) as { name: string; saw: string }[]
      return checks.find(({ name }) => name === 'orphans')?.saw
    }
    assert.equal(await orphan(0), 'none')
    // What runs there writes on meanwhile.
    await until('the folder is gone', () => {
      rmSync(far.dir, { recursive: true, force: true })
      return !existsSync(far.dir)
    })
    assert.match(
      (await orphan(1))!,
      new RegExp(`^of home ${id}, whose folder is gone: 3 namespaces, .*1 loop device, 1 firewall rule`),
    )
    const before = sandboxes(near.settings())
    const unasked = await near.polebean(['down', '--orphans'], { status: 2 })
    assert.match(unasked.stderr, new RegExp(`home ${id} \\(${far.dir.slice(0, 9)}`))
    const { stdout } = await near.polebean(['down', '--orphans', '--force'])
    assert.match(stdout, new RegExp(`^removed: home ${id}`))
    assert.deepEqual(await leftOvers(id, far.dir), [])
    assert.equal(existsSync(`/run/polebean/${id}`), false)
    const rules = await runProgram(['iptables-nft', '-S'])
    assert.equal(rules.stdout.includes(id), false)
    assert.equal(await orphan(0), 'none')
    assert.deepEqual(sandboxes(near.settings()), before)
    await untilWhole(near, 'near-app', /^near-app /)
  })
})
