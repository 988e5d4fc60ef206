// `server` runs the control plane here; `start` puts it under the home's supervisor, or under systemd where the home is a
// service, so that it returns when it dies.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readSources, type Flags } from '../../config/file.ts'
import type { Key } from '../../config/settings.ts'
import type { Supervisor } from '../../engines/supervisor/engine.ts'
import { problemsOf } from '../../home-config.ts'
import { checkDatabase } from '../../home-store.ts'
import { invokingUser, openHome, readHome, type HomeSettings } from '../../home.ts'
import { systemClock } from '../../kernel/clock.ts'
import { systemRandom } from '../../kernel/random.ts'
import { checkPorts, chooseCidr, makeMachine } from '../../machine.ts'
import { startServer } from '../../main.ts'
import { makeSupervisor } from '../../real-engines.ts'
import { makeService, type Service } from '../../service/service.ts'
import { serverEnvironment, type Environment } from '../caller.ts'
import { EXIT, Failure } from '../failure.ts'
import { flagsOf, wordsOf, type FlagOptions } from '../flags.ts'
import { note } from '../output.ts'
import { checkPlace, programPath } from '../release.ts'
import { requireMachine } from '../requirements.ts'
import { readStatus } from '../settings-in-force.ts'
import { answers, asRoot } from '../start-server.ts'
import { keptByService, keptBySupervisor, untilAnswers } from '../until-answers.ts'

const ENTRY = fileURLToPath(new URL('../main.ts', import.meta.url))
const END_TIMEOUT_MS = 60_000

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
  const flags = flagsOf(options)
  if (process.getuid!() !== 0)
    return asRoot(
      ['start', '--home', homeDir, ...wordsOf(flags), '--caller'],
      JSON.stringify(serverEnvironment(process.env)),
    )
  const environment = options.caller ? callerEnvironment() : serverEnvironment(process.env)
  const home = await prepared(homeDir, flags)
  const service = makeService(home)
  if (!service.isInstalled()) return startSupervised(home, environment, flags)
  const words = wordsOf(flags)
  if (words.length > 0)
    throw new Failure(
      `${service.name} starts the server without options, so ${words.join(' ')} would be lost; use: polebean config set`,
      EXIT.usage,
    )
  await startService(home, service, environment)
}

/** Under the home's own supervisor. */
export async function startSupervised(
  home: HomeSettings,
  environment: Environment,
  flags: Flags = new Map(),
): Promise<void> {
  const supervisor = makeSupervisor(home)
  if (!(await isSupervised(supervisor))) checkDatabase(home)
  const from = systemClock.now()
  await supervisor.ensure({
    name: 'server',
    argv: [
      ...[process.execPath, '--disable-warning=ExperimentalWarning', ENTRY, 'server', '--home', home.dir],
      ...wordsOf(flags),
    ],
    env: environment,
    filesMax: null,
  })
  await untilAnswers(home, keptBySupervisor(home.dir, supervisor), from)
}

/** As a service of the system, whose unit is written again where this version would write another one. */
export async function startService(
  home: HomeSettings,
  service: Service,
  environment: Environment,
): Promise<void> {
  const { pid } = await service.state()
  const changed = await service.write(programPath(), environment)
  // It runs there until now, or was told to stay down.
  await makeSupervisor(home).remove('server')
  if (pid === null) checkDatabase(home)
  const from = systemClock.now()
  await (changed && pid !== null ? service.restart() : service.start())
  await untilAnswers(home, keptByService(service), from)
}

/** Ends the server and has it started again as it was started, with what the configuration says now. */
export async function restart(homeDir: string): Promise<void> {
  const home = readHome(homeDir)
  if (!home) throw new Failure(`there is no Polebean home in ${homeDir}; start one with: polebean start`)
  if (process.getuid!() !== 0) return asRoot(['restart', '--home', homeDir])
  const supervisor = makeSupervisor(home)
  const service = makeService(home)
  const asService = service.isInstalled() && (await service.state()).pid !== null
  if (!asService && !(await isSupervised(supervisor)))
    throw new Failure(
      (await answers(homeDir))
        ? `the server of ${homeDir} was not started by polebean start: end it, and start it as before`
        : `Polebean (home ${homeDir}) is not running; start it with: polebean start`,
    )
  await checkSettings(home)
  const from = systemClock.now()
  if (asService) await service.restart()
  else await endSupervised(supervisor)
  await untilAnswers(home, asService ? keptByService(service) : keptBySupervisor(home.dir, supervisor), from)
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

/** Its supervisor starts it again. */
async function endSupervised(supervisor: Supervisor): Promise<void> {
  const pid = async () => (await supervisor.list()).find(({ name }) => name === 'server')?.pid
  const before = await pid()
  const end = systemClock.monotonic() + END_TIMEOUT_MS
  await supervisor.signal('server', 'TERM')
  while ((await pid()) === before) {
    if (systemClock.monotonic() > end) throw new Failure(`the server (pid ${before}) does not end`)
    await sleep(100)
  }
}

export const isSupervised = async (supervisor: Supervisor): Promise<boolean> =>
  (await supervisor.list()).some(({ name, running }) => name === 'server' && running)

/** What the caller's own process, which is not root, has put on our standard input. */
export function callerEnvironment(): Environment {
  const user = process.env['SUDO_USER']
  return { ...(JSON.parse(readFileSync(0, 'utf8')) as Environment), ...(user ? { SUDO_USER: user } : {}) }
}

async function prepared(homeDir: string, flags: Flags): Promise<HomeSettings> {
  checkPlace(homeDir)
  await requireMachine()
  if (await answers(homeDir)) throw new Failure(`a server of ${homeDir} is running already`)
  return openFreely(homeDir, flags)
}

/** The home, made when there is none. Throws a sentence when another program has taken one of its ports. */
export async function openFreely(homeDir: string, flags: Flags = new Map()): Promise<HomeSettings> {
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
