// `logs`: the last lines of every instance, by AWS's own operation; with -f what is written since, by a route that leaves
// no events and no objects behind (decision 005).
import { setTimeout as sleep } from 'node:timers/promises'
import { openApi, type Api } from '../client.ts'
import { chooseEnvironment, type Environment } from '../environments.ts'
import { followEvents } from '../events.ts'
import { EXIT, Failure, Unreachable } from '../failure.ts'
import { newLines } from '../log-tail.ts'
import { note, print } from '../output.ts'
import { listOf, textOf } from '../xml.ts'

type Tail = { instance: string; text: string }
const LOOK_EVERY_MS = 1_000

export async function logs(
  homeDir: string,
  named: string | undefined,
  options: { json?: boolean; follow?: boolean; instance?: string },
): Promise<void> {
  const api = openApi(homeDir)
  if (options.instance !== undefined) {
    if (named !== undefined || options.follow)
      throw new Failure('--instance stands alone: without an environment and without -f', EXIT.usage)
    return instanceLogs(api, options.instance, options.json === true)
  }
  const environment = await chooseEnvironment(api, named)
  const shown = new Map<string, string>()
  const show = (tails: Tail[]) => {
    for (const { instance, text } of tails) {
      const before = shown.get(instance)
      const fresh = before === undefined ? text.trimEnd() : newLines(before, text)
      shown.set(instance, text)
      if (fresh === '') continue
      if (options.json) print(JSON.stringify({ instance, text: fresh }))
      else print(`---------- ${instance} ----------\n${fresh}`)
    }
  }
  show(await pullLogs(api, environment))
  if (!options.follow) return
  for (let lost = false; ;) {
    await sleep(LOOK_EVERY_MS)
    try {
      show(await tailLogs(api, environment))
      lost = false
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      if (!lost) note('Polebean does not answer; waiting for it to come back …')
      lost = true
    }
  }
}

type InstanceLogs = Tail & { environment: string; endedAt: number | null; reason: string }

/** Of an instance that lives, or that ended within the last week. */
async function instanceLogs(api: Api, id: string, json: boolean): Promise<void> {
  if (!/^i-[0-9a-f]{8,17}$/.test(id))
    throw new Failure(
      `not the id of an instance: ${JSON.stringify(id)}; it looks like i-0123456789abcdef0`,
      EXIT.usage,
    )
  const logs = JSON.parse(await api.get(`/polebean/instance-logs/${id}`)) as InstanceLogs
  if (json) return print(JSON.stringify(logs))
  if (logs.endedAt !== null)
    note(
      `${id} of ${logs.environment || 'no environment'} ended at ${new Date(logs.endedAt).toISOString()}${logs.reason && `: ${logs.reason}`}`,
    )
  print(logs.text.trimEnd())
}

/** What the logs end in now. */
export const tailLogs = async (api: Api, { id }: Environment): Promise<Tail[]> =>
  JSON.parse(await api.get(`/polebean/logs/${id}`)) as Tail[]

async function pullLogs(api: Api, { name }: Environment): Promise<Tail[]> {
  const input = { EnvironmentName: name, InfoType: 'tail' }
  const { requestId } = await api.call('elasticbeanstalk', 'RequestEnvironmentInfo', input)
  await followEvents(api, { RequestId: requestId }, ({ message }) => {
    if (message.startsWith('Failed to pull logs')) throw new Failure(message, EXIT.operationFailed)
    return message === 'Pulled logs for environment instances.'
  })
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
