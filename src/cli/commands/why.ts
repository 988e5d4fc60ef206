// `why [URL|ENV]`: walks from the name to the process, prints what it saw at each step, ends in one sentence.
import { openApi, type Api } from '../client.ts'
import { chooseEnvironment, listEnvironments, type Environment } from '../environments.ts'
import { causeOf, reasonOf, tellingError } from '../../services/elasticbeanstalk/reason.ts'
import { readEvents } from '../events.ts'
import { EXIT } from '../failure.ts'
import { instancesOf } from '../instances.ts'
import { lastLines } from '../log-tail.ts'
import { print, printJson } from '../output.ts'
import { reach, type Reply } from '../reach.ts'
import { listOf, structureOf, textOf } from '../xml.ts'
import { readFirewallReport } from './firewall.ts'
import { tailLogs } from './logs.ts'

type Finding = { step: string; ok: boolean; saw: string }
const LINES_SHOWN = 10

/** Exit status 0 when the environment answers as it should (below HTTP 500), 4 when it does not. */
export async function why(
  homeDir: string,
  target: string | undefined,
  { json }: { json?: boolean },
): Promise<number> {
  const api = openApi(homeDir)
  const walk: Finding[] = []
  const see = (step: string, ok: boolean, saw: string) => {
    walk.push({ step, ok, saw })
    if (!json) print(`${ok ? 'ok  ' : 'NO  '} ${step.padEnd(9)} ${saw}`)
    return ok
  }
  const { answers, sentence, log } = await walkTo(api, target, see)
  if (json) printJson({ answers, walk, log, sentence })
  else {
    for (const { instance, lines } of log)
      print(`\n${instance}:\n${lines.map((line) => `  ${line}`).join('\n')}`)
    print(`\n${sentence}`)
  }
  return answers ? EXIT.ok : EXIT.operationFailed
}

type See = (step: string, ok: boolean, saw: string) => boolean
type Log = { instance: string; lines: string[] }[]
type Outcome = { answers: boolean; sentence: string; log: Log }

async function walkTo(api: Api, target: string | undefined, see: See): Promise<Outcome> {
  const { environment, path } = await environmentFor(api, target)
  if (!environment) {
    see('name', false, `no environment here answers to ${target}`)
    const names = (await listEnvironments(api)).map((one) => one.cname).join(', ')
    return {
      answers: false,
      sentence: `No environment has that name; there are: ${names || 'none'}.`,
      log: [],
    }
  }
  see(
    'name',
    true,
    `${environment.cname} is environment ${environment.name} (${environment.status}, ${environment.healthStatus || environment.health})`,
  )
  const reply = await reach(api, environment, path)
  const works = reply.kind === 'answer' && reply.status < 500
  see('listener', reply.kind === 'answer', `${environment.url.slice(0, -1)}${path}: ${reply.saw}`)
  const targets = await targetsOf(api, environment)
  const { elasticAddress } = environment
  if (targets.length === 0)
    see(
      'targets',
      false,
      elasticAddress
        ? `the elastic address ${elasticAddress} leads to no instance`
        : 'no instance is registered with the load balancer',
    )
  for (const one of targets)
    see(
      elasticAddress ? 'address' : 'target',
      one.state === 'healthy',
      `${one.id}: ${one.state}${one.why ? ` (${one.why})` : ''}`,
    )
  for (const one of await processesOf(api, environment)) see('process', one.ok, `${one.id}: ${one.saw}`)

  const ill = targets.filter((one) => one.state !== 'healthy')
  if (works) {
    const remark =
      ill.length === 0
        ? ''
        : ` Not healthy: ${ill.map(({ id, why }) => `${id}${why ? ` (${why})` : ''}`).join(', ')}.`
    const sentence = `It answers: HTTP ${reply.status} from ${environment.name}.${remark}`
    return { answers: true, sentence, log: ill.length === 0 ? [] : await logOf(api, environment, ill) }
  }
  const error = await lastError(api, environment)
  if (error) see('events', false, error)
  const log = await logOf(api, environment, ill)
  return { answers: false, sentence: sentenceOf(environment, reply, targets, error), log }
}

function sentenceOf(
  environment: Environment,
  reply: Reply,
  targets: Target[],
  error: string | undefined,
): string {
  const { name, status, url } = environment
  if (status !== 'Ready') return reasonOf({ name, status, anyHealthy: true, cause: undefined })!
  if (reply.kind === 'silence') return `Nothing answers at ${url}: ${reply.saw}. See: polebean doctor`
  if (environment.elasticAddress && reply.byBalancer)
    return `Nothing answers on the instance of ${name}: its proxy does not run, or the instance does not.`
  const anyHealthy = targets.some((one) => one.state === 'healthy')
  const cause = (error && causeOf([error])) ?? targets[0]?.why
  const reason = reasonOf({ name, status, anyHealthy, cause })
  if (reason) return reason
  return `The application answers HTTP ${reply.status}; the last lines of its log are above. All of it: polebean logs ${name}`
}

/** The last lines of what the process said, on the instances named, or on all. */
async function logOf(api: Api, environment: Environment, of: Target[]): Promise<Log> {
  const tails = await tailLogs(api, environment).catch(() => [])
  return tails
    .filter(({ instance }) => of.length === 0 || of.some(({ id }) => id === instance))
    .map(({ instance, text }) => ({ instance, lines: lastLines(text, /\.stdout\.log$/, LINES_SHOWN) }))
    .filter(({ lines }) => lines.length > 0)
}

/** By name, id, URL or loopback URL; without a target the only one, or the one that this folder is linked to. */
async function environmentFor(
  api: Api,
  target: string | undefined,
): Promise<{ environment: Environment | undefined; path: string }> {
  const [, host, port = '', path = '/'] =
    /^(?:https?:\/\/)?([^/:\s]+\.[^/:\s]+|localhost|\[::1\])(?::(\d+))?(\/[^#]*)?/i.exec(target ?? '') ?? []
  if (host === undefined) return { environment: await chooseEnvironment(api, target), path: '/' }
  const all = await listEnvironments(api)
  const local = /^(127(\.\d+){3}|localhost|\[::1\])$/i.test(host)
  const environment = all.find((one) =>
    local
      ? one.elasticAddress === host || (port !== '' && new URL(one.localUrl || 'http://none').port === port)
      : one.cname.toLowerCase() === host.toLowerCase(),
  )
  return { environment, path }
}

type Target = { id: string; state: string; why: string }

async function targetsOf(api: Api, environment: Environment): Promise<Target[]> {
  if (environment.elasticAddress) return instanceBehind(api, environment)
  const { result } = await api.call('elasticbeanstalk', 'DescribeEnvironmentResources', {
    EnvironmentName: environment.name,
  })
  const resources = structureOf(result.EnvironmentResources)
  const balancers = listOf(resources.LoadBalancers)
  // A load balancer may be there for others, too.
  const own = new Set(listOf(resources.Instances).map(({ Id }) => textOf(Id)))
  const of = balancers.map(({ Name }) =>
    textOf(Name).startsWith('arn:') ? targetsBehind(api, textOf(Name)) : classicTargets(api, textOf(Name)),
  )
  return (await Promise.all(of)).flat().filter(({ id }) => own.has(id.split(' ')[0] ?? ''))
}

async function targetsBehind(api: Api, LoadBalancerArn: string): Promise<Target[]> {
  const groups = await api.call('elasticloadbalancing', 'DescribeTargetGroups', { LoadBalancerArn })
  const found: Target[] = []
  for (const group of listOf(groups.result.TargetGroups)) {
    const health = await api.call('elasticloadbalancing', 'DescribeTargetHealth', {
      TargetGroupArn: textOf(group.TargetGroupArn),
    })
    for (const one of listOf(health.result.TargetHealthDescriptions)) {
      const state = structureOf(one.TargetHealth)
      const { Id, Port } = structureOf(one.Target)
      found.push({
        id: `${textOf(Id)} port ${textOf(Port)}`,
        state: textOf(state.State),
        why: textOf(state.Description) || textOf(state.Reason),
      })
    }
  }
  return found
}

/** Of a Classic Load Balancer, which is known by its name. */
async function classicTargets(api: Api, LoadBalancerName: string): Promise<Target[]> {
  const { result } = await api.call('elb', 'DescribeInstanceHealth', { LoadBalancerName })
  return listOf(result.InstanceStates).map(({ InstanceId, State, Description }) => {
    const isInService = textOf(State) === 'InService'
    return {
      ...{ id: textOf(InstanceId), state: isInService ? 'healthy' : 'unhealthy' },
      why: isInService ? '' : textOf(Description),
    }
  })
}

/** What an elastic address leads to, and what its instance's health says: nobody else checks it. */
async function instanceBehind(api: Api, environment: Environment): Promise<Target[]> {
  const [{ interfaces }, instances] = await Promise.all([
    readFirewallReport(api),
    processesOf(api, environment),
  ])
  const led = interfaces.filter((one) => one.elasticAddress === environment.elasticAddress)
  return instances
    .filter(({ id }) => led.some(({ instanceId }) => instanceId === id))
    .map(({ id, ok, saw }) => ({ id, state: ok ? 'healthy' : 'unhealthy', why: ok ? '' : saw }))
}

/** What each instance's health says of its process. */
async function processesOf(
  api: Api,
  environment: Environment,
): Promise<{ id: string; ok: boolean; saw: string }[]> {
  const instances = await instancesOf(api, environment)
  return instances.map(({ id, health, version, deployment, causes }) => ({
    ...{ id, ok: ['Ok', 'Info', 'Pending'].includes(health) },
    saw: [health, `${version} ${deployment}`.trim(), ...causes].join('; '),
  }))
}

async function lastError(api: Api, environment: Environment): Promise<string | undefined> {
  const events = await readEvents(api, {
    EnvironmentName: environment.name,
    Severity: 'ERROR',
    MaxRecords: 5,
  })
  return tellingError(events.map((one) => one.message).reverse())
}
