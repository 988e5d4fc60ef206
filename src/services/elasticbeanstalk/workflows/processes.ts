// The processes of an environment: a target group each, at which the instances of its Auto Scaling group are registered.
// A target group's port and protocol are fixed, as in AWS: of another one the process gets another target group, and the
// former one goes when no listener sends it anything any more.
import type { Action, TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { Step } from '../../../control/workflows.ts'
import { dictionary } from '../../../kernel/dictionary.ts'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Process } from '../configuration/types.ts'
import { ofEnvironment } from '../events.ts'
import { isGone } from '../gone.ts'
import { replacedIn, resourcesOf, targetGroupsOf, type EnvironmentRow } from '../store.ts'
import { putInstanceRules } from './security-groups.ts'
import { awsTags, current, defaultVpc, forget, remember, required, type Work } from './work.ts'

/** Those that no process has any more. */
const formerOf = (row: EnvironmentRow) => JSON.parse(resourcesOf(row).formerTargetGroups ?? '[]') as string[]

/** Of all processes, those too that were replaced or are no more. */
export const allTargetGroupsOf = (row: EnvironmentRow): string[] => [
  ...new Set([
    ...Object.values(targetGroupsOf(row)),
    ...Object.values(replacedIn(row)).map(({ arn }) => arn),
    ...formerOf(row),
  ]),
]

/** Brings target groups to what the settings say of processes. `holds`: where one takes another's place, that one keeps its requests
 *  until switchProcesses; else the new one gets them at once. */
export function putProcesses(work: Work, { holds = false } = {}): void {
  const { parts, row, configuration } = work
  const before = targetGroupsOf(current(parts, row.id))
  const replaced = replacedIn(current(parts, row.id))
  const all = allTargetGroupsOf(current(parts, row.id))
  const now = dictionary<string>()
  const held: typeof replaced = dictionary()
  for (const process of configuration.processes) {
    const there = before[process.name]
    const former = replaced[process.name]
    // Ports of a classic load balancer have no names of their own: one may be another process's now.
    const others = configuration.classic ? Object.values(before) : []
    const kept = [there, former?.arn, ...others].find(
      (arn) => arn !== undefined && serves(work, arn, process),
    )
    now[process.name] = kept === undefined ? makeTargetGroup(work, process) : changed(work, kept, process)
    const holding = former ?? (kept === undefined && there !== undefined ? portOf(work, there) : undefined)
    // What a port of a classic load balancer is called may be another port's name now.
    if (holds && !configuration.classic && holding && holding.arn !== now[process.name])
      held[process.name] = holding
  }
  const used = new Set([...Object.values(now), ...Object.values(held).map(({ arn }) => arn)])
  const { default: targetGroupArn = '', ...further } = now
  remember(parts, row.id, { targetGroupArn })
  rememberList(work, 'furtherTargetGroups', further)
  rememberList(work, 'replacedTargetGroups', held)
  rememberList(work, 'formerTargetGroups', [...new Set(all.filter((arn) => !used.has(arn)))])
  attach(work, Object.values(now))
}

/** The target groups that had the requests of processes are theirs again; answers whether any were. */
export function takeBackProcesses({ parts, row }: Pick<Work, 'parts' | 'row'>): boolean {
  const now = current(parts, row.id)
  const held = Object.entries(replacedIn(now))
  if (held.length === 0) return false
  const groups = targetGroupsOf(now)
  const given = held.flatMap(([name]) => groups[name] ?? [])
  const { default: targetGroupArn = '', ...further } = dictionary(
    groups,
    dictionary(Object.fromEntries(held.map(([name, { arn }]) => [name, arn]))),
  )
  remember(parts, row.id, { targetGroupArn })
  rememberList({ parts, row }, 'furtherTargetGroups', further)
  rememberList({ parts, row }, 'formerTargetGroups', [...new Set([...formerOf(now), ...given])])
  forget(parts, row.id, 'replacedTargetGroups')
  return true
}

/** What gets the requests of a process. */
export function forwardTo({ parts, row }: Work, process: string): Action {
  const now = current(parts, row.id)
  const arn = required(targetGroupsOf(now)[process], `process ${process}`)
  const holding = replacedIn(now)[process]
  if (!holding) return { Type: 'forward', TargetGroupArn: arn }
  // Of weight 0 it is checked all the same.
  const TargetGroups = [
    { TargetGroupArn: holding.arn, Weight: 1 },
    { TargetGroupArn: arn, Weight: 0 },
  ]
  return { Type: 'forward', ForwardConfig: { TargetGroups } }
}

/** The requests of processes go to the target groups that have taken the place of others. Then settings are to be applied. */
export function switchProcesses({ parts, row }: Removing): void {
  const replaced = Object.values(replacedIn(current(parts, row.id))).map(({ arn }) => arn)
  const former = [...formerOf(current(parts, row.id)), ...replaced]
  rememberList({ parts, row }, 'formerTargetGroups', former)
  forget(parts, row.id, 'replacedTargetGroups')
}

// Nothing rather than an empty one.
function rememberList(
  { parts, row }: Pick<Work, 'parts' | 'row'>,
  member: 'furtherTargetGroups' | 'formerTargetGroups' | 'replacedTargetGroups',
  values: object,
): void {
  if (Object.keys(values).length > 0) remember(parts, row.id, { [member]: JSON.stringify(values) })
  else forget(parts, row.id, member)
}

const serves = (work: Work, arn: string, { port, protocol }: Process): boolean => {
  const group = described(work, arn)
  return group?.Port === port && group.Protocol === protocol
}

const portOf = (work: Work, arn: string) => {
  const port = described(work, arn)?.Port
  return port === undefined ? undefined : { arn, port }
}

/** Undefined for one that somebody deleted. */
function described({ parts, context }: Work, arn: string): TargetGroup | undefined {
  let found: TargetGroup | undefined
  isGone(() => {
    const input = { TargetGroupArns: [arn] }
    found = parts.cloud.elasticloadbalancingv2.describeTargetGroups(context, input).TargetGroups?.[0]
  })
  return found
}

function makeTargetGroup(work: Work, process: Process): string {
  const { parts, row, context } = work
  const { cloud, ids } = parts
  const { TargetGroups = [] } = cloud.elasticloadbalancingv2.createTargetGroup(context, {
    Name: ids.upper('awseb-AWSEB-', 13),
    Protocol: process.protocol,
    Port: process.port,
    VpcId: defaultVpc(parts, context),
    TargetType: 'instance',
    ...healthCheckOf(process),
    Tags: awsTags(row),
  })
  const arn = required(TargetGroups[0]?.TargetGroupArn, 'createTargetGroup')
  putAttributes(work, arn, process)
  putClassicCheck(work, arn)
  // Those of a classic load balancer are nobody's business.
  if (!work.configuration.classic)
    parts.events.write(ofEnvironment(row), 'INFO', `Created target group named: ${arn}`)
  return arn
}

function changed(work: Work, arn: string, process: Process): string {
  const { parts, context } = work
  parts.cloud.elasticloadbalancingv2.modifyTargetGroup(context, {
    TargetGroupArn: arn,
    ...healthCheckOf(process),
  })
  putAttributes(work, arn, process)
  putClassicCheck(work, arn)
  return arn
}

// A classic load balancer asks all ports the same, by protocols that target groups are not offered.
function putClassicCheck({ parts, context, configuration: { classic } }: Work, arn: string): void {
  if (classic) parts.cloud.elasticloadbalancingv2.putClassicTargetGroup(context, arn, classic)
}

const healthCheckOf = ({ protocol, healthCheck }: Process) => ({
  HealthCheckProtocol: protocol,
  HealthCheckPath: healthCheck.path,
  HealthCheckIntervalSeconds: healthCheck.intervalSeconds,
  HealthCheckTimeoutSeconds: healthCheck.timeoutSeconds,
  HealthyThresholdCount: healthCheck.healthyThreshold,
  UnhealthyThresholdCount: healthCheck.unhealthyThreshold,
  Matcher: { HttpCode: healthCheck.matcher },
})

function putAttributes(
  { parts, context, configuration }: Work,
  TargetGroupArn: string,
  process: Process,
): void {
  const { deregistrationDelaySeconds, stickinessSeconds } = process
  const values: Record<string, string> = {
    'deregistration_delay.timeout_seconds': String(deregistrationDelaySeconds),
    'stickiness.enabled': String(stickinessSeconds !== null),
    // ELB user guide: of HTTP a classic one chooses the instance with the fewest outstanding requests.
    ...(configuration.classic ? { 'load_balancing.algorithm.type': 'least_outstanding_requests' } : {}),
    ...(stickinessSeconds === null
      ? {}
      : {
          'stickiness.type': 'lb_cookie',
          'stickiness.lb_cookie.duration_seconds': String(stickinessSeconds),
        }),
  }
  parts.cloud.elasticloadbalancingv2.modifyTargetGroupAttributes(context, {
    TargetGroupArn,
    Attributes: Object.entries(values).map(([Key, Value]) => ({ Key, Value })),
  })
}

// A group that is yet to be made is made with them.
function attach({ parts, row, context }: Work, arns: string[]): void {
  const { autoscaling } = parts.cloud
  const { autoScalingGroupName } = resourcesOf(current(parts, row.id))
  const lacking = arns.filter((arn) => !attachedTo({ parts, row, context }).includes(arn))
  if (lacking.length > 0 && autoScalingGroupName)
    autoscaling.attachLoadBalancerTargetGroups(context, {
      AutoScalingGroupName: autoScalingGroupName,
      TargetGroupARNs: lacking,
    })
}

type Removing = Pick<Work, 'parts' | 'row' | 'context'>

/** ARNs of the target groups at which the Auto Scaling group registers instances; none where there is no group. */
function attachedTo({ parts, row, context }: Removing): string[] {
  const { autoScalingGroupName } = resourcesOf(current(parts, row.id))
  if (!autoScalingGroupName) return []
  const names = { AutoScalingGroupNames: [autoScalingGroupName] }
  return (
    parts.cloud.autoscaling.describeAutoScalingGroups(context, names).AutoScalingGroups?.[0]
      ?.TargetGroupARNs ?? []
  )
}

/** No instance is registered there any more; what is in flight is answered. */
export function detach(removing: Removing, arns: string[]): void {
  const { parts, row, context } = removing
  const attached = attachedTo(removing).filter((arn) => arns.includes(arn))
  if (attached.length === 0) return
  isGone(() =>
    parts.cloud.autoscaling.detachLoadBalancerTargetGroups(context, {
      AutoScalingGroupName: resourcesOf(current(parts, row.id)).autoScalingGroupName,
      TargetGroupARNs: attached,
    }),
  )
}

/** Deletes what putProcesses has replaced or taken away, and answers whether nothing of it is left: one to which somebody's own
 *  listener leads stays until that is gone. */
export function removeFormerProcesses(removing: Removing, { tells = true } = {}): boolean {
  const { parts, row } = removing
  const former = formerOf(current(parts, row.id))
  if (former.length === 0) return true
  detach(removing, former)
  const left = former.filter((arn) => !isRemoved(removing, arn, tells))
  rememberList(removing, 'formerTargetGroups', left)
  return left.length === 0
}

function isRemoved({ parts, row, context }: Removing, arn: string, tells: boolean): boolean {
  const { cloud, events } = parts
  try {
    isGone(() => cloud.elasticloadbalancingv2.deleteTargetGroup(context, { TargetGroupArn: arn }))
  } catch (error) {
    if (!(error instanceof DeclaredError) || error.code !== 'ResourceInUse') throw error
    const text = `Deleting target group named: ${arn} failed Reason: ${error.message}`
    if (tells) events.write(ofEnvironment(row), 'WARN', text)
    return false
  }
  if (!resourcesOf(current(parts, row.id)).loadBalancerName)
    events.write(ofEnvironment(row), 'INFO', `Deleted target group named: ${arn}`)
  return true
}

/** Those that no listener leads to any more, and their ports: a moment later, when no instance is registered there any more. */
export function removeUnusedProcesses(step: Step, work: Work): void {
  const { parts, row, context } = work
  const former = () => formerOf(current(parts, row.id))
  const leave = () => {
    detach(work, former())
    return former().length > 0
  }
  if (!step.do('take leave of processes', leave)) return
  const drained = 'processes drained'
  const isEmpty = (TargetGroupArn: string) => {
    let count = 0
    isGone(() => {
      const { TargetHealthDescriptions = [] } = parts.cloud.elasticloadbalancingv2.describeTargetHealth(
        context,
        { TargetGroupArn },
      )
      count = TargetHealthDescriptions.length
    })
    return count === 0
  }
  const isOver = () =>
    parts.clock.now() - step.startedAt(drained) >= SEEN_AGAIN_MS && former().every(isEmpty) ? true : undefined
  step.until(drained, isOver, { timeoutMs: DRAINED_MS, onTimeout: () => true })
  step.do('remove processes', () => {
    removeFormerProcesses(work)
    putInstanceRules(work)
  })
}

/** The balancer follows a change within this. */
const SEEN_AGAIN_MS = 3_000
const DRAINED_MS = 60_000

/** Deletes all but the default process's, whose turn is among the other resources. */
export function removeFurtherProcesses(step: Step, removing: Removing, timeoutMs: number): void {
  const { parts, row } = removing
  const had = step.do('look for further processes', () => {
    const { default: _default, ...further } = targetGroupsOf(current(parts, row.id))
    switchProcesses(removing)
    const all = [...formerOf(current(parts, row.id)), ...Object.values(further)]
    if (all.length === 0) return false
    forget(parts, row.id, 'furtherTargetGroups')
    rememberList(removing, 'formerTargetGroups', [...new Set(all)])
    return true
  })
  if (!had) return
  const remove = () => removeFormerProcesses(removing, { tells: false }) || undefined
  step.until('remove further processes', remove, { timeoutMs, onTimeout: () => true })
}
