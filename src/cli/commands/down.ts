// `down` stops everything of a home and keeps its state; `--purge` deletes the home as well. Works without the server.
import { existsSync, rmSync } from 'node:fs'
import { releasePorts } from '../../home-ports.ts'
import { claimedPorts, readHome, type HomeSettings } from '../../home.ts'
import { makeEngines } from '../../real-engines.ts'
import { makeService } from '../../service/service.ts'
import { EXIT, Failure } from '../failure.ts'
import { forgetHome } from '../forget-home.ts'
import { note } from '../output.ts'
import { answers, asRoot } from '../start-server.ts'
import { confirmName } from './change.ts'

const STOP_GRACE_MS = 10_000

export async function down(homeDir: string, options: { purge?: boolean; force?: boolean }): Promise<void> {
  const home = readHome(homeDir)
  if (!home)
    throw new Failure(
      existsSync(homeDir) ? `${homeDir} is not a Polebean home` : `there is no Polebean home in ${homeDir}`,
    )
  if (options.purge && !options.force) {
    note(`This deletes ${homeDir} with every application, version and environment in it.`)
    await confirmName(homeDir)
  }
  if (process.getuid!() !== 0) {
    asRoot(['down', '--home', homeDir, ...(options.purge ? ['--purge', '--force'] : [])])
    if (options.purge) forgetHome(home)
    return
  }
  await stopAll(home, options.purge === true)
  if (options.purge) {
    releasePorts(claimedPorts(home), home.dir)
    rmSync(homeDir, { recursive: true, force: true })
    forgetHome(home)
  }
  if (options.purge) return note(`Everything of ${homeDir} is gone.`)
  note(`Polebean is stopped; its state stays in ${homeDir}.`)
  const service = makeService(home)
  if (service.isInstalled() && (await service.state()).enabled)
    note(`The service ${service.name} starts it again at the next boot; polebean start does at once.`)
}

async function stopAll(home: HomeSettings, purge: boolean): Promise<void> {
  const { supervisor, compute, router, hosts } = makeEngines(home)
  // The server first: it would start again what is stopped here.
  const service = makeService(home)
  if (service.isInstalled()) await (purge ? service.remove() : service.stop())
  await supervisor.remove('server')
  if (await answers(home.dir))
    throw new Failure(
      `a server of ${home.dir} runs in the foreground (polebean server); end it first`,
      EXIT.failed,
    )
  const failures: string[] = []
  const tell = (what: string) => (error: Error) => void failures.push(`${what}: ${error.message}`)
  if (purge) for (const { id } of await compute.list()) await compute.remove(id).catch(tell(id))
  await compute.shutdown(STOP_GRACE_MS).catch(tell('instances'))
  await supervisor.shutdown().catch(tell('daemons'))
  await router.remove().catch(tell('network'))
  // A home that is only stopped comes back: its names must not lead elsewhere meanwhile.
  if (purge) await hosts.put([]).catch(tell('/etc/hosts'))
  // The home's folder is kept: it is what another attempt needs to know.
  if (failures.length > 0)
    throw new Failure(`not everything could be stopped:\n  ${failures.join('\n  ')}`, EXIT.failed)
  rmSync(home.runDir, { recursive: true, force: true })
}
