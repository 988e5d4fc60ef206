// `server` runs the control plane here; `start` puts it under the home's supervisor, so that it returns when it dies.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readSources, type Flags } from '../../config/file.ts'
import type { Key } from '../../config/settings.ts'
import type { Supervisor } from '../../engines/supervisor/engine.ts'
import { problemsOf } from '../../home-config.ts'
import { invokingUser, openHome, readHome, type HomeSettings } from '../../home.ts'
import { readFileIfAny } from '../../kernel/files.ts'
import { systemRandom } from '../../kernel/random.ts'
import {
  checkDatabase,
  checkPorts,
  chooseCidr,
  makeMachine,
  makeSupervisor,
  startServer,
} from '../../main.ts'
import { serverEnvironment, type Environment } from '../caller.ts'
import { Failure } from '../failure.ts'
import { flagsOf, wordsOf, type FlagOptions } from '../flags.ts'
import { note } from '../output.ts'
import { requireMachine } from '../requirements.ts'
import { readStatus } from '../settings-in-force.ts'
import { answers, asRoot } from '../start-server.ts'

const ENTRY = fileURLToPath(new URL('../main.ts', import.meta.url))
const START_TIMEOUT_MS = 60_000

export async function server(homeDir: string, options: FlagOptions): Promise<void> {
  const flags = flagsOf(options)
  const home = await prepared(homeDir, flags)
  const stopping = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())
  const running = await startServer(home, stopping.signal, flags)
  note(`Polebean ${home.id} serves the AWS API at http://127.0.0.1:${home.ports.api} (home ${home.dir}).`)
  await running.ended
}

/** Ends when the server answers. `caller`: the environment of who asked for it is on standard input, since sudo drops it. */
export async function start(homeDir: string, options: FlagOptions & { caller?: boolean }): Promise<void> {
  const { caller } = options
  const flags = flagsOf(options)
  const environment = caller ? callerEnvironment() : serverEnvironment(process.env)
  const home = await prepared(homeDir, flags)
  const supervisor = makeSupervisor(home)
  const daemons = (await supervisor.list()).filter((one) => one.running).map((one) => one.name)
  if (!daemons.includes('server')) checkDatabase(home)
  const from = Date.now()
  await supervisor.ensure({
    name: 'server',
    argv: [
      ...[process.execPath, '--disable-warning=ExperimentalWarning', ENTRY, 'server', '--home', home.dir],
      ...wordsOf(flags),
    ],
    env: environment,
    filesMax: null,
  })
  await untilAnswers(home, supervisor, from)
}

/** Ends the server, which its supervisor starts again as it was started, with what the configuration says now. */
export async function restart(homeDir: string): Promise<void> {
  const home = readHome(homeDir)
  if (!home) throw new Failure(`there is no Polebean home in ${homeDir}; start one with: polebean start`)
  if (process.getuid!() !== 0) return asRoot(['restart', '--home', homeDir])
  const supervisor = makeSupervisor(home)
  const pid = async () =>
    (await supervisor.list()).find(({ name, running }) => name === 'server' && running)?.pid
  const before = await pid()
  if (!before)
    throw new Failure(
      (await answers(homeDir))
        ? `the server of ${homeDir} was not started by polebean start: end it, and start it as before`
        : `Polebean (home ${homeDir}) is not running; start it with: polebean start`,
    )
  await checkSettings(home)
  const from = Date.now()
  await supervisor.signal('server', 'TERM')
  while ((await pid()) === before) {
    if (Date.now() > from + START_TIMEOUT_MS) throw new Failure(`the server (pid ${before}) does not end`)
    await sleep(100)
  }
  await untilAnswers(home, supervisor, from)
  note(`Polebean ${home.id} runs again.`)
}

/** A server that would refuse to start again is not ended. */
async function checkSettings(home: HomeSettings): Promise<void> {
  const status = await readStatus(home.dir)
  const flags = Object.entries(status?.given ?? {}).filter(([, { source }]) => source === 'flag')
  const sources = readSources(home.dir, new Map(flags.map(([key, { value }]) => [key as Key, value])))
  const machine = makeMachine(home, ...(status ? [async () => status.inUse] : []))
  const problems = await problemsOf(home, sources, machine)
  if (problems.length > 0) throw new Failure(problems.join('\n'))
}

function callerEnvironment(): Environment {
  const user = process.env['SUDO_USER']
  return { ...(JSON.parse(readFileSync(0, 'utf8')) as Environment), ...(user ? { SUDO_USER: user } : {}) }
}

async function untilAnswers(home: HomeSettings, supervisor: Supervisor, from: number): Promise<void> {
  while (!(await answers(home.dir))) {
    const complaint = repeated(home.dir, from)
    if (complaint !== undefined) {
      // Or it would be started for ever.
      await supervisor.remove('server')
      throw new Failure(`Polebean does not start: ${complaint}`)
    }
    if (Date.now() > from + START_TIMEOUT_MS)
      throw new Failure(
        `Polebean did not start within ${START_TIMEOUT_MS / 1000} seconds; its log: ${home.dir}/log/server/current`,
      )
    await sleep(100)
  }
}

const COMPLAINTS = 3

/** What the server said each time it was started since `from`; undefined while it may still come. */
function repeated(homeDir: string, from: number): string | undefined {
  const log = readFileIfAny(`${homeDir}/log/server/current`) ?? ''
  // svlogd's stamp: 2026-11-24_00:21:07.40350
  const said = [...log.matchAll(/^(\S{10})_(\S{12})\d* polebean: (.*)$/gm)]
    .filter(([, day, time]) => Date.parse(`${day}T${time}Z`) >= from)
    .map(([, , , text]) => text)
  return said.length >= COMPLAINTS ? said.at(-1) : undefined
}

async function prepared(homeDir: string, flags: Flags): Promise<HomeSettings> {
  await requireMachine()
  if (await answers(homeDir)) throw new Failure(`a server of ${homeDir} is running already`)
  const home = await openHome(homeDir, {
    random: systemRandom,
    chooseCidr,
    owner: invokingUser(),
    flags,
    machine: makeMachine,
  })
  await checkPorts(home).catch((error: Error) => {
    throw new Failure(
      `${error.message}; end it, or choose another: polebean config set listeners.http PORT (api.port for the API)`,
    )
  })
  return home
}
