// `server` runs the control plane here; `start` puts it under the home's supervisor, so that it returns when it dies.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Supervisor } from '../../engines/supervisor/engine.ts'
import { invokingUser, openHome, type HomeSettings } from '../../home.ts'
import { systemRandom } from '../../kernel/random.ts'
import { checkDatabase, checkPorts, chooseCidr, makeSupervisor, startServer } from '../../main.ts'
import { programPath } from '../../service/program.ts'
import { makeService, type Service } from '../../service/service.ts'
import { serverEnvironment, type Environment } from '../caller.ts'
import { Failure } from '../failure.ts'
import { note } from '../output.ts'
import { requireMachine } from '../requirements.ts'
import { answers } from '../start-server.ts'
import { keptByService, keptBySupervisor, untilAnswers } from '../until-answers.ts'

const ENTRY = fileURLToPath(new URL('../main.ts', import.meta.url))

export async function server(homeDir: string, options: { domain?: string }): Promise<void> {
  const home = await prepared(homeDir, options)
  const stopping = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())
  const running = await startServer(home, stopping.signal)
  note(`Polebean ${home.id} serves the AWS API at http://127.0.0.1:${home.ports.api} (home ${home.dir}).`)
  await running.ended
}

/** Ends when the server answers. `caller`: the environment of who asked for it is on standard input, since sudo drops it. */
export async function start(
  homeDir: string,
  { domain, caller }: { domain?: string; caller?: boolean },
): Promise<void> {
  const environment = caller ? callerEnvironment() : serverEnvironment(process.env)
  const home = await prepared(homeDir, { ...(domain ? { domain } : {}) })
  const service = makeService(home)
  if (service.isInstalled()) await startService(home, service, environment)
  else await startSupervised(home, environment)
}

/** Under the home's own supervisor. */
export async function startSupervised(home: HomeSettings, environment: Environment): Promise<void> {
  const supervisor = makeSupervisor(home)
  if (!(await isSupervised(supervisor))) checkDatabase(home)
  const from = Date.now()
  await supervisor.ensure({
    name: 'server',
    argv: [process.execPath, '--disable-warning=ExperimentalWarning', ENTRY, 'server', '--home', home.dir],
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
  const from = Date.now()
  await (changed && pid !== null ? service.restart() : service.start())
  await untilAnswers(home, keptByService(service), from)
}

export const isSupervised = async (supervisor: Supervisor): Promise<boolean> =>
  (await supervisor.list()).some(({ name, running }) => name === 'server' && running)

/** What the caller's own process, which is not root, has put on our standard input. */
export function callerEnvironment(): Environment {
  const user = process.env['SUDO_USER']
  return { ...(JSON.parse(readFileSync(0, 'utf8')) as Environment), ...(user ? { SUDO_USER: user } : {}) }
}

async function prepared(homeDir: string, { domain }: { domain?: string }): Promise<HomeSettings> {
  await requireMachine()
  if (await answers(homeDir)) throw new Failure(`a server of ${homeDir} is running already`)
  return openFreely(homeDir, { ...(domain ? { domain } : {}) })
}

/** The home, made when there is none. Throws a sentence when another program has taken one of its ports. */
export async function openFreely(
  homeDir: string,
  { domain }: { domain?: string } = {},
): Promise<HomeSettings> {
  const home = await openHome(homeDir, {
    random: systemRandom,
    chooseCidr,
    owner: invokingUser(),
    ...(domain ? { domain } : {}),
  })
  await checkPorts(home).catch((error: Error) => {
    throw new Failure(`${error.message}; end it, or give ${homeDir} another port in home.json`)
  })
  return home
}
