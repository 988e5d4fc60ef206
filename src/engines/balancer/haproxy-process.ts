// The one HAProxy of a home: its files, its start under the supervisor, its reload, its sockets.
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import { readFileIfAny, writeFileAtomic } from '../../kernel/files.ts'
import type { Log } from '../../kernel/log.ts'
import { run } from '../../kernel/process.ts'
import { isElsewhere } from '../network/ip.ts'
import type { Service, Supervisor } from '../supervisor/engine.ts'
import { endOfLog, readLogLines } from './log-files.ts'
import { parseInfo, parseOldWorkers } from './running.ts'
import { ask } from './socket.ts'
import type { Bind } from './wanted-ports.ts'

/** File name (within the folder) → content. */
export type Files = Map<string, string>

/** The frame of a worker's configuration, its pid, and a name for the life of this process. */
export type Following = { frame: string; boot: string; pid: string }

export type HaproxyProcess = ReturnType<typeof makeHaproxyProcess>

type Options = {
  /** Of the daemon: `haproxy` unless said. */
  name?: string
  clock: Clock
  log: Log
  supervisor: Supervisor
  dir: string
  /** Where the supervisor's log keeps HAProxy's output. */
  logDir: string
  filesMax: number
  /** What is kept of its output; absent = what the supervisor keeps of any. */
  keeps?: Service['log']
  /** argv → argv that runs it where HAProxy belongs. */
  wrap(argv: string[]): string[]
  /** The network namespace where HAProxy belongs; null = the one of the control plane. */
  namespace: string | null
}

export function makeHaproxyProcess(options: Options) {
  const { clock, log, supervisor, dir, logDir, filesMax, wrap, namespace } = options
  const adminSocket = join(dir, 'admin.sock')
  const masterSocket = join(dir, 'master.sock')
  if (Buffer.byteLength(masterSocket) > SOCKET_PATH_BYTES_MAX)
    throw new EngineError(
      `HAProxy takes socket paths of ${SOCKET_PATH_BYTES_MAX} bytes at most: ${masterSocket}`,
    )
  const service: Service = {
    name: options.name ?? 'haproxy',
    argv: wrap(['haproxy', '-W', '-S', `${masterSocket},mode,600`, '-f', join(dir, 'haproxy.cfg')]),
    env: {},
    filesMax,
    ...(options.keeps ? { log: options.keeps } : {}),
  }

  const info = async () => parseInfo(await ask(adminSocket, 'show info'))

  const followingOf = (known: Map<string, string>): Following => {
    const pid = known.get('Pid') ?? ''
    return { frame: (known.get('node') ?? '').replace('polebean-', ''), boot: `${pid}-${startOf(pid)}`, pid }
  }

  /** What the answering worker follows; null when nobody answers. */
  const follows = async (): Promise<Following | null> => {
    const known = await info().catch(() => null)
    return known && followingOf(known)
  }

  /** The answer to a `show stat`, and the worker that gives it: one connection, so that it is one worker. */
  const statistics = async (question: string): Promise<{ boot: string; answer: string }> => {
    const said = await ask(adminSocket, `show info;${question}`)
    const start = said.indexOf('\n# ')
    if (start < 0) throw new EngineError('HAProxy does not tell its statistics')
    const { boot } = followingOf(parseInfo(said.slice(0, start)))
    return { boot, answer: said.slice(start + 1) }
  }

  /** Whether the supervisor has it running, answering or not. */
  const isRunning = async () =>
    (await supervisor.list()).some(({ name, running }) => name === service.name && running)

  const untilFollowing = async (frame: string, saidBefore: string | null) => {
    const end = clock.monotonic() + FOLLOW_MS
    const alerts: string[] = []
    for (let position = saidBefore; ;) {
      if ((await follows())?.frame === frame) return
      const said = readLogLines(logDir, position, READ_BYTES)
      position = said.position || null
      alerts.push(...alertsIn(said.lines))
      if (alerts.length > 0) {
        const binds = refusedBinds(alerts)
        throw binds.size > 0 ? new BindError(binds) : new EngineError(`HAProxy: ${alerts[0]}`)
      }
      if (clock.monotonic() > end)
        throw new EngineError(`HAProxy does not follow its configuration within ${FOLLOW_MS} ms`)
      await clock.sleep(POLL_MS)
    }
  }

  // A master that could not take a configuration waits: its worker goes on, but is not brought back when it dies.
  let isWaiting = false
  /** Out of its waiting. One that ended instead is started with the files that are there. Never throws. */
  const wake = async () => {
    try {
      if (await isRunning()) await supervisor.signal(service.name, 'USR2')
      isWaiting = false
    } catch (error) {
      if (!isWaiting)
        log.warn('HAProxy could not be told to follow its former configuration; it is tried again', {
          daemon: service.name,
          error,
        })
      isWaiting = true
    }
  }

  // For a moment after a reload nobody listens there. That must not look like "no former worker".
  const askMaster = async (question: string): Promise<string> => {
    for (const end = clock.monotonic() + COMING_MS; ; await clock.sleep(POLL_MS))
      try {
        return await ask(masterSocket, question)
      } catch (error) {
        if (clock.monotonic() > end) throw error
      }
  }

  const read = (name: string) => readFileIfAny(join(dir, name))
  const write = (files: Files) => {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    mkdirSync(join(dir, 'empty'), { recursive: true, mode: 0o755 })
    for (const [name, content] of files)
      if (read(name) !== content) writeFileAtomic(join(dir, name), content, 0o600)
  }

  return {
    adminSocket,
    follows,
    statistics,
    read,
    write,

    /** Takes away what configurations named, of former configurations. */
    prune(files: Files) {
      for (const name of readdirSync(dir))
        if (/\.(map|pem|lst|list|txt|html)$/.test(name) && !files.has(name)) rmSync(join(dir, name))
    },

    isRunning,

    /** As `follows`, but waits a moment for a HAProxy that is just being started by its supervisor. */
    async settled() {
      if (isWaiting) await wake()
      const end = clock.monotonic() + COMING_MS
      for (;;) {
        const following = await follows()
        const isAstray =
          following !== null && namespace !== null && isElsewhere(Number(following.pid), namespace)
        // The network was made anew under it: it carries nothing where it is.
        if (isAstray) await supervisor.signal(service.name, 'TERM')
        else if (following || !(await isRunning()) || clock.monotonic() > end) return following
        await clock.sleep(POLL_MS)
      }
    },

    /** Whether a process is one of this HAProxy, by the file that it follows. */
    isOurs: (pid: number) =>
      (readFileIfAny(`/proc/${pid}/cmdline`) ?? '').split('\0').includes(join(dir, 'haproxy.cfg')),

    /** HAProxy reads the files and judges; its complaint becomes the error. `render` gives them for another folder. */
    async check(render: (dir: string) => Files): Promise<void> {
      const folder = join(dir, 'check')
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(join(folder, 'empty'), { recursive: true, mode: 0o700 })
      for (const [name, content] of render(folder)) writeFileAtomic(join(folder, name), content, 0o600)
      const { exit, stderr } = await run(wrap(['haproxy', '-c', '-f', join(folder, 'haproxy.cfg')]))
      rmSync(folder, { recursive: true, force: true })
      if (exit === 0) return
      const said = stderr.toString().split('\n')
      const line = said.find((one) => one.includes('[ALERT]') && /parsing|'/.test(one)) ?? said.find(Boolean)
      throw new EngineError(`HAProxy refuses the configuration: ${(line ?? `exit ${exit}`).trim()}`)
    },

    /** Starts HAProxy, or has it read its files again; resolves when a worker follows `frame`. */
    async start(frame: string): Promise<void> {
      const said = endOfLog(logDir)
      await supervisor.ensure(service)
      await untilFollowing(frame, said)
      chmodSync(adminSocket, 0o600)
    },

    /** Takes the files in force without losing a connection; when HAProxy cannot, those of before come back. */
    async reload(files: Files, frame: string): Promise<void> {
      const before: Files = new Map([...files.keys()].flatMap((name) => [[name, read(name) ?? '']]))
      const said = endOfLog(logDir)
      write(files)
      await supervisor.signal(service.name, 'USR2')
      await untilFollowing(frame, said).catch(async (error: unknown) => {
        write(before)
        await wake()
        throw error
      })
    },

    /** Workers of former configurations that still answer somebody: each one's `show stat`. */
    async oldStatistics(): Promise<string[]> {
      const pids = parseOldWorkers(await askMaster('show proc'))
      // A worker that ends meanwhile has nothing in flight.
      const answers = pids.map((pid) => ask(masterSocket, `@!${pid} show stat -1 4 -1`).catch(() => ''))
      return (await Promise.all(answers)).filter((answer) => answer.startsWith('#'))
    },
  }
}

// unix(7): sun_path has 108 bytes; HAProxy binds beside it first, under a name that is longer.
const SOCKET_PATH_BYTES_MAX = 97
const FOLLOW_MS = 10_000
const COMING_MS = 3_000
const POLL_MS = 10
const READ_BYTES = 1_000_000

/** HAProxy cannot have these: bind → why. */
export class BindError extends EngineError {
  readonly binds: ReadonlyMap<Bind, string>
  constructor(binds: ReadonlyMap<Bind, string>) {
    super(`HAProxy cannot listen: ${[...binds].map(([bind, why]) => `${bind} ${why}`).join('; ')}`)
    this.binds = binds
  }
}

// `[ALERT] (12) : Starting frontend public-80: cannot bind socket (Address already in use) for [127.0.0.1:80]`
// Those in the VPC are not among them: nobody else can have their addresses.
function refusedBinds(alerts: string[]): Map<Bind, string> {
  const refused =
    / frontend (?:public|own)-\S+: cannot (?:bind|listen to) socket \(([^)]*)\) (?:for )?\[(.*):(\d+)\]/
  return new Map(
    alerts.flatMap((alert) => {
      const [, why, address = '', port] = refused.exec(alert) ?? []
      if (why === undefined) return []
      const bind = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
      return [[bind, `cannot be listened on: ${why}`] as const]
    }),
  )
}

/**
 * Why it does not start, or not with this configuration. Lines of requests hold what clients send; they begin with another word.
 * That workers end and that a target group has no server any more says nothing of a start.
 */
const alertsIn = (lines: string[]): string[] =>
  lines.flatMap((line) => {
    const [, alert] = /^\S+ (\[ALERT\].*)$/.exec(line) ?? []
    return alert === undefined || /exited with|Current worker|All workers|no server available/.test(alert)
      ? []
      : [alert]
  })

// A pid may come again; together with the time of its start it does not.
function startOf(pid: string): string {
  const stat = readFileIfAny(`/proc/${pid}/stat`) ?? ''
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
}
