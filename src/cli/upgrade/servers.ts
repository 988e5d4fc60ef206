// The servers that run from an installation, found by what the kernel says of processes; how each is stopped, and started
// on other code.
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { homeDir, readHome, type HomeSettings } from '../../home.ts'
import { makeSupervisor } from '../../real-engines.ts'
import type { Environment } from '../caller.ts'
import { Failure } from '../failure.ts'
import { verbOf } from '../program.ts'
import { answers } from '../start-server.ts'

const START_TIMEOUT_MS = 60_000

export type Server = {
  home: HomeSettings
  /** Who brings it back: the home's own supervisor, a unit of systemd, or nobody (somebody's terminal). */
  keeper: 'runit' | 'nobody' | { unit: string }
  /** Handed to the next one: how builds reach package indexes. */
  environment: Environment
}

/** The folders right below `prefix` that a process runs from. */
export function foldersInUse(prefix: string): string[] {
  const above = join(realpathSync(prefix), '/')
  const programs = readdirSync('/proc').flatMap((pid) => (/^\d+$/.test(pid) ? (programOf(pid) ?? []) : []))
  const below = programs.filter((path) => path.startsWith(above))
  return [...new Set(below.map((path) => path.slice(above.length).split('/')[0]!))]
}

function programOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`)
  } catch {
    return undefined // it has ended meanwhile, or is the kernel's
  }
}

/** Every server whose program lies below `prefix`. */
export async function runningServers(prefix: string): Promise<Server[]> {
  const seen = readdirSync('/proc').flatMap((pid) => (/^\d+$/.test(pid) ? (serverOf(pid, prefix) ?? []) : []))
  // A program that a server starts looks like the server itself until it has become another.
  const found = seen.filter(({ parent }) => !seen.some(({ pid }) => pid === parent))
  return Promise.all(
    found.map(async ({ pid, dir, environment, unit }): Promise<Server> => {
      const home = readHome(dir)
      if (!home)
        throw new Failure(`a server (process ${pid}) runs in ${dir}, which is no home any more; end it first`)
      const supervised =
        (await makeSupervisor(home).list()).find(({ name }) => name === 'server')?.pid === Number(pid)
      return { home, environment, keeper: supervised ? 'runit' : unit === undefined ? 'nobody' : { unit } }
    }),
  )
}

function serverOf(pid: string, prefix: string) {
  try {
    const below = (path: string) => path.startsWith(join(realpathSync(prefix), '/'))
    if (!below(readlinkSync(`/proc/${pid}/exe`))) return undefined
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
    const words = argv.slice(argv.findIndex((word) => word.endsWith('/src/cli/main.js')) + 1)
    if (verbOf(words).verb !== 'server') return undefined
    const environment = environmentOf(pid)
    const given = words[words.indexOf('--home') + 1] ?? ''
    const named = words.includes('--home') ? given : environment['POLEBEAN_HOME']
    const dir = resolve(readlinkSync(`/proc/${pid}/cwd`), homeDir(named))
    const parent = parentOf(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    return { pid, parent, dir, environment, unit: unitOf(readFileSync(`/proc/${pid}/cgroup`, 'utf8')) }
  } catch {
    return undefined // it has ended meanwhile
  }
}

// After the name, which may hold anything: state, parent.
const parentOf = (stat: string) => stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]

const environmentOf = (pid: string): Environment =>
  Object.fromEntries(
    readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )

/** Of /proc/PID/cgroup: our unit, if one holds it. */
export const unitOf = (cgroup: string): string | undefined =>
  /\/(polebean[\w@.-]*\.service)(?:\/|$)/m.exec(cgroup)?.[1]

/** Engines and instances go on. */
export async function stopServer({ home, keeper }: Server): Promise<void> {
  if (keeper === 'runit') await makeSupervisor(home).stop('server')
  else if (keeper !== 'nobody') systemctl('stop', keeper.unit)
  if (await answers(home.dir)) throw new Failure(`the server of ${home.dir} does not end`)
}

/** Ends when it answers. `root`: the folder of the code. */
export async function startServerOf({ home, keeper, environment }: Server, root: string): Promise<void> {
  if (typeof keeper === 'object') {
    systemctl('start', keeper.unit)
    return untilAnswers(home.dir)
  }
  const status = await runStart(home.dir, root, environment)
  if (status !== 0) throw new Failure(`the server of ${home.dir} does not start; the reason is above`)
}

function runStart(dir: string, root: string, environment: Environment): Promise<number | null> {
  // What these two say is in `environment`, and as it was for the server that ran.
  const { SUDO_USER: _user, POLEBEAN_HOME: _home, ...env } = process.env
  const child = spawn(join(root, 'bin/polebean'), ['start', '--home', dir, '--caller'], {
    stdio: ['pipe', 2, 2],
    env,
    // Not in the terminal's group: an interruption must not hit it in the middle.
    detached: true,
  })
  child.stdin!.on('error', () => undefined)
  child.stdin!.end(JSON.stringify(environment))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
}

async function untilAnswers(dir: string): Promise<void> {
  const end = performance.now() + START_TIMEOUT_MS
  while (!(await answers(dir))) {
    if (performance.now() > end)
      throw new Failure(`the server of ${dir} did not answer within ${START_TIMEOUT_MS / 1000} seconds`)
    await sleep(100)
  }
}

function systemctl(verb: string, unit: string): void {
  const { status, error } = spawnSync('systemctl', [verb, unit], { stdio: ['ignore', 2, 2] })
  if (status !== 0)
    throw new Failure(`systemctl ${verb} ${unit} failed (${error?.message ?? `exit ${status}`})`)
}
