// Which environment a command means, and what it looks like.
import type { Api, ApiHome } from './client.ts'
import { EXIT, Failure } from './failure.ts'
import { linkAround, type Link } from './links.ts'
import { upCommand } from './release.ts'
import { listOf, structureOf, textOf, type XmlValue } from './xml.ts'

export type Environment = {
  name: string
  id: string
  application: string
  status: string
  health: string
  healthStatus: string
  versionLabel: string
  platform: string
  cname: string
  url: string
  /** The environment's own loopback port, which answers whatever the Host; for programs that do not resolve the name. */
  localUrl: string
  /** Of a single instance: an address of loopback that leads there; '' = it has a load balancer. */
  elasticAddress: string
  updatedAt: string
}

/** By name. */
export async function listEnvironments(api: Api<ApiHome>): Promise<Environment[]> {
  const { result } = await api.call('elasticbeanstalk', 'DescribeEnvironments', { IncludeDeleted: false })
  return listOf(result.Environments)
    .map((one) => environmentOf(api, one))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
}

/** The environment named, else the one that this folder (or one around it) is linked to, else the only one. */
export async function chooseEnvironment(api: Api<ApiHome>, named: string | undefined): Promise<Environment> {
  const all = await listEnvironments(api)
  if (named !== undefined) return byName(all, named)
  const here = environmentHere(api, all)
  if (here) return here
  if (all.length === 0)
    throw new Failure(
      `there is no environment yet; make one with: ${upCommand()} FOLDER`,
      EXIT.operationFailed,
    )
  throw new Failure(`which environment? There are: ${names(all)}.`, EXIT.usage)
}

/** The one that this folder is linked to, else the only one of `all`; undefined when neither is. */
export function environmentHere(api: Api<ApiHome>, all: Environment[]): Environment | undefined {
  const link = linkHere(api.home.id)
  if (link) return linked(all, link)
  return all.length === 1 ? all[0] : undefined
}

function linkHere(homeId: string): Link | undefined {
  let here: string
  try {
    here = process.cwd()
  } catch {
    return undefined // the folder was removed under the shell
  }
  return linkAround(homeId, here)
}

function byName(all: Environment[], named: string): Environment {
  const found = all.find((one) => one.name === named || one.id === named)
  if (found) return found
  throw new Failure(
    `No Environment found for EnvironmentName = '${named}'. There are: ${names(all)}.`,
    EXIT.operationFailed,
  )
}

// Never another one in its place: terminate is among the commands.
function linked(all: Environment[], { folder, name, id }: Link): Environment {
  const found = all.find((one) => one.id === id)
  if (found) return found
  throw new Failure(
    `${folder} is linked to the environment ${name} (${id}), which is no more. Name another (there are: ${names(all)}), ` +
      `or deploy the folder again: polebean up ${folder}`,
    EXIT.operationFailed,
  )
}

const names = (all: Environment[]) => (all.length === 0 ? 'none' : all.map((one) => one.name).join(', '))

export function environmentOf(api: Api<ApiHome>, from: { [name: string]: XmlValue }): Environment {
  const cname = textOf(from.CNAME)
  const listeners = listOf(structureOf(structureOf(from.Resources).LoadBalancer).Listeners)
  const ownPort = textOf(listeners[1]?.Port)
  return {
    name: textOf(from.EnvironmentName),
    id: textOf(from.EnvironmentId),
    application: textOf(from.ApplicationName),
    status: textOf(from.Status),
    health: textOf(from.Health),
    healthStatus: textOf(from.HealthStatus),
    versionLabel: textOf(from.VersionLabel),
    platform: textOf(from.SolutionStackName) || textOf(from.PlatformArn),
    cname,
    url: `http://${cname}${api.home.ports.http === 80 ? '' : `:${api.home.ports.http}`}/`,
    elasticAddress: /^127(\.\d+){3}$/.exec(textOf(from.EndpointURL))?.[0] ?? '',
    localUrl: ownPort ? `http://127.0.0.1:${ownPort}/` : '',
    updatedAt: textOf(from.DateUpdated),
  }
}

export type Setting = { namespace: string; option: string; value: string }

export async function settingsOf(api: Api<ApiHome>, environment: Environment): Promise<Setting[]> {
  const { result } = await api.call('elasticbeanstalk', 'DescribeConfigurationSettings', {
    ApplicationName: environment.application,
    EnvironmentName: environment.name,
  })
  const first = listOf(result.ConfigurationSettings)[0] ?? {}
  return listOf(structureOf(first).OptionSettings).map((one) => ({
    namespace: textOf(one.Namespace),
    option: textOf(one.OptionName),
    value: textOf(one.Value),
  }))
}
