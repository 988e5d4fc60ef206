// Crash points: the control plane dies at its k-th gate (before an engine call's effect, or after it), the next life goes
// on; wherever it died, the operation ends as it would have, once, and nothing is left over.
import assert from 'node:assert/strict'
import { call, callRoute53, importCertificate, putObject, requestCertificate } from './client.ts'
import { safety } from './invariants/safety.ts'
import { Life } from './life.ts'
import { comeToRest } from './play.ts'
import {
  APPLICATION,
  BUCKET,
  TEAMS,
  balancerGroups,
  bundleOf,
  classic,
  creating,
  domains,
  accessLogging,
  furtherProcess,
  httpsListener,
  kind,
  keyOf,
  prepare,
  property,
  replacing,
  ruleInput,
  securityGroups,
  setting,
  sharing,
  sizes,
  trigger,
  versionInput,
  ZONE,
} from './shop.ts'
import { DOMAIN, makeWorld, REGION, type World } from './world.ts'

const NAME = 'shop-prod'
const OPERATION_MS = 20 * 60_000

/** `done`: the event that ends it; `*` stands for anything. */
type Operation = { done: string; send(world: World, life: Life): Promise<void> }

export type Sweep = {
  before: Operation[]
  swept: Operation
  /** Instances at the end. */
  instances: number
  /** What is broken for good. */
  breaks?(world: World): void
}

const asking = (action: string, input: Record<string, string>, done: string): Operation => ({
  done,
  async send(world, life) {
    const reply = await call(world, life, action, input)
    assert.equal(reply.status, 200, reply.message)
  },
})
const create = (input: Record<string, string>, done: string) =>
  asking('CreateEnvironment', { EnvironmentName: NAME, ...creating(NAME, 2), ...input }, done)
const update = (input: Record<string, string>) =>
  asking(
    'UpdateEnvironment',
    { EnvironmentName: NAME, ...input },
    'Environment update completed successfully.',
  )

const CREATE = create({}, `Successfully launched environment: ${NAME}`)

const SINGLE = create(kind('SingleInstance', 3), `Successfully launched environment: ${NAME}`)

// A client whose connection broke sends again.
const UPLOAD: Operation = {
  done: 'Finished processing application version v4. Version status: PROCESSED.',
  async send(world, life) {
    const put = putObject(world, life, BUCKET, keyOf('v4'), bundleOf('v4')).then((status) => status === 200)
    let stored = false
    void put.then((ok) => (stored = ok))
    for (let turn = 0; turn < 1_000 && !stored && !life.dead; turn++) await world.clock.run(0)
    if (stored) await call(world, life, 'CreateApplicationVersion', versionInput('v4'))
  },
}

/** With a certificate for its listeners. */
const CREATE_CERTIFIED: Operation = {
  done: CREATE.done,
  async send(world, life) {
    await importCertificate(world, life)
    await CREATE.send(world, life)
  },
}

const TERMINATE = asking(
  'TerminateEnvironment',
  { EnvironmentName: NAME },
  'terminateEnvironment completed successfully.',
)

/** With another process, behind the load balancer that a user made. */
const SHARING: Operation = {
  done: CREATE.done,
  async send(world, life) {
    await create({ ...sharing(world, 3), ...furtherProcess(81, true, 5) }, CREATE.done).send(world, life)
  },
}

/** A listener of HTTPS, switched on or off. */
const https = (enabled: boolean): Operation => ({
  done: 'Environment update completed successfully.',
  async send(world, life) {
    const { arn } = world.store.get<{ arn: string }>(
      'select arn from acm_certificate where arn not in (select arn from acm_order)',
    )!
    await update(httpsListener(arn, enabled)).send(world, life)
  },
})

/** Rules of a user's own, made in another order than they are asked in, and then an update. */
const RULED: Operation = {
  done: 'Environment update completed successfully.',
  async send(world, life) {
    const { arn } = world.store.get<{ arn: string }>('select arn from elbv2_listener')!
    for (const priority of ['3', '1', '2'])
      await call(
        world,
        life,
        'CreateRule',
        ruleInput(arn, priority, `rule ${priority}`),
        'elasticloadbalancingv2',
      )
    await update(accessLogging(true)).send(world, life)
  },
}

const OTHER = 'shop-test'
const CREATE_OTHER = asking(
  'CreateEnvironment',
  { EnvironmentName: OTHER, ...creating(OTHER, 1) },
  `Successfully launched environment: ${OTHER}`,
)
const SWAP = asking(
  'SwapEnvironmentCNAMEs',
  { SourceEnvironmentName: NAME, DestinationEnvironmentName: OTHER },
  `Completed swapping CNAMEs for environments '${NAME}' and '${OTHER}'.`,
)

/** Names of a zone and of a private one that lead to it, of which one goes and one comes in one batch. */
const NAMED: Operation = {
  done: 'Environment update completed successfully.',
  async send(world, life) {
    const zones = world.store.all<{ id: string }>('select id from route53_zone order by private')
    const set = (action: string, name: string) =>
      `<Change><Action>${action}</Action><ResourceRecordSet><Name>${name}.${ZONE}</Name><Type>CNAME</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>${NAME}.${REGION}.${DOMAIN}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change>`
    for (const changes of [set('CREATE', 'www'), set('DELETE', 'www') + set('CREATE', '*.apps')])
      for (const { id } of zones)
        await callRoute53(
          ...([world, life, 'POST', `/hostedzone/${id}/rrset`] as const),
          `<ChangeResourceRecordSetsRequest><ChangeBatch><Changes>${changes}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`,
        )
    await update(domains('www.example.org')).send(world, life)
  },
}

/** An alarm of the environment's trigger goes off. */
const alarm = (which: 'highAlarmName' | 'lowAlarmName', done: string): Operation => ({
  done,
  async send(world, life) {
    const { name } = world.store.get<{ name: string }>(
      `select resources ->> '$.${which}' as name from environment where name = :NAME`,
      { NAME },
    )!
    const state = { AlarmName: name, StateValue: 'ALARM', StateReason: 'a test' }
    const reply = await call(world, life, 'SetAlarmState', state, 'cloudwatch')
    assert.equal(reply.status, 200, reply.message)
  },
})
/** Of its two instances one may go, or another come, and nothing sets off its alarms. */
const LEAVE_ROOM = update({
  ...sizes(1, 4),
  ...trigger('UnHealthyHostCount', 1, 3),
  ...setting(7, 'aws:autoscaling:asg', 'Cooldown', '0'),
})

/** Of a zone's names and below it, shown by the name server, and of the home's own. */
const CERTIFIED: Operation = {
  done: 'Environment update completed successfully.',
  async send(world, life) {
    await requestCertificate(world, life, `*.${ZONE}`, 'wild')
    await requestCertificate(world, life, 'shop.localhost', 'own')
    await update(domains('www.example.org')).send(world, life)
  },
}

export const SWEEPS: Record<string, Sweep> = {
  create: { before: [], swept: CREATE, instances: 2 },
  'a create that fails': {
    before: [],
    swept: create(
      { VersionLabel: 'v3' },
      `Launched environment: ${NAME}. However, there were issues during launch. See event log for details.`,
    ),
    instances: 0,
    breaks: ({ trouble }) => void trouble.unbuildable.add(bundleOf('v3')),
  },
  'an upload': { before: [], swept: UPLOAD, instances: 0 },
  'a changed property': { before: [CREATE], swept: update(property('changed')), instances: 2 },
  'a new version': { before: [CREATE], swept: update({ VersionLabel: 'v2' }), instances: 2 },
  'a changed instance type': { before: [CREATE], swept: update(replacing('t3.small')), instances: 2 },
  'scaling in': { before: [CREATE], swept: update(sizes(1)), instances: 1 },
  'scaling out': { before: [CREATE], swept: update(sizes(3)), instances: 3 },
  'an alarm that adds an instance': {
    before: [CREATE, LEAVE_ROOM],
    swept: alarm('highAlarmName', 'Added instance [*] to your environment.'),
    instances: 3,
  },
  'an alarm that takes an instance away': {
    before: [CREATE, LEAVE_ROOM],
    swept: alarm('lowAlarmName', 'Removed instance [*] from your environment.'),
    instances: 1,
  },
  'a single instance': { before: [], swept: SINGLE, instances: 1 },
  'another type of a single instance': {
    before: [SINGLE],
    swept: update(replacing('t3.small')),
    instances: 1,
  },
  'a load balancer for a single instance': {
    before: [SINGLE],
    swept: update(kind('LoadBalanced')),
    instances: 2,
  },
  'a single instance for a load balancer': {
    before: [CREATE],
    swept: update(kind('SingleInstance')),
    instances: 1,
  },
  'other groups of instances': {
    before: [CREATE],
    swept: update(securityGroups(TEAMS, true)),
    instances: 2,
  },
  'another group of the load balancer': {
    before: [CREATE],
    swept: update(balancerGroups([TEAMS[0]!], '')),
    instances: 2,
  },
  'a listener of HTTPS': { before: [CREATE_CERTIFIED], swept: https(true), instances: 2 },
  'another process': { before: [CREATE], swept: update(furtherProcess(81, false)), instances: 2 },
  'a process on another port': {
    before: [CREATE, update(furtherProcess(81, false))],
    swept: update(furtherProcess(82, false)),
    instances: 2,
  },
  'a process that goes': {
    before: [CREATE, update(furtherProcess(81, false))],
    swept: update(furtherProcess(null, false)),
    instances: 2,
  },
  'a shared load balancer': { before: [], swept: SHARING, instances: 2 },
  'a classic load balancer': {
    before: [],
    swept: create(classic(3), CREATE.done),
    instances: 2,
  },
  'leaving a shared load balancer': { before: [SHARING], swept: TERMINATE, instances: 0 },
  'rules and access logs': { before: [CREATE], swept: RULED, instances: 2 },
  'a listener that goes': { before: [CREATE_CERTIFIED, https(true)], swept: https(false), instances: 2 },
  'swapped names': { before: [CREATE, CREATE_OTHER], swept: SWAP, instances: 3 },
  'names of a zone': { before: [CREATE], swept: NAMED, instances: 2 },
  'certificates that are asked for': { before: [CREATE], swept: CERTIFIED, instances: 2 },
  terminate: { before: [CREATE], swept: TERMINATE, instances: 0 },
  'deleting the application by force': {
    before: [CREATE],
    swept: asking(
      'DeleteApplication',
      { ApplicationName: APPLICATION, TerminateEnvByForce: 'true' },
      'The application has been deleted successfully.',
    ),
    instances: 0,
  },
}

/** How many gates the operation passes in peace. */
export async function gatesOf(sweep: Sweep): Promise<number> {
  const { world, calls } = await run(sweep, Infinity, false)
  world.store.close()
  return calls
}

/** What is wrong when the control plane dies at that gate, and the machine with it if `reboot`. */
export async function dieAt(sweep: Sweep, gate: number, reboot: boolean): Promise<string[]> {
  const { world, wrong } = await run(sweep, gate, reboot)
  wrong.push(...(await comeToRest(world)))
  if (world.compute.instances.size !== sweep.instances)
    wrong.push(`${world.compute.instances.size} instances, not ${sweep.instances}`)
  const said = timesSaid(world, sweep.swept)
  if (said !== timesBefore(sweep) + 1) wrong.push(`"${sweep.swept.done}" was said ${said} times`)
  world.store.close()
  return wrong
}

// A world at rest in which everything before the swept operation is done.
async function begin({ before, breaks }: Sweep): Promise<{ world: World; life: Life }> {
  const world = makeWorld(1)
  const life = new Life(world)
  await prepare(world, life)
  breaks?.(world)
  for (const operation of before) {
    await operation.send(world, life)
    await said(world, operation, 1)
  }
  await comeToRest(world)
  return { world, life }
}

/** `wrong`: what does not hold at the moment of death. */
type Ran = { world: World; calls: number; wrong: string[] }

async function run(sweep: Sweep, gate: number, reboot: boolean): Promise<Ran> {
  const { swept } = sweep
  const { world, life } = await begin(sweep)
  life.die()
  const doomed = new Life(world, gate)
  await swept.send(world, doomed)
  if (gate === Infinity) {
    await said(world, swept, timesBefore(sweep) + 1)
    doomed.die()
    return { world, calls: doomed.calls, wrong: [] }
  }
  for (let step = 0; step < 100 && !doomed.dead; step++) await world.clock.run(1_000)
  doomed.die()
  const wrong = safety(world).map((sentence) => `as it died: ${sentence}`)
  if (reboot) world.reboot()
  const next = new Life(world)
  if (swept === UPLOAD) await swept.send(world, next)
  await said(world, swept, timesBefore(sweep) + 1)
  return { world, calls: doomed.calls, wrong }
}

const timesBefore = ({ before, swept }: Sweep) => before.filter(({ done }) => done === swept.done).length

const timesSaid = ({ store }: World, { done }: Operation) =>
  store.all('select 1 from event where message glob :done', {
    done: done.replaceAll(/[[?]/g, '[$&]'),
  }).length

const said = (world: World, operation: Operation, times: number) =>
  world.clock.runUntil(() => timesSaid(world, operation) >= times, OPERATION_MS)

/** What is wrong when the environment is terminated at that gate of the operation. */
export async function terminateAt(sweep: Sweep, gate: number): Promise<string[]> {
  const { world, life } = await begin(sweep)
  const next = new Life(world)
  life.die()
  await sweep.swept.send(world, next)
  for (let step = 0; step < 20_000 && next.calls < gate; step++) await world.clock.run(20)
  await TERMINATE.send(world, next)
  const wrong = safety(world)
  await said(world, TERMINATE, 1)
  wrong.push(...(await comeToRest(world)))
  if (world.compute.instances.size > 0) wrong.push(`${world.compute.instances.size} instances are left`)
  next.die()
  world.store.close()
  return wrong
}
