// Commands that read: list, status, events, printenv.
import { makeService } from '../../service/service.ts'
import { openApi, type Api } from '../client.ts'
import { describeService } from '../doctor/service.ts'
import {
  chooseEnvironment,
  environmentHere,
  listEnvironments,
  settingsOf,
  type Environment,
} from '../environments.ts'
import { followEvents, readEvents, type Event } from '../events.ts'
import { causesOf, instancesOf } from '../instances.ts'
import { note, paint, print, printJson, printTable } from '../output.ts'
import { printRoom, readRoom } from './room.ts'
import { readBackups } from './backup.ts'

type Shown = { json?: boolean }

export async function list(homeDir: string, { json }: Shown): Promise<void> {
  const all = await listEnvironments(openApi(homeDir))
  if (json) return printJson(all)
  printEnvironments(all)
}

const printEnvironments = (all: Environment[]) =>
  printTable(
    ['ENVIRONMENT', 'STATUS', 'HEALTH', 'VERSION', 'URL'],
    all.map((one) => [one.name, one.status, one.healthStatus || one.health, one.versionLabel, one.url]),
  )

export async function status(homeDir: string, named: string | undefined, { json }: Shown): Promise<void> {
  const api = openApi(homeDir)
  // Without a name it is the home that is asked about, and the environment of this folder, if there is one.
  const room = named === undefined ? await readRoom(api) : undefined
  const all = named === undefined ? await listEnvironments(api) : []
  const environment = named === undefined ? environmentHere(api, all) : await chooseEnvironment(api, named)
  if (!environment) {
    if (json) return printJson({ environments: all, room })
    printEnvironments(all)
    print('')
    return room && printRoom(room)
  }
  const causes = await causesNow(api, environment)
  const rows = (await instancesOf(api, environment)).map(({ id, health, zone, version, causes }) => ({
    ...{ id, health, zone, version, causes },
  }))
  if (json) return printJson({ ...environment, causes, instances: rows, ...(room ? { room } : {}) })
  print(`${environment.name} (${environment.id})  ${environment.platform}`)
  print(`  URL      ${environment.url}`)
  if (environment.elasticAddress) print(`  Address  ${environment.elasticAddress} (a single instance’s)`)
  if (environment.localUrl) print(`  Local    ${environment.localUrl} (any Host)`)
  const service = makeService(api.home)
  if (service.isInstalled()) print(`  Service  ${await describeService(service)}`)
  print(`  Status   ${environment.status}`)
  print(`  Health   ${paint(environment.health, environment.healthStatus || environment.health)}`)
  print(`  Version  ${environment.versionLabel}`)
  for (const cause of causes) print(`  - ${cause}`)
  print('')
  printTable(
    ['INSTANCE', 'HEALTH', 'ZONE', 'VERSION', 'CAUSE'],
    rows.map((one) => [one.id, one.health, one.zone, one.version, one.causes[0] ?? '']),
  )
  const failure = (await readBackups(api))?.last?.failure
  if (failure) note(`The last scheduled backup of the home failed: ${failure}`)
  if (!room) return
  print('')
  printRoom(room)
}

/** Of basic health there are none. */
async function causesNow(api: Api, { name, healthStatus }: Environment): Promise<string[]> {
  if (healthStatus === '') return []
  const { result } = await api.call('elasticbeanstalk', 'DescribeEnvironmentHealth', {
    EnvironmentName: name,
    AttributeNames: ['Causes'],
  })
  return causesOf(result.Causes)
}

export async function events(
  homeDir: string,
  named: string | undefined,
  options: Shown & { follow?: boolean },
): Promise<void> {
  const api = openApi(homeDir)
  const environment = await chooseEnvironment(api, named)
  const filter = { EnvironmentName: environment.name }
  const show = (event: Event) =>
    options.json
      ? print(JSON.stringify(event))
      : print(
          `${event.at.slice(0, 19).replace('T', ' ')}  ${paint(event.severity, event.severity.padEnd(5))}  ${event.message}`,
        )
  if (!options.follow) for (const event of await readEvents(api, filter)) show(event)
  else
    await followEvents(api, filter, (event) => {
      show(event)
      return false
    })
}

export async function printenv(homeDir: string, named: string | undefined, { json }: Shown): Promise<void> {
  const api = openApi(homeDir)
  const environment = await chooseEnvironment(api, named)
  const settings = await settingsOf(api, environment)
  const own = settings.filter((one) => one.namespace === 'aws:elasticbeanstalk:application:environment')
  if (json) return printJson(Object.fromEntries(own.map((one) => [one.option, one.value])))
  for (const { option, value } of own) print(`${option} = ${value}`)
}
