// A program inside whose streams somebody holds: a shell for an operator. It ends with whoever holds it.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { PassThrough, type Readable } from 'node:stream'
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import { readFileIfAny } from '../../kernel/files.ts'
import { run } from '../../kernel/process.ts'
import type { Session, SessionOptions } from './engine.ts'
import type { Sandboxes } from './sandbox.ts'

type Deps = { sandboxes: Sandboxes; clock: Clock }

/** What does not end by a hang-up is killed after this; what ignores hang-ups (nohup) is let be. */
const HANG_UP_MS = 3_000
const LOOK_MS = 50
/** 128 + SIGHUP. */
const HUNG_UP = 129

/** `isOver`: whether the instance has ended, or is about to. */
export function openSession(
  { sandboxes, clock }: Deps,
  id: string,
  argv: string[],
  options: SessionOptions,
  isOver: () => boolean,
): Session {
  const { argv: words, pidFile, files } = sandboxes.sessionArgv(id, argv, options)
  const { terminal } = options
  const child = terminal
    ? spawnOnTerminal(words, terminal)
    : spawn(words[0]!, words.slice(1), { cwd: '/', env: ENV })
  const pid = () => Number(readFileIfAny(pidFile) ?? 0)
  const processes = () => (pid() > 0 ? sessionProcesses(pid(), sandboxes.cgroupOf(id)) : [])
  let closed = false
  let hungUp = false
  let side = '' // what the terminal's side says: its name, and the process that holds it
  const sideKnown = Promise.withResolvers<void>()
  child.stdio[3]?.on('data', (chunk) => {
    side += String(chunk)
    if (side.split('\n').length > 2) sideKnown.resolve()
  })
  const stdin = new PassThrough()
  // Typed before the terminal is made ready it would be shown twice.
  const begin = () => stdin.pipe(child.stdin!)
  if (terminal) void sideKnown.promise.then(begin)
  else begin()
  child.stdin!.on('error', () => undefined) // it may end without reading all of it
  stdin.on('error', () => undefined)

  const ended = new Promise<{ exit: number; cut: boolean }>((resolve, reject) => {
    child.on('error', (cause) =>
      reject(new EngineError(`cannot run ${words[0]}: ${cause.message}`, { cause })),
    )
    child.on('close', (code) => {
      closed = true
      sideKnown.resolve()
      const started = pid() > 0
      const cut = isOver()
      if (started && processes().length === 0) for (const file of files) rmSync(file, { force: true })
      if (started || cut || hungUp) return resolve({ exit: code ?? (hungUp ? HUNG_UP : 128), cut })
      reject(new EngineError(`no session can be opened in ${id}`))
    })
  })
  ended.catch(() => undefined)

  let resizing: Promise<unknown> = sideKnown.promise
  return {
    stdin,
    stdout: child.stdout as Readable,
    stderr: child.stderr as Readable,
    ended,
    resize(rows, columns) {
      resizing = resizing.then(() => {
        const [name = ''] = side.split('\n')
        if (closed || !name.startsWith('/dev/pts/')) return undefined
        return run(['stty', '-F', name, 'rows', String(rows), 'cols', String(columns)])
      })
    },
    async hangUp() {
      hungUp = true
      stdin.destroy()
      child.stdin!.destroy()
      if (terminal) child.kill('SIGKILL') // its terminal is gone with it
      // runc itself says how the program ended, so it is waited for; it may only just be beginning.
      const isDone = () => {
        const left = processes()
        return (closed || left.length > 0) && left.every(ignoresHangUp)
      }
      await hangUpProcesses(clock, isDone, processes)
      if (!closed) child.kill('SIGKILL')
      const [, holder = ''] = side.split('\n')
      if (readFileIfAny(`/proc/${holder}/cmdline`)?.includes(pidFile)) process.kill(Number(holder), 'SIGKILL')
      for (const file of files) rmSync(file, { force: true })
    },
  }
}

/** Ends the sessions that a control plane left which is dead. */
export async function sweepSessions({ sandboxes, clock }: Deps): Promise<void> {
  for (const id of sandboxes.ids())
    for (const name of readdirSync(sandboxes.runDirOf(id)).filter((one) => one.startsWith(SESSION))) {
      const file = `${sandboxes.runDirOf(id)}/${name}`
      const pid = name.endsWith('.pid') ? Number(readFileIfAny(file) ?? 0) : 0
      const processes = () => (pid > 0 ? sessionProcesses(pid, sandboxes.cgroupOf(id)) : [])
      await hangUpProcesses(clock, () => processes().every(ignoresHangUp), processes)
      rmSync(file, { force: true })
    }
}

/** What the files of a session begin with. */
export const SESSION = 'session-'

async function hangUpProcesses(
  clock: Clock,
  isDone: () => boolean,
  processes: () => number[],
): Promise<void> {
  const told = new Set<number>()
  for (const end = clock.monotonic() + HANG_UP_MS; clock.monotonic() < end; await clock.sleep(LOOK_MS)) {
    // Stopped ones hear of it once they go on.
    for (const one of processes().filter((each) => !told.has(each))) {
      told.add(one)
      signal(one, 'SIGHUP')
      signal(one, 'SIGCONT')
    }
    if (isDone()) return
  }
  for (const one of processes().filter((each) => !ignoresHangUp(each))) signal(one, 'SIGKILL')
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // it has just ended
  }
}

/** Of the kernel's session that process `leader` began, in that cgroup only: the number may be another's by now. */
function sessionProcesses(leader: number, cgroup: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    const stat = readQuietly(`/proc/${name}/stat`)
    const [state, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (Number(session) !== leader || state === 'Z') return []
    return readQuietly(`/proc/${name}/cgroup`).includes(cgroup) ? [Number(name)] : []
  })
}

const ignoresHangUp = (pid: number): boolean => {
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readQuietly(`/proc/${pid}/status`))?.[1]
  return mask !== undefined && (Number.parseInt(mask.slice(-1), 16) & 1) === 1
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it has just ended
  }
}

const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' }

// Node has no terminals. util-linux's script makes one and copies; runc, to which it is the terminal, makes the one inside
// and hands on its size. Constant text: the words are in the environment.
const ON_TERMINAL =
  'stty raw -echo rows "$ROWS" cols "$COLUMNS_" && { tty; echo $$; } >&3 && exec 3>&- && ' +
  'exec "$RUNC" --root "$STATE" exec --process "$PROCESS" --pid-file "$PID_FILE" "$CONTAINER"'

function spawnOnTerminal(words: string[], { rows, columns }: { rows: number; columns: number }) {
  const [RUNC, , STATE, , , PROCESS, , PID_FILE, CONTAINER] = words
  const values = { RUNC, STATE, PROCESS, PID_FILE, CONTAINER, ROWS: String(rows), COLUMNS_: String(columns) }
  return spawn('script', ['--quiet', '--return', '--flush', '--command', ON_TERMINAL, '/dev/null'], {
    cwd: '/',
    env: { ...ENV, ...values, SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  })
}
