// The supervisor: one runsvdir per home (design §1.2), its services in <home>/supervise, their logs in <home>/log.
// Everything is asked of runit itself, so a control plane that comes later adopts what it finds.
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { EngineError, reasonOf } from '../../kernel/errors.ts'
import { readFileIfAny, writeFileAtomic } from '../../kernel/files.ts'
import type { Home } from '../../kernel/home.ts'
import { daemonsIn, removeDaemonCgroup } from './cgroup.ts'
import type { Service, Supervisor } from './engine.ts'
import { checkName, renderLogLimits, renderLogScript, renderRunScript } from './run-script.ts'
import { command, readStatus, type RunsvStatus } from './runsv.ts'
import { findRunsvdir, startRunsvdir } from './runsvdir.ts'

/** `expected`: services that will come. Their supervisors stand ready, since runsvdir may take six seconds to find a new one. */
export function makeRunit(
  { clock, home }: { clock: Clock; home: Pick<Home, 'dir' | 'id'> },
  expected: string[] = ['haproxy', 'resolver'],
): Supervisor {
  const root = join(home.dir, 'supervise')
  const dirOf = (name: string) => join(root, checkName(name))
  const logDirOf = (name: string) => join(home.dir, 'log', name)
  const inTurn = makeTurns()

  const ensure = async (service: Service) => {
    const dir = dirOf(service.name)
    const script = renderRunScript(service)
    await ensureRunning(service.name)
    const changed = readFileIfAny(join(dir, 'run')) !== script
    const before = readStatus(dir)
    if (changed) writeScript(join(dir, 'run'), script)
    followLog(service)
    rmSync(join(dir, 'down'), { force: true })
    if (changed && before?.pid) await restart(dir, before.pid)
    if (readStatus(dir)?.state !== 'run') command(dir, 'u')
    await until(`${service.name} did not start`, START_MS, () => readStatus(dir)?.state === 'run')
  }

  // Nothing of what the daemon says is lost meanwhile: its end of the pipe is the supervisor's.
  const followLog = ({ name, log }: Service) => {
    const script = join(dirOf(name), 'log', 'run')
    const config = join(logDirOf(name), 'config')
    const [limits, wanted] = [renderLogLimits(log), renderLogScript(logDirOf(name))]
    if (readFileIfAny(config) === limits && readFileIfAny(script) === wanted) return
    writeFileAtomic(config, limits)
    writeScript(script, wanted)
    command(join(dirOf(name), 'log'), 't')
  }

  // Also right after a reboot: what then lies in the directory has no supervisor, and waits for its `ensure`.
  const ensureRunning = async (name: string) => {
    prepare(name)
    if (findRunsvdir(root).length === 0) {
      for (const old of readdirSync(root))
        if (!readStatus(join(root, old))) rmSync(join(root, old), { recursive: true })
      for (const one of new Set([...expected, name])) prepare(one)
      await startRunsvdir(root, home.id).catch((cause: unknown) => {
        throw new EngineError(`cannot start runsvdir (package runit): ${reasonOf(cause)}`, { cause })
      })
    }
    await until(`no supervisor for ${name}`, FOUND_MS, () => readStatus(dirOf(name)) !== null)
  }

  // A service directory that is supervised but down until its `run` is there; complete before runsvdir can see it.
  const prepare = (name: string) => {
    const dir = dirOf(name)
    mkdirSync(root, { recursive: true, mode: 0o700 })
    if (existsSync(dir)) return
    const beside = join(root, `.${name}`) // runsvdir passes over names with a dot
    rmSync(beside, { recursive: true, force: true })
    writeFileAtomic(join(beside, 'down'), '')
    writeScript(join(beside, 'log', 'run'), renderLogScript(logDirOf(name)))
    mkdirSync(logDirOf(name), { recursive: true, mode: 0o700 })
    writeFileAtomic(join(logDirOf(name), 'config'), renderLogLimits())
    renameSync(beside, dir)
  }

  const restart = async (dir: string, pid: number) => {
    command(dir, 't')
    const another = () => readStatus(dir)?.pid !== pid
    await until('did not end', GRACE_MS, another).catch(async () => {
      command(dir, 'k')
      await until(`${dir} does not end`, GRACE_MS, another)
    })
  }

  const end = async (dir: string) => {
    const down = () => (readStatus(dir)?.state ?? 'down') === 'down'
    command(dir, 'd')
    await until('did not end', GRACE_MS, down).catch(async () => {
      command(dir, 'k')
      await until(`${dir} does not end`, GRACE_MS, down)
    })
  }

  const stop = async (name: string) => {
    const dir = dirOf(name)
    if (!existsSync(dir)) return
    writeFileAtomic(join(dir, 'down'), '') // a supervisor that comes back meanwhile must not start it again
    await end(dir)
  }

  const remove = async (name: string) => {
    const dir = dirOf(name)
    if (!existsSync(dir)) return
    await stop(name)
    const beside = join(root, `.removed-${name}`)
    rmSync(beside, { recursive: true, force: true })
    renameSync(dir, beside)
    command(beside, 'x')
    await until(`the supervisor of ${name} does not end`, GRACE_MS, () => readStatus(beside) === null)
    rmSync(beside, { recursive: true })
  }

  const services = (): { name: string; status: RunsvStatus | null }[] =>
    (existsSync(root) ? readdirSync(root) : [])
      .filter((name) => !name.startsWith('.') && existsSync(join(root, name, 'run')))
      .map((name) => ({ name, status: readStatus(join(root, name)) }))

  const shutdown = async () => {
    for (const pid of findRunsvdir(root)) kill(pid, 'SIGHUP') // it passes TERM on to every runsv and ends
    const dirs = (existsSync(root) ? readdirSync(root) : []).map((name) => join(root, name))
    for (const dir of dirs) command(dir, 'x')
    const left = () => dirs.filter((dir) => readStatus(dir) !== null)
    await until('did not end', GRACE_MS, () => left().length === 0).catch(async () => {
      for (const dir of left()) command(dir, 'k')
      for (const pid of daemonsIn(home.id)) kill(pid, 'SIGKILL') // one that left the log's pipe to a child
      await until('some daemons do not end', GRACE_MS, () => left().length === 0)
    })
    await until('runsvdir does not end', GRACE_MS, () => findRunsvdir(root).length === 0)
    await until('', LEFT_OVER_MS, () => daemonsIn(home.id).length === 0).catch(() => {
      for (const pid of daemonsIn(home.id)) kill(pid, 'SIGKILL') // what a daemon left running beside itself
    })
    await until('the cgroup of the daemons is in use', GRACE_MS, () => removeDaemonCgroup(home.id))
    rmSync(root, { recursive: true, force: true })
  }

  const until = async (what: string, timeoutMs: number, done: () => boolean) => {
    const end = clock.monotonic() + timeoutMs
    while (!done()) {
      if (clock.monotonic() > end) throw new EngineError(`${what} within ${timeoutMs} ms`)
      await clock.sleep(POLL_MS)
    }
  }

  return {
    ensure: (service) => inTurn(() => ensure(service)),
    stop: (name) => inTurn(() => stop(name)),
    remove: (name) => inTurn(() => remove(name)),
    shutdown: () => inTurn(shutdown),
    list: async () =>
      services().map(({ name, status }) => ({
        name,
        running: status?.pid != null,
        pid: status?.pid ?? null,
        sinceSeconds: status ? Math.max(0, Math.floor((clock.now() - status.since) / 1000)) : 0,
      })),
    signal: async (name, signal) => {
      if (!readStatus(dirOf(name))?.pid || !command(dirOf(name), SIGNALS[signal]))
        throw new EngineError(`${name} does not run`)
    },
  }
}

const START_MS = 5_000
const FOUND_MS = 8_000
const GRACE_MS = 10_000
const LEFT_OVER_MS = 2_000
const POLL_MS = 10
const SIGNALS = { HUP: 'h', USR1: '1', USR2: '2', TERM: 't' } as const

function writeScript(path: string, text: string) {
  writeFileAtomic(path, text, 0o700)
  chmodSync(path, 0o700)
}

function kill(pid: number, signal: NodeJS.Signals) {
  try {
    process.kill(pid, signal)
  } catch {
    // it has ended by itself
  }
}

/** One change at a time: two calls for one service must not see each other's half. */
function makeTurns() {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work)
    last = turn
    return turn
  }
}
