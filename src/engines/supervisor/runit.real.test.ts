import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemClock as clock } from '../../kernel/clock.ts'
import { makeIds } from '../../kernel/ids.ts'
import { run, runOk } from '../../kernel/process.ts'
import { systemRandom } from '../../kernel/random.ts'
import { groupingRoots } from './cgroup.ts'
import { describeSupervisor } from './conformance.ts'
import type { Supervisor } from './engine.ts'
import { makeRunit } from './runit.ts'
import { findRunsvdir } from './runsvdir.ts'

const sleeper = (name: string, mark = '') => ({
  name,
  argv: ['sh', '-c', 'echo "started $MARK $(ulimit -n)"; exec sleep 1000'],
  env: { MARK: mark },
  filesMax: 512,
})

async function open(expected: string[] = []) {
  const dir = mkdtempSync(join(tmpdir(), 'pbt-a b ü-'))
  const id = makeIds(systemRandom).lower('', 6)
  const engine = () => makeRunit({ clock, home: { dir, id } }, expected)
  const close = async () => {
    await engine().shutdown()
    rmSync(dir, { recursive: true })
    assert.equal(await runOk(['find', '/sys/fs/cgroup', '-type', 'd', '-name', id]), '')
  }
  return { dir, id, engine, close }
}

const pidOf = async (supervisor: Supervisor, name: string) =>
  (await supervisor.list()).find((service) => service.name === name)?.pid ?? null

describeSupervisor('runit', async () => {
  const { engine, close } = await open(['one', 'two'])
  return { clock, engine, close, service: sleeper, kill: (_name, pid) => void process.kill(pid, 'SIGKILL') }
})

describe('runit on the machine', () => {
  it('logs what a daemon says, bounded, with the limits it was given', async () => {
    const home = await open(['one'])
    try {
      await home.engine().ensure(sleeper('one', 'here'))
      const log = join(home.dir, 'log', 'one')
      await until(
        () =>
          existsSync(join(log, 'current')) &&
          /started here 512/.test(readFileSync(join(log, 'current'), 'utf8')),
      )
      assert.match(readFileSync(join(log, 'config'), 'utf8'), /^s\d+\nn\d+$/m)
    } finally {
      await home.close()
    }
  })

  it('lives in a session of its own, and two homes run side by side', async () => {
    const [one, two] = [await open(['same']), await open(['same'])]
    try {
      await Promise.all([one.engine().ensure(sleeper('same')), two.engine().ensure(sleeper('same'))])
      const [pid = 0] = findRunsvdir(join(one.dir, 'supervise'))
      assert.equal((await runOk(['ps', '-o', 'sid=', '-p', String(pid)])).trim(), String(pid))
      const other = await pidOf(two.engine(), 'same')
      await one.engine().shutdown()
      assert.equal(await pidOf(two.engine(), 'same'), other)
      assert.deepEqual(findRunsvdir(join(one.dir, 'supervise')), [])
    } finally {
      await Promise.all([one.close(), two.close()])
    }
  })

  it('has a cgroup of its own, in every hierarchy that a service manager ends processes by', async (t) => {
    const roots = groupingRoots(readFileSync('/proc/self/mountinfo', 'utf8'))
    if (roots.length === 0) return t.skip('no cgroup hierarchy is mounted')
    const home = await open(['one'])
    try {
      const own = readFileSync('/proc/self/cgroup', 'utf8')
      await home.engine().ensure(sleeper('one'))
      const [runsvdir = 0] = findRunsvdir(join(home.dir, 'supervise'))
      for (const pid of [runsvdir, await pidOf(home.engine(), 'one')]) {
        const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n')
        assert.equal(
          lines.filter((line) => line.endsWith(`/polebean/${home.id}/daemons`)).length,
          roots.length,
          lines.join(' '),
        )
      }
      assert.equal(readFileSync('/proc/self/cgroup', 'utf8'), own)
      t.diagnostic(`hierarchies: ${roots.join(', ')}`)
    } finally {
      await home.close()
    }
  })

  it('ends at shutdown what a daemon left running beside itself', async () => {
    const home = await open(['one'])
    const mark = `4711.${Number.parseInt(home.id, 36)}`
    const left = async () => (await run(['pgrep', '-f', `^sleep ${mark}$`])).exit === 0
    const argv = ['sh', '-c', `setsid sleep ${mark} >/dev/null 2>&1 & exec sleep 1000`]
    try {
      await home.engine().ensure({ name: 'one', argv, env: {}, filesMax: null })
      await until(left)
    } finally {
      await home.close()
    }
    assert.equal(await left(), false)
  })

  it('restarts a killed daemon while the control plane is dead', async () => {
    const home = await open(['one'])
    try {
      // Another process is the control plane: it ensures, says the pid and is gone.
      const life = `
        import { makeRunit } from ${JSON.stringify(join(import.meta.dirname, 'runit.ts'))}
        import { systemClock as clock } from ${JSON.stringify(join(import.meta.dirname, '../../kernel/clock.ts'))}
        const supervisor = makeRunit({ clock, home: { dir: process.argv[1], id: process.argv[2] } }, ['one'])
        await supervisor.ensure({ name: 'one', argv: ['sleep', '1000'], env: {}, filesMax: null })
        console.log((await supervisor.list())[0].pid)
        process.kill(process.pid, 'SIGKILL')`
      const { stdout } = await run([process.execPath, '--input-type=module', '-e', life, home.dir, home.id])
      const pid = Number(stdout.toString())
      assert.equal(await pidOf(home.engine(), 'one'), pid)
      const killedAt = clock.monotonic()
      process.kill(pid, 'SIGKILL')
      await until(async () => ![null, pid].includes(await pidOf(home.engine(), 'one')))
      assert.ok(clock.monotonic() - killedAt < 2_000)
    } finally {
      await home.close()
    }
  })

  it('finds a service that it did not expect, and one whose supervisor was killed', async () => {
    const home = await open([])
    try {
      await home.engine().ensure(sleeper('one'))
      await home.engine().ensure(sleeper('late'))
      const before = await pidOf(home.engine(), 'late')
      for (const pid of findRunsvdir(join(home.dir, 'supervise'))) process.kill(pid, 'SIGKILL')
      await until(() => findRunsvdir(join(home.dir, 'supervise')).length === 0)
      await home.engine().ensure(sleeper('late'))
      assert.equal(await pidOf(home.engine(), 'late'), before)
      await until(() => findRunsvdir(join(home.dir, 'supervise')).length === 1) // a child before its exec looks like it
    } finally {
      await home.close()
    }
  })

  it('starts clean after a reboot: what lay there runs only when it is wanted again', async () => {
    const home = await open(['one', 'old'])
    try {
      await home.engine().ensure(sleeper('old'))
      // The machine goes down: every process of the home is gone, its files stay.
      const supervise = join(home.dir, 'supervise')
      const pids = await tree(findRunsvdir(supervise)[0] ?? 0)
      for (const pid of pids) process.kill(pid, 'SIGKILL')
      await until(() => pids.every(isGone))
      await home.engine().ensure(sleeper('one'))
      assert.deepEqual(
        (await home.engine().list()).map(({ name }) => name),
        ['one'],
      )
      assert.deepEqual(readdirSync(supervise).sort(), ['old', 'one'])
    } finally {
      await home.close()
    }
  })
})

/** A zombie holds nothing any more. */
function isGone(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return true
  }
}

async function tree(pid: number): Promise<number[]> {
  const children = (await run(['ps', '-o', 'pid=', '--ppid', String(pid)])).stdout
    .toString()
    .split('\n')
    .filter(Boolean)
  return [pid, ...(await Promise.all(children.map((child) => tree(Number(child))))).flat()]
}

async function until(done: () => boolean | Promise<boolean>, timeoutMs = 8_000) {
  for (const end = clock.monotonic() + timeoutMs; !(await done());) {
    assert.ok(clock.monotonic() < end, 'it did not happen in time')
    await clock.sleep(10)
  }
}
