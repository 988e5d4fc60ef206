// `service`: a unit of systemd runs the server of a home, so that it is there again after a reboot (decision 007).
import { realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { readHome, type HomeSettings } from '../../home.ts'
import { programPath } from '../release.ts'
import { makeService, type Service } from '../../service/service.ts'
import { serverEnvironment, type Environment } from '../caller.ts'
import { EXIT, Failure } from '../failure.ts'
import { note, print, printJson } from '../output.ts'
import { requireMachine } from '../requirements.ts'
import { answers, asRoot } from '../start-server.ts'

/** `caller`: the environment of who asked for it is on standard input, since sudo drops it. */
type Options = { json?: boolean; caller?: boolean }

/** Writes, starts, verifies and enables the unit. Again it is a repair: what is as it should be is left alone. */
export async function install(homeDir: string, options: Options): Promise<void> {
  requireSystemd(homeDir)
  if (process.getuid!() === 0) await installAsRoot(homeDir, await environmentFrom(options))
  else againAsRoot('install', homeDir)
  if (options.json) printJson(await look(homeIn(homeDir)))
}

async function installAsRoot(homeDir: string, environment: Environment): Promise<void> {
  const { isSupervised, openFreely, startService, startSupervised } = await import('./server.ts')
  const { makeSupervisor } = await import('../../real-engines.ts')
  await requireMachine()
  await refuseForeign(makeService(readHome(homeDir) ?? { dir: homeDir, id: 'new' }))
  const runs = await answers(homeDir)
  const home = runs ? homeIn(homeDir) : await openFreely(homeDir)
  const service = makeService(home)
  const supervised = await isSupervised(makeSupervisor(home))
  if (runs && !supervised && (await service.state()).pid === null)
    throw new Failure(`a server of ${homeDir} runs in the foreground (polebean server); end it first`)
  const wasThere = service.isInstalled()
  try {
    await startService(home, service, environment)
    await service.enable()
  } catch (error) {
    if (!wasThere) {
      await service.remove()
      note('The service was taken away again, since it did not start.')
      if (supervised) await startSupervised(home, environment)
    }
    throw error
  }
  note(`The service ${service.name} runs Polebean (home ${homeDir}), now and after each boot.`)
  const folder = dirname(realpathSync(programPath()))
  if (statSync(folder).uid !== 0)
    note(`Remark: it runs what lies in ${folder}; who can write there is root at its next start.`)
}

/** Takes the unit away. A server that it ran goes on under the home's own supervisor, until the next boot. */
export async function uninstall(homeDir: string, options: Options): Promise<void> {
  requireSystemd(homeDir)
  const home = homeIn(homeDir)
  if (process.getuid!() === 0) await uninstallAsRoot(home, await environmentFrom(options))
  else againAsRoot('uninstall', homeDir)
  if (options.json) printJson(await look(home))
}

async function uninstallAsRoot(home: HomeSettings, environment: Environment): Promise<void> {
  const service = makeService(home)
  await refuseForeign(service)
  if (!service.isInstalled()) return note(`There is no service for ${home.dir}; nothing was changed.`)
  const { pid } = await service.state()
  await service.remove()
  if (pid !== null) await (await import('./server.ts')).startSupervised(home, environment)
  note(
    `The service ${service.name} is gone. ` +
      (pid === null ? 'Polebean is stopped.' : 'Polebean runs on until the next boot or polebean down.'),
  )
}

/** Exit status 0 when the service is enabled and its server answers. */
export async function status(homeDir: string, { json }: Options): Promise<number> {
  requireSystemd(homeDir)
  const shown = await look(homeIn(homeDir))
  if (json) printJson(shown)
  else {
    const { unit, installed, enabled, active, pid } = shown
    const what = [enabled ? 'enabled' : 'disabled', active, ...(pid === null ? [] : [`pid ${pid}`])].join(
      ', ',
    )
    print(installed ? `${unit}: ${what}` : `${unit}: not installed (polebean service install)`)
    print(`The server of ${homeDir} ${shown.answers ? 'answers' : 'does not answer'}.`)
  }
  return shown.installed && shown.enabled && shown.answers ? EXIT.ok : EXIT.failed
}

type Shown = {
  home: string
  unit: string
  installed: boolean
  enabled: boolean
  active: string
  pid: number | null
  answers: boolean
}

async function look(home: HomeSettings): Promise<Shown> {
  const service = makeService(home)
  const { unit, enabled, active, pid } = await service.state()
  const answering = await answers(home.dir)
  return {
    home: home.dir,
    unit: service.name,
    installed: unit === 'ours',
    enabled,
    active,
    pid,
    answers: answering,
  }
}

function requireSystemd(homeDir: string): void {
  if (makeService({ dir: homeDir, id: 'any' }).hasSystemd()) return
  throw new Failure(
    'systemd does not run this machine, so there is no service to speak of. Instead let its own init run at boot, as ' +
      `root: ${programPath()} start --home ${homeDir}   (with cron: a line in root's crontab that begins with @reboot)`,
  )
}

async function refuseForeign(service: Service): Promise<void> {
  if ((await service.state()).unit !== 'foreign') return
  throw new Failure(
    `there is a unit ${service.name} that Polebean did not write; nothing was changed (see: systemctl cat ${service.name})`,
  )
}

function homeIn(dir: string): HomeSettings {
  const home = readHome(dir)
  if (!home) throw new Failure(`there is no Polebean home in ${dir}`)
  return home
}

const againAsRoot = (verb: string, homeDir: string) =>
  asRoot(['service', verb, '--home', homeDir, '--caller'], JSON.stringify(serverEnvironment(process.env)))

const environmentFrom = async ({ caller }: Options): Promise<Environment> =>
  caller ? (await import('./server.ts')).callerEnvironment() : serverEnvironment(process.env)
