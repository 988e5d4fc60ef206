// `server` runs the control plane here; `start` puts it under the home's supervisor, so that it returns when it dies.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Supervisor } from '../../engines/supervisor/engine.ts'
import { invokingUser, openHome, type HomeSettings } from '../../home.ts'
import { readFileIfAny } from '../../kernel/files.ts'
import { systemRandom } from '../../kernel/random.ts'
import { checkDatabase, checkPorts, chooseCidr, makeSupervisor, startServer } from '../../main.ts'
import { serverEnvironment, type Environment } from '../caller.ts'
import { Failure } from '../failure.ts'
import { note } from '../output.ts'
import { checkPlace } from '../release.ts'
import { requireMachine } from '../requirements.ts'
import { answers } from '../start-server.ts'

const ENTRY = fileURLToPath(new URL('../main.ts', import.meta.url))
const START_TIMEOUT_MS = 60_000

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
  const supervisor = makeSupervisor(home)
  const daemons = (await supervisor.list()).filter((one) => one.running).map((one) => one.name)
  if (!daemons.includes('server')) checkDatabase(home)
  const from = Date.now()
  await supervisor.ensure({
    name: 'server',
    argv: [process.execPath, '--disable-warning=ExperimentalWarning', ENTRY, 'server', '--home', home.dir],
    env: environment,
    filesMax: null,
  })
  await untilAnswers(home, supervisor, from)
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
      await supervisor.stop('server')
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

async function prepared(homeDir: string, { domain }: { domain?: string }): Promise<HomeSettings> {
  checkPlace(homeDir)
  await requireMachine()
  if (await answers(homeDir)) throw new Failure(`a server of ${homeDir} is running already`)
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
