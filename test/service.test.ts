// The server as a unit of systemd runs it: in the foreground, in a control group of its own, at boot, whether or not there
// is a network. (systemd itself: test:machine.)
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { groupingRoots } from '../src/engines/supervisor/cgroup.ts'
import { makeTestHome, root, runProgram } from './support/home.ts'
import { startLoad } from './support/load.ts'
import { writeProbeApp } from './support/probe-app.ts'
import {
  daemonPid,
  kill,
  reboot,
  sandboxes,
  sandboxProcesses,
  supervisors,
  until,
  untilWhole,
} from './support/world.ts'

const POLEBEAN = join(root, 'bin/polebean')
// Below those of instances, as the unit's is; less than nothing is not for every root.
const OOM_SCORE = '50'
// $@: folders of control groups, `--`, then the program. As systemd does it: inside before it runs.
const ENTER = `echo ${OOM_SCORE} >/proc/self/oom_score_adj
while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift; exec "$@"`
// A machine without any network but its loopback; $1 lies over the list of resolvers. What is mounted in /run is seen outside.
const OFFLINE = `mount --make-private / && mount --bind "$1" /etc/resolv.conf && ip link set lo up && shift && exec "$@"`

describe('the server as a service', { concurrency: 1 }, () => {
  const home = makeTestHome()
  let server: ChildProcess | undefined
  let groups: string[] = []
  let host = ''

  after(async () => {
    await endServer('SIGKILL')
    inGroup().forEach(kill)
    await until('the group is empty', () => inGroup().length === 0)
    for (const group of groups) rmdirSync(group)
    assert.deepEqual(await home.remove(), [])
  })

  before(async () => {
    const app = writeProbeApp(join(home.dir, '../probe-app'), 'v1')
    const { stdout } = await home.polebean(['up', app, '--name', 'probe-app'])
    host = new URL(stdout.trim()).hostname
    await untilWhole(home, 'probe-app', /^v1 /)
    await home.polebean(['down'])
    groups = groupingRoots(readFileSync('/proc/self/mountinfo', 'utf8')).map((folder) =>
      join(folder, `polebean-test-${home.settings().id}.service`),
    )
    for (const group of groups) mkdirSync(group)
  })

  const startServer = (around: string[] = []) => {
    const words = [
      'sh',
      '-c',
      ENTER,
      'enter',
      ...groups,
      '--',
      ...around,
      POLEBEAN,
      'server',
      '--home',
      home.dir,
    ]
    server = spawn(words[0]!, words.slice(1), { cwd: '/', stdio: 'ignore' })
    return server
  }
  const endServer = async (signal: NodeJS.Signals) => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return
    const ended = new Promise((resolve) => server!.once('exit', resolve))
    server.kill(signal)
    await ended
  }
  const inGroup = () =>
    groups.flatMap((group) =>
      readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number),
    )
  const engines = () => [
    sandboxes(home.settings()),
    ...['haproxy', 'resolver'].map((name) => daemonPid(home.settings(), name)),
    supervisors(home.settings()),
  ]
  const layers = () => {
    const folder = join(home.dir, 'layers')
    return readdirSync(folder).map((name) => `${name} ${statSync(join(folder, name)).ino}`)
  }

  it('has no engine and no instance in its control group, so killing all of that loses no request', async () => {
    startServer()
    await untilWhole(home, 'probe-app', /^v1 /)
    const before = engines()
    await until('nothing but the server is in its group', () => inGroup().every((pid) => pid === server!.pid))
    assert.ok(inGroup().length > 0)

    const load = startLoad(home.settings().ports.http, host)
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      // Whatever it is doing just now goes with it: no unit of ours is ended so, this is the worst of all.
      const all = inGroup()
      if (signal === 'SIGKILL') all.forEach(kill)
      await endServer(signal)
      startServer()
      await untilWhole(home, 'probe-app', /^v1 /)
    }
    const { answered, failed } = await load.stop()
    assert.deepEqual(failed, [])
    assert.ok(answered > 100, `${answered} requests`)
    assert.deepEqual(engines(), before, 'nothing was restarted')
  })

  it('keeps what it must not lose from the kernel, and gives that to no application', () => {
    const scoreOf = (pid: number) => readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim()
    for (const pid of [
      server!.pid,
      ...['haproxy', 'resolver'].map((name) => daemonPid(home.settings(), name)),
    ])
      assert.equal(scoreOf(pid!), OOM_SCORE)
    for (const { pid, argv } of sandboxProcesses(home.settings()))
      assert.ok(Number(scoreOf(pid)) > Number(OOM_SCORE), argv)
  })

  it('brings everything back after a reboot without any network, and builds nothing', async () => {
    const instances = sandboxes(home.settings()).map(({ id }) => id)
    const [{ body }, built, resolvers] = [await home.get(host), layers(), join(home.dir, '../resolv.conf')]
    writeFileSync(resolvers, '')
    await endServer('SIGKILL')
    await reboot(home.settings())
    assert.equal(existsSync(home.settings().runDir), false)

    const alone = [
      'unshare',
      '--net',
      '--mount',
      '--propagation',
      'unchanged',
      'sh',
      '-c',
      OFFLINE,
      'offline',
    ]
    const startedAt = performance.now()
    const { pid } = startServer([...alone, resolvers])
    const inside = (argv: string[]) => runProgram(['nsenter', '-t', String(pid), '-n', '-m', ...argv])
    const url = `http://127.0.0.1:${home.settings().ports.http}/`
    const ask = async () => (await inside(['curl', '-s', '-m', '2', '-H', `Host: ${host}`, url])).stdout
    await until('it answers', async () => (await ask()) === body, 30_000)
    assert.ok(performance.now() - startedAt < 30_000, `${performance.now() - startedAt} ms`)
    assert.equal((await inside(['ip', 'route', 'show', 'default'])).stdout, '')
    const { stdout } = await inside([POLEBEAN, 'status', 'probe-app', '--json', '--home', home.dir])
    const shown = JSON.parse(stdout) as { status: string; instances: { id: string }[] }
    assert.equal(shown.status, 'Ready')
    assert.deepEqual(
      shown.instances.map(({ id }) => id),
      instances,
    )
    assert.deepEqual(layers(), built)
    await endServer('SIGTERM')
    await reboot(home.settings())
  })
})
