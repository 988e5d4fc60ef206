// Commands that read: list, status, events, logs, printenv, open.
import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { openApi } from '../client.ts'
import { chooseEnvironment, listEnvironments, settingsOf } from '../environments.ts'
import { followEvents, readEvents, type Event } from '../events.ts'
import { EXIT, Failure } from '../failure.ts'
import { newLines } from '../log-tail.ts'
import { note, paint, print, printJson, printTable } from '../output.ts'
import { listOf, structureOf, textOf } from '../xml.ts'

type Shown = { json?: boolean }

export async function list(homeDir: string, { json }: Shown): Promise<void> {
  const all = await listEnvironments(openApi(homeDir))
  if (json) return printJson(all)
  printTable(
    ['ENVIRONMENT', 'STATUS', 'HEALTH', 'VERSION', 'URL'],
    all.map((one) => [one.name, one.status, one.healthStatus || one.health, one.versionLabel, one.url]),
  )
}

export async function status(homeDir: string, named: string | undefined, { json }: Shown): Promise<void> {
  const api = openApi(homeDir)
  const environment = await chooseEnvironment(api, named)
  const health = await api.call('elasticbeanstalk', 'DescribeEnvironmentHealth', {
    EnvironmentName: environment.name,
    AttributeNames: ['All'],
  })
  const instances = await api.call('elasticbeanstalk', 'DescribeInstancesHealth', {
    EnvironmentName: environment.name,
    AttributeNames: ['All'],
  })
  const causes = causesOf(health.result.Causes)
  const rows = listOf(instances.result.InstanceHealthList).map((one) => ({
    id: textOf(one.InstanceId),
    health: textOf(one.HealthStatus),
    zone: textOf(one.AvailabilityZone),
    version: textOf(structureOf(one.Deployment).VersionLabel),
    causes: causesOf(one.Causes),
  }))
  if (json) return printJson({ ...environment, causes, instances: rows })
  print(`${environment.name} (${environment.id})  ${environment.platform}`)
  print(`  URL      ${environment.url}`)
  if (environment.localUrl) print(`  Local    ${environment.localUrl} (any Host)`)
  print(`  Status   ${environment.status}`)
  print(`  Health   ${paint(environment.health, environment.healthStatus || environment.health)}`)
  print(`  Version  ${environment.versionLabel}`)
  for (const cause of causes) print(`  - ${cause}`)
  print('')
  printTable(
    ['INSTANCE', 'HEALTH', 'ZONE', 'VERSION', 'CAUSE'],
    rows.map((one) => [one.id, one.health, one.zone, one.version, one.causes[0] ?? '']),
  )
}

const causesOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []

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

export async function logs(
  homeDir: string,
  named: string | undefined,
  options: Shown & { follow?: boolean },
): Promise<void> {
  const api = openApi(homeDir)
  const environment = await chooseEnvironment(api, named)
  const pulled = new Map<string, string>()
  for (;;) {
    for (const { instance, text } of await pullLogs(homeDir, environment.name)) {
      const before = pulled.get(instance)
      const fresh = before === undefined ? text.trimEnd() : newLines(before, text)
      pulled.set(instance, text)
      if (fresh === '') continue
      if (options.json) print(JSON.stringify({ instance, text: fresh }))
      else print(`---------- ${instance} ----------\n${fresh}`)
    }
    if (!options.follow) return
    await sleep(PULL_EVERY_MS)
  }
}

// Each pull is an operation of the environment, with events of its own.
const PULL_EVERY_MS = 3_000

async function pullLogs(homeDir: string, name: string): Promise<{ instance: string; text: string }[]> {
  const api = openApi(homeDir)
  const input = { EnvironmentName: name, InfoType: 'tail' }
  const { requestId } = await api.call('elasticbeanstalk', 'RequestEnvironmentInfo', input)
  await waitForPulled(homeDir, requestId)
  const { result } = await api.call('elasticbeanstalk', 'RetrieveEnvironmentInfo', input)
  return Promise.all(
    listOf(result.EnvironmentInfo).map(async (one) => {
      const reply = await fetch(textOf(one.Message))
      if (!reply.ok)
        throw new Failure(`the log of ${textOf(one.Ec2InstanceId)} cannot be read: HTTP ${reply.status}`)
      return { instance: textOf(one.Ec2InstanceId), text: await reply.text() }
    }),
  )
}

async function waitForPulled(homeDir: string, requestId: string): Promise<void> {
  await followEvents(openApi(homeDir), { RequestId: requestId }, ({ message }) => {
    if (message.startsWith('Failed to pull logs')) throw new Failure(message, EXIT.operationFailed)
    return message === 'Pulled logs for environment instances.'
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

export async function open(homeDir: string, named: string | undefined): Promise<void> {
  const environment = await chooseEnvironment(openApi(homeDir), named)
  const result = spawnSync('xdg-open', [environment.url], { stdio: 'ignore' })
  if (result.error) note('there is no xdg-open here; the address is:')
  print(environment.url)
}
