// Lifecycle hooks: members wait for somebody's word before they serve, or before they end. Nobody is notified: what waits is
// read from DescribeAutoScalingInstances.
import type { LifecycleHook, LifecycleHookSpecification } from '@aws-sdk/client-auto-scaling'
import { DeclaredError } from '../../../kernel/errors.ts'
import { refuseOthers } from '../../parameters.ts'
import type { AutoscalingOperations } from '../../generated/autoscaling.ts'
import type { AutoscalingDeps } from '../deps.ts'
import { requireString, unsupported, validation } from '../errors.ts'
import { requireGroup } from '../lookup.ts'
import { hooksOf, lifecycleActionsOf, ofGroup, type HookRow, type LifecycleActionRow } from '../rows.ts'
import type { GroupRow } from '../store.ts'

type Implemented = Pick<
  AutoscalingOperations,
  | 'putLifecycleHook'
  | 'describeLifecycleHooks'
  | 'deleteLifecycleHook'
  | 'describeLifecycleHookTypes'
  | 'completeLifecycleAction'
  | 'recordLifecycleActionHeartbeat'
>

/** AWS: per group; and with CreateAutoScalingGroup. */
const HOOKS_MAX = 50
const HOOKS_AT_CREATION_MAX = 5

const TRANSITIONS: Record<string, HookRow['transition']> = {
  'autoscaling:EC2_INSTANCE_LAUNCHING': 'launching',
  'autoscaling:EC2_INSTANCE_TERMINATING': 'terminating',
}
const TRANSITION_NAMES = Object.keys(TRANSITIONS)
const RESULTS = ['CONTINUE', 'ABANDON'] as const

type Specification = Omit<LifecycleHookSpecification, 'LifecycleTransition'> & {
  LifecycleTransition?: string | undefined
}

const HEEDED = [
  'LifecycleHookName',
  'LifecycleTransition',
  'NotificationMetadata',
  'HeartbeatTimeout',
  'DefaultResult',
] as const

export function makeHookOperations({ store, clock }: AutoscalingDeps): Implemented {
  return {
    putLifecycleHook(context, { AutoScalingGroupName, ...input }) {
      putHook({ store }, requireGroup(store, context, AutoScalingGroupName), input)
      return {}
    },
    describeLifecycleHooks(context, input) {
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      const names = input.LifecycleHookNames ?? []
      const rows = hooksOf(store, group).filter(({ name }) => names.length === 0 || names.includes(name))
      return { LifecycleHooks: rows.map(describe) }
    },
    deleteLifecycleHook(context, input) {
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      const name = requireString(input.LifecycleHookName, 'LifecycleHookName')
      if (!hooksOf(store, group).some((hook) => hook.name === name)) throw noHook(name)
      // AWS completes what waits: a launch is abandoned, a termination goes on.
      for (const { hookName, token, transition, result } of lifecycleActionsOf(store, group))
        if (hookName === name && result === null)
          complete(token, transition === 'launching' ? 'ABANDON' : 'CONTINUE')
      store.remove('autoscaling_hook', { ...ofGroup(group), name })
      return {}
    },
    describeLifecycleHookTypes: () => ({ LifecycleHookTypes: TRANSITION_NAMES }),
    completeLifecycleAction(context, input) {
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      const action = requireAction(group, input)
      const { LifecycleActionResult: given = '' } = input
      complete(action.token, oneOf(given, 'LifecycleActionResult', RESULTS))
      return {}
    },
    recordLifecycleActionHeartbeat(context, input) {
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      const { token, heartbeatSeconds, lastDeadline } = requireAction(group, input)
      const deadline = Math.min(lastDeadline, clock.now() + heartbeatSeconds * 1000)
      store.update('autoscaling_lifecycle_action', { token }, { deadline })
      return {}
    },
  }

  function complete(token: string, result: HookRow['defaultResult']) {
    store.update('autoscaling_lifecycle_action', { token }, { result })
  }

  function requireAction(
    group: GroupRow,
    input: {
      LifecycleHookName: string | undefined
      LifecycleActionToken?: string | undefined
      InstanceId?: string | undefined
    },
  ): LifecycleActionRow {
    const hook = requireString(input.LifecycleHookName, 'LifecycleHookName')
    const { LifecycleActionToken: token, InstanceId: instanceId } = input
    if (!token && !instanceId) throw validation('Either LifecycleActionToken or InstanceId must be specified')
    if (!hooksOf(store, group).some(({ name }) => name === hook)) throw noHook(hook)
    const found = lifecycleActionsOf(store, group).find(
      (one) =>
        one.hookName === hook &&
        one.result === null &&
        one.deadline > clock.now() &&
        (!token || one.token === token) &&
        (!instanceId || one.instanceId === instanceId),
    )
    if (found) return found
    throw validation(
      `No active Lifecycle Action found with ${token ? `token ${token}` : `instance ID ${instanceId}`}`,
    )
  }
}

export function putHooks(
  deps: Pick<AutoscalingDeps, 'store'>,
  group: GroupRow,
  hooks: Specification[] = [],
): void {
  if (hooks.length > HOOKS_AT_CREATION_MAX)
    throw validation(`You cannot specify more than ${HOOKS_AT_CREATION_MAX} hooks`)
  const names = hooks.map((hook) => hook.LifecycleHookName)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw validation(`Multiple lifecycle hooks found for name '${twice}'`)
  for (const hook of hooks) putHook(deps, group, hook)
}

// A hook that is there keeps what the request does not say, as on AWS.
function putHook({ store }: Pick<AutoscalingDeps, 'store'>, group: GroupRow, input: Specification) {
  if (input.RoleARN && !input.NotificationTargetARN)
    throw validation("'NotificationTargetARN' parameter required when 'RoleARN' parameter is specified")
  refuseOthers(input, HEEDED, unsupported)
  const name = requireString(input.LifecycleHookName, 'LifecycleHookName')
  if (!/^[A-Za-z0-9\-_/]{1,255}$/.test(name))
    throw validation(
      `1 validation error detected: Value '${name.slice(0, 300)}' at 'lifecycleHookName' failed to satisfy constraint: Member must satisfy regular expression pattern: [A-Za-z0-9\\-_\\/]+`,
    )
  const all = hooksOf(store, group)
  const former = all.find((hook) => hook.name === name)
  if (!former && all.length >= HOOKS_MAX)
    throw new DeclaredError('LimitExceeded', `LifecycleHooks limit of ${HOOKS_MAX} exceeded.`)
  const { LifecycleTransition: given, HeartbeatTimeout: seconds, DefaultResult: result } = input
  if (!former && !given) throw validation("'LifecycleTransition' must be specified")
  if (seconds !== undefined && !(seconds >= 30 && seconds <= 7_200))
    throw validation('HeartbeatTimeout must be between 30 and 7200 seconds')
  const row: HookRow = {
    ...ofGroup(group),
    name,
    transition: given
      ? TRANSITIONS[oneOf(given, 'LifecycleTransition', TRANSITION_NAMES)]!
      : former!.transition,
    metadata: input.NotificationMetadata ?? former?.metadata ?? null,
    heartbeatSeconds: seconds ?? former?.heartbeatSeconds ?? 3_600,
    defaultResult: result ? oneOf(result, 'DefaultResult', RESULTS) : (former?.defaultResult ?? 'ABANDON'),
  }
  store.put('autoscaling_hook', row)
}

const describe = (row: HookRow): LifecycleHook => ({
  LifecycleHookName: row.name,
  AutoScalingGroupName: row.groupName,
  LifecycleTransition: TRANSITION_NAMES.find((name) => TRANSITIONS[name] === row.transition),
  ...(row.metadata !== null && { NotificationMetadata: row.metadata }),
  HeartbeatTimeout: row.heartbeatSeconds,
  GlobalTimeout: Math.min(172_800, 100 * row.heartbeatSeconds),
  DefaultResult: row.defaultResult,
})

function oneOf<T extends string>(value: string, member: string, words: readonly T[]): T {
  const found = words.find((word) => word === value)
  if (found === undefined) throw validation(`'${member}' must be one of: ${words.join(', ')}`)
  return found
}

const noHook = (name: string) => validation(`No Lifecycle Hook found with name ${name}`)
