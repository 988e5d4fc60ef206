// Whatever is killed is back in place: same instances, same addresses, same disks (design §1.2, §5).
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeTestHome } from './support/home.ts'
import { startLoad } from './support/load.ts'
import { writeProbeApp } from './support/probe-app.ts'
import {
  childrenOf,
  daemonPid,
  kill,
  reboot,
  sandboxes,
  sandboxProcesses,
  supervisors,
  tellDaemon,
  until,
  untilTold,
  untilWhole,
} from './support/world.ts'

const DAEMONS = ['server', 'haproxy', 'metadata', 'resolver']

describe('after a kill', { concurrency: 1 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  let host = ''
  let notes = 0
  const note = async () => {
    const { status, body } = await home.get(host, '/note')
    assert.deepEqual([status, body], [200, String(++notes)])
  }
  const ask = (path = '/') => home.get(host, path).catch(() => ({ status: 0, body: '' }))
  const whole = () => untilWhole(home, 'probe-app', /^v1 /)
  const pidOf = (daemon: string) => daemonPid(home.settings(), daemon) ?? 0
  const daemons = () => DAEMONS.map(pidOf)

  before(async () => {
    const { stdout } = await home.polebean([
      'up',
      writeProbeApp(join(home.dir, '../probe-app'), 'v1'),
      '--name',
      'probe-app',
    ])
    host = new URL(stdout.trim()).hostname
    await note()
    await untilTold(home)
  })

  it('of the application, it is started again by the instance itself', async () => {
    const [instance] = sandboxes(home.settings())
    const application = () =>
      sandboxProcesses(home.settings(), instance!.id).find(({ argv }) => argv.startsWith('node\0'))?.pid
    const before = application()
    kill(before!)
    await until('another application', () => ![undefined, before].includes(application()))
    await until('it answers', async () => (await ask()).status === 200)
    await note()
    assert.deepEqual(sandboxes(home.settings()), [instance], 'the sandbox was not touched')
    await whole()
  })

  it("of an instance's first process, the instance is back with its id, address and disk", async () => {
    const [instance] = sandboxes(home.settings())
    const { body } = await ask()
    kill(instance!.pid)
    await until('another first process', () =>
      sandboxes(home.settings()).some(({ pid }) => pid !== instance!.pid),
    )
    await whole()
    assert.deepEqual(
      sandboxes(home.settings()).map(({ id }) => id),
      [instance!.id],
    )
    assert.equal((await ask()).body, body, 'version and address are the same')
    await note()
  })

  /** Kills worker or master; both end with either, and another pair serves within two seconds. */
  const killHaproxy = async (which: 'worker' | 'master') => {
    const master = pidOf('haproxy')
    const [worker = 0] = childrenOf(master)
    assert.notEqual(worker, 0)
    // The application answers it after a second.
    const underWay = await sendRequest(home.settings().ports.http, host, '/dial?host=169.254.1.1&port=9')
    kill(which === 'worker' ? worker : master)
    const another = async () => ![0, master].includes(pidOf('haproxy')) && (await ask()).status === 200
    await until(`service after the death of the ${which}`, another, 2_000)
    assert.ok(!childrenOf(pidOf('haproxy')).includes(worker), 'another worker serves')
    assert.equal(await underWay.answer, '', 'what was in flight is cut')
  }

  it("of HAProxy's worker or master, what is in flight is cut and service is back within two seconds", async () => {
    for (const which of ['worker', 'master'] as const) {
      await killHaproxy(which)
      await whole()
    }
  })

  it('of HAProxy while there is no control plane, service is back within two seconds', async () => {
    tellDaemon(home.settings(), 'server', 'd')
    kill(pidOf('server'))
    await until('the control plane is dead', () => pidOf('server') === 0)
    for (const which of ['worker', 'master'] as const) await killHaproxy(which)
    assert.equal(pidOf('server'), 0)
    tellDaemon(home.settings(), 'server', 'u')
    await whole()
    await note()
  })

  it('of the control plane, no request is lost and the next one adopts what runs', async () => {
    const before = [
      sandboxes(home.settings()),
      pidOf('haproxy'),
      pidOf('resolver'),
      supervisors(home.settings()),
    ]
    const load = startLoad(home.settings().ports.http, host)
    for (let life = 0; life < 2; life++) {
      await sleep(300)
      const server = pidOf('server')
      kill(server)
      await until('another control plane', () => ![0, server].includes(pidOf('server')))
      await whole()
    }
    const { answered, failed } = await load.stop()
    assert.deepEqual(failed, [])
    assert.ok(answered > 100, `${answered} requests`)
    assert.deepEqual(
      [sandboxes(home.settings()), pidOf('haproxy'), pidOf('resolver'), supervisors(home.settings())],
      before,
    )
  })

  it('of the resolver, it is back', async () => {
    const resolver = pidOf('resolver')
    kill(resolver)
    await until('another resolver', () => ![0, resolver].includes(pidOf('resolver')))
    await whole()
  })

  it('of the supervisor, another one stands ready and what it kept runs on', async () => {
    const before = daemons()
    const [supervisor] = supervisors(home.settings())
    kill(supervisor!)
    await until('another supervisor', () => supervisors(home.settings()).length === 1)
    assert.deepEqual(daemons(), before)
    await whole()
    const server = pidOf('server')
    kill(server)
    await until('another control plane', () => ![0, server].includes(pidOf('server')))
    await whole()
  })

  it('of everything at once, up brings all back as after a reboot', async () => {
    const ids = sandboxes(home.settings()).map(({ id }) => id)
    const { body } = await ask()
    await reboot(home.settings())
    assert.equal((await ask()).status, 0)
    const startedAt = performance.now()
    await home.polebean(['up', join(home.dir, '../probe-app'), '--name', 'probe-app'])
    await whole()
    assert.ok(performance.now() - startedAt < 30_000, `${performance.now() - startedAt} ms`)
    assert.deepEqual(
      sandboxes(home.settings()).map(({ id }) => id),
      ids,
    )
    assert.equal((await ask()).body, body, 'version and address are the same')
    await note()
  })
})

/** Sends a request on a connection of its own; resolves when it is sent, to what comes back until the connection ends. */
function sendRequest(port: number, host: string, path: string): Promise<{ answer: Promise<string> }> {
  const socket = connect({ host: '127.0.0.1', port })
  const answer = new Promise<string>((resolve) => {
    let said = ''
    socket.on('data', (chunk) => (said += String(chunk)))
    socket.on('error', () => undefined) // a reset
    socket.on('close', () => resolve(said))
  })
  return new Promise((resolve) =>
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, () =>
      resolve({ answer }),
    ),
  )
}
