// `why URL|ENV`: walks from the name to the process, prints what it saw at each step, ends in one sentence.
import { request } from 'node:http'
import { openApi, type Api } from '../client.ts'
import { chooseEnvironment, listEnvironments, type Environment } from '../environments.ts'
import { causeOf, readEvents } from '../events.ts'
import { EXIT } from '../failure.ts'
import { print, printJson } from '../output.ts'
import { listOf, structureOf, textOf } from '../xml.ts'

type Finding = { step: string; ok: boolean; saw: string }
const ANSWER_WITHIN_MS = 10_000

/** Exit status 0 when the environment answers, 4 when something on the way is wrong. */
export async function why(homeDir: string, target: string, { json }: { json?: boolean }): Promise<number> {
  const api = openApi(homeDir)
  const walk: Finding[] = []
  const see = (step: string, ok: boolean, saw: string) => {
    walk.push({ step, ok, saw })
    if (!json) print(`${ok ? 'ok  ' : 'NO  '} ${step.padEnd(9)} ${saw}`)
    return ok
  }
  const sentence = await walkTo(api, target, see)
  if (json) printJson({ walk, sentence })
  else print(`\n${sentence}`)
  return walk.every((one) => one.ok) ? EXIT.ok : EXIT.operationFailed
}

type See = (step: string, ok: boolean, saw: string) => boolean

async function walkTo(api: Api, target: string, see: See): Promise<string> {
  const environment = await environmentFor(api, target)
  if (!environment) {
    see('name', false, `no environment here answers to ${target}`)
    const names = (await listEnvironments(api)).map((one) => one.cname).join(', ')
    return `No environment has that name; there are: ${names || 'none'}.`
  }
  see(
    'name',
    true,
    `${environment.cname} is environment ${environment.name} (${environment.status}, ${environment.healthStatus || environment.health})`,
  )
  const reply = await get(api, environment)
  const answered = see('listener', reply.kind === 'answer', `${environment.url}: ${reply.saw}`)
  const targets = await targetsOf(api, environment)
  if (targets.length === 0) see('targets', false, 'no instance is registered with the load balancer')
  for (const one of targets)
    see('target', one.state === 'healthy', `${one.id}: ${one.state}${one.why ? ` (${one.why})` : ''}`)
  for (const one of await instancesOf(api, environment)) see('process', one.ok, `${one.id}: ${one.saw}`)

  if (reply.kind === 'answer' && reply.status < 500)
    return `It answers: HTTP ${reply.status} from ${environment.name}.`
  const error = await lastError(api, environment)
  if (error) see('events', false, error)
  if (environment.status !== 'Ready')
    return `${environment.name} is ${environment.status}; wait for it: polebean events -f ${environment.name}`
  if (!answered) return `Nothing answers at ${environment.url}: ${reply.saw}. See: polebean doctor`
  if (targets.every((one) => one.state !== 'healthy'))
    return error
      ? `No instance is healthy: ${causeOf([error])}`
      : `No instance is healthy: ${targets[0]?.why ?? 'there is none'}.`
  return `The application answers HTTP ${reply.kind === 'answer' ? reply.status : '?'}; its log: polebean logs ${environment.name}`
}

async function environmentFor(api: Api, target: string): Promise<Environment | undefined> {
  const host =
    /^https?:\/\/([^/:]+)/.exec(target)?.[1] ?? (target.includes('.') ? target.split(/[/:]/)[0] : undefined)
  if (host === undefined) return chooseEnvironment(api, target)
  return (await listEnvironments(api)).find((one) => one.cname.toLowerCase() === host.toLowerCase())
}

type Reply = { kind: 'answer'; status: number; saw: string } | { kind: 'silence'; saw: string }

// By address and Host header: whether the name resolves on this machine is the resolver's matter, not the environment's.
const get = (api: Api, environment: Environment): Promise<Reply> =>
  new Promise((resolve) => {
    const call = request(
      {
        host: '127.0.0.1',
        port: api.home.ports.http,
        path: '/',
        headers: { host: environment.cname },
        timeout: ANSWER_WITHIN_MS,
      },
      (response) => {
        response.resume()
        const status = response.statusCode ?? 0
        resolve({ kind: 'answer', status, saw: `HTTP ${status}` })
      },
    )
    call.on('timeout', () => call.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS / 1000} seconds`)))
    call.on('error', (error) => resolve({ kind: 'silence', saw: error.message }))
    call.end()
  })

async function targetsOf(
  api: Api,
  environment: Environment,
): Promise<{ id: string; state: string; why: string }[]> {
  const { result } = await api.call('elasticbeanstalk', 'DescribeEnvironmentResources', {
    EnvironmentName: environment.name,
  })
  const balancers = listOf(structureOf(result.EnvironmentResources).LoadBalancers)
  const found: { id: string; state: string; why: string }[] = []
  for (const balancer of balancers) {
    const groups = await api.call('elasticloadbalancing', 'DescribeTargetGroups', {
      LoadBalancerArn: textOf(balancer.Name),
    })
    for (const group of listOf(groups.result.TargetGroups)) {
      const health = await api.call('elasticloadbalancing', 'DescribeTargetHealth', {
        TargetGroupArn: textOf(group.TargetGroupArn),
      })
      for (const one of listOf(health.result.TargetHealthDescriptions)) {
        const state = structureOf(one.TargetHealth)
        found.push({
          id: textOf(structureOf(one.Target).Id),
          state: textOf(state.State),
          why: textOf(state.Description) || textOf(state.Reason),
        })
      }
    }
  }
  return found
}

async function instancesOf(
  api: Api,
  environment: Environment,
): Promise<{ id: string; ok: boolean; saw: string }[]> {
  const { result } = await api.call('elasticbeanstalk', 'DescribeInstancesHealth', {
    EnvironmentName: environment.name,
    AttributeNames: ['All'],
  })
  return listOf(result.InstanceHealthList).map((one) => {
    const health = textOf(one.HealthStatus)
    const deployment = structureOf(one.Deployment)
    const causes = Array.isArray(one.Causes) ? one.Causes.filter((cause) => typeof cause === 'string') : []
    const ok = ['Ok', 'Info', 'Pending'].includes(health)
    return {
      id: textOf(one.InstanceId),
      ok,
      saw: [health, `${textOf(deployment.VersionLabel)} ${textOf(deployment.Status)}`.trim(), ...causes].join(
        '; ',
      ),
    }
  })
}

async function lastError(api: Api, environment: Environment): Promise<string | undefined> {
  const events = await readEvents(api, {
    EnvironmentName: environment.name,
    Severity: 'ERROR',
    MaxRecords: 5,
  })
  return events.map((one) => one.message).find((message) => message.includes('\n')) ?? events.at(-1)?.message
}
