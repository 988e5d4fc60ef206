// `server` runs the control plane here; `start` puts it under the home's supervisor, so that it returns when it dies.
import { fileURLToPath } from 'node:url'
import { invokingUser, openHome, type HomeSettings } from '../../home.ts'
import { systemRandom } from '../../kernel/random.ts'
import { checkDatabase, checkPorts, chooseCidr, makeSupervisor, startServer } from '../../main.ts'
import { EXIT, Failure } from '../failure.ts'
import { note } from '../output.ts'
import { answers } from '../start-server.ts'

const ENTRY = fileURLToPath(new URL('../main.ts', import.meta.url))

export async function server(homeDir: string, options: { domain?: string }): Promise<void> {
  const home = await prepared(homeDir, options)
  const stopping = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())
  const running = await startServer(home, stopping.signal)
  note(`Polebean ${home.id} serves the AWS API at http://127.0.0.1:${home.ports.api} (home ${home.dir}).`)
  await running.ended
}

export async function start(homeDir: string, options: { domain?: string }): Promise<void> {
  const home = await prepared(homeDir, options)
  const supervisor = makeSupervisor(home)
  const daemons = (await supervisor.list()).filter((one) => one.running).map((one) => one.name)
  if (!daemons.includes('server')) checkDatabase(home)
  await supervisor.ensure({
    name: 'server',
    argv: [process.execPath, '--disable-warning=ExperimentalWarning', ENTRY, 'server', '--home', home.dir],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...buildVariables() },
    filesMax: null,
  })
}

async function prepared(homeDir: string, { domain }: { domain?: string }): Promise<HomeSettings> {
  if (process.platform !== 'linux') throw new Failure(`Polebean runs on Linux; this is ${process.platform}`)
  if (process.getuid!() !== 0)
    throw new Failure('the server needs root (it makes network namespaces); use sudo', EXIT.usage)
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

/** Builds reach the package index as the user who starts the server does. */
const buildVariables = () =>
  Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] =>
      /^(HOME$|SUDO_USER$|PIP_|(https?|no)_proxy$|(HTTPS?|NO)_PROXY$|SSL_CERT_|NPM_CONFIG_|npm_config_registry$)/.test(
        entry[0],
      ),
    ),
  )
