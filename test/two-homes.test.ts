// Two homes on one machine, one of them in a folder with a long and odd name. Neither reaches the other, nor the host.
import assert from 'node:assert/strict'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { rangeOf } from '../src/engines/network/names.ts'
import { makeTestHome, runProgram, type TestHome } from './support/home.ts'
import { writeProbeApp } from './support/probe-app.ts'
import { sandboxes, things, untilWhole } from './support/world.ts'

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
  const dial = async (address: string, port: number) => (await get(near, `/dial?host=${address}&port=${port}`)).body
  const addressesOf = async (home: TestHome) =>
    (await things(home.settings())).flatMap((line) => /^rule elements = \{ ([\d., ]+) \}/.exec(line)?.[1]?.split(', ') ?? [])
  let listener: Server

  before(async () => {
    for (const home of homes) {
      const name = home === near ? 'near-app' : 'far-app'
      const { stdout } = await home.polebean(['up', writeProbeApp(join(home.dir, '../probe-app'), name), '--name', name])
      hosts.set(home, new URL(stdout.trim()).hostname)
    }
    await near.polebean(['scale', '2'])
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
    for (const port of ['api', 'http', 'environments'] as const) assert.notEqual(one!.ports[port], two!.ports[port])
  })

  it('an instance reaches neither siblings, nor the other home, nor any service of the host', async () => {
    const { port } = listener.address() as AddressInfo
    const [own, other] = [await addressesOf(near), await addressesOf(far)]
    assert.ok(own.length >= 3 && other.length >= 2, `${own} ${other}`) // instances and the balancer
    const self = /^near-app ip-(.*)$/.exec((await get(near)).body)?.[1]?.replaceAll('-', '.')
    assert.ok(own.includes(self!), 'instances are among them')
    for (const address of other) assert.notEqual(await dial(address, 80), 'open', address)
    // A balancer of its own home would be reached by its security group; that is HAProxy's to say, not open to all.
    const host = Object.values(networkInterfaces()).flatMap((some = []) => some.filter(({ family }) => family === 'IPv4').map(({ address }) => address))
    const ranges = homes.map((home) => rangeOf(home.settings().cidr))
    const doors = [...host, ...ranges.flatMap((range) => [range.uplinkHost, range.uplinkRouter]), '169.254.1.1', '127.0.0.1']
    const ports = [port, ...homes.flatMap((home) => [home.settings().ports.api, home.settings().ports.http, home.settings().ports.environments])]
    for (const address of doors)
      for (const one of ports) assert.notEqual(await dial(address, one), 'open', `${address}:${one}`)
  })

  it('an instance reaches no other instance of its own home', async () => {
    const seen = new Set<string>()
    for (let request = 0; request < 10; request++) seen.add(/ip-(.*)$/.exec((await get(near)).body)![1]!.replaceAll('-', '.'))
    assert.equal(seen.size, 2)
    for (const address of seen) {
      const self = /ip-(.*)$/.exec((await get(near)).body)![1]!.replaceAll('-', '.')
      const answers = await Promise.all([dial(address, 80), dial(address, 80), dial(address, 80), dial(address, 80)])
      // Whoever answers dials itself half of the time: then it is open, and never the other way round.
      assert.ok(answers.some((answer) => answer !== 'open'), `${self} ${address} ${answers}`)
    }
  })

  it('one goes on when the other ends', async () => {
    const before = sandboxes(near.settings())
    await far.polebean(['down'])
    await untilWhole(near, 'near-app', /^near-app /)
    assert.deepEqual(sandboxes(near.settings()), before)
  })

  it('a port that is taken meanwhile is named with its holder', async () => {
    const { ports } = far.settings()
    for (const [name, port] of [['API', ports.api], ['HTTP', ports.http]] as const) {
      const taken = createServer()
      await new Promise<void>((done) => taken.listen(port, '127.0.0.1', done))
      const { stderr } = await far.polebean(['start'], { status: 1 })
      assert.match(stderr, new RegExp(`port ${port} is taken by \\S+ \\(pid ${process.pid}\\)`), name)
      await new Promise((done) => taken.close(done))
    }
    await far.polebean(['up', join(far.dir, '../probe-app'), '--name', 'far-app'])
    await untilWhole(far, 'far-app', /^far-app /)
    assert.equal((await runProgram(['ip', 'netns', 'exec', `pb-${far.settings().id}`, 'true'])).status, 0)
  })
})
