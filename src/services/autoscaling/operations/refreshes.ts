// Instance refresh: all members are replaced, some at a time, by what the group launches now or a template that is given.
import type {
  InstanceRefresh,
  RefreshPreferences,
  StartInstanceRefreshType,
} from '@aws-sdk/client-auto-scaling'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { AutoscalingOperations } from '../../generated/autoscaling.ts'
import type { AutoscalingDeps } from '../deps.ts'
import { paging, unsupported, validation } from '../errors.ts'
import { requireTemplate, templateOf } from '../launch-template.ts'
import { requireGroup } from '../lookup.ts'
import { beginRollback, percentageOf, preferencesOf, rollbackOf } from '../refresh.ts'
import { activeRefreshOf, ofGroup, refreshesOf, type RefreshRow } from '../rows.ts'
import { membersOf, type GroupRow } from '../store.ts'
import { requireSeconds } from '../validate.ts'

type Implemented = Pick<
  AutoscalingOperations,
  'startInstanceRefresh' | 'describeInstanceRefreshes' | 'cancelInstanceRefresh' | 'rollbackInstanceRefresh'
>

const PREFERENCES = [
  'MinHealthyPercentage',
  'MaxHealthyPercentage',
  'InstanceWarmup',
  'SkipMatching',
  'AutoRollback',
  'ScaleInProtectedInstances',
  'StandbyInstances',
] as const

/** AWS describes those of six weeks. */
const KEPT_MS = 42 * 24 * 3_600_000

export function makeRefreshOperations(deps: AutoscalingDeps): Implemented {
  const { store, clock, ids } = deps
  return {
    startInstanceRefresh(context, input) {
      refuseOthers(
        input,
        ['AutoScalingGroupName', 'Strategy', 'DesiredConfiguration', 'Preferences'],
        unsupported,
      )
      if (input.Strategy && input.Strategy !== 'Rolling') throw unsupported(`Strategy ${input.Strategy}`)
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      if (activeRefreshOf(store, group))
        throw new DeclaredError(
          'InstanceRefreshInProgress',
          'An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.',
        )
      const desired = requireDesired(context, input)
      const preferences = requirePreferences(group, input.Preferences ?? {})
      if (preferences.AutoRollback && desired === null)
        throw validation(
          "The request isn't valid. The AutoRollback parameter cannot be set to true when the DesiredConfiguration parameter is empty. Set AutoRollback to false or specify a desired configuration and try again.",
        )
      const id = ids.uuid()
      const now = clock.now()
      const instances = membersOf(store, group).length
      const row: Omit<RefreshRow, 'seq'> = {
        ...ofGroup(group),
        ...{ id, status: 'Pending', statusReason: null, startedAt: now, endedAt: null, progressAt: now },
        ...{ instances, toUpdate: instances },
        ...{ preferences: JSON.stringify(preferences), desired, rollback: null },
      }
      store.run('delete from autoscaling_refresh where ended_at <= :until', { until: now - KEPT_MS })
      store.insert('autoscaling_refresh', row)
      return { InstanceRefreshId: id }
    },
    describeInstanceRefreshes(context, input) {
      refuseOthers(
        input,
        ['AutoScalingGroupName', 'InstanceRefreshIds', 'MaxRecords', 'NextToken'],
        unsupported,
      )
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      const wanted = input.InstanceRefreshIds ?? []
      const rows = refreshesOf(store, group).filter(({ id }) => wanted.length === 0 || wanted.includes(id))
      const limits = { token: input.NextToken, max: input.MaxRecords }
      // Newest first.
      const page = pageOf(rows, (row) => String(1e15 - row.seq).padStart(16, '0'), limits, paging(50))
      return { NextToken: page.next, InstanceRefreshes: page.items.map(describe) }
    },
    cancelInstanceRefresh(context, input) {
      refuseOthers(input, ['AutoScalingGroupName', 'WaitForTransitioningInstances'], (member) =>
        unsupported(member),
      )
      const refresh = requireActive(context, input.AutoScalingGroupName).refresh
      store.update('autoscaling_refresh', { id: refresh.id }, { status: 'Cancelling' })
      return { InstanceRefreshId: refresh.id }
    },
    rollbackInstanceRefresh(context, input) {
      const { group, refresh } = requireActive(context, input.AutoScalingGroupName)
      if (refresh.desired === null)
        throw new DeclaredError(
          'IrreversibleInstanceRefresh',
          'The desired configuration of the instance refresh is empty, so that there is nothing to roll back.',
        )
      if (refresh.rollback !== null)
        throw new DeclaredError(
          'InstanceRefreshInProgress',
          'The instance refresh is being rolled back already.',
        )
      beginRollback({ store, clock }, group, refresh, 'A user request')
      return { InstanceRefreshId: refresh.id }
    },
  }

  function requireActive(context: Context, name: string | undefined) {
    const group = requireGroup(store, context, name)
    const refresh = activeRefreshOf(store, group)
    if (!refresh)
      throw new DeclaredError(
        'ActiveInstanceRefreshNotFound',
        `No in progress or pending Instance Refresh found for Auto Scaling group ${group.name}`,
      )
    return { group, refresh }
  }

  function requireDesired(context: Context, { DesiredConfiguration: desired }: StartInstanceRefreshType) {
    if (!desired) return null
    refuseOthers(desired, ['LaunchTemplate'], (member) => unsupported(`DesiredConfiguration.${member}`))
    if (!desired.LaunchTemplate) return null
    return JSON.stringify(requireTemplate(deps, context, desired.LaunchTemplate))
  }
}

function requirePreferences(group: GroupRow, given: RefreshPreferences): RefreshPreferences {
  refuseOthers(given, PREFERENCES, (member) => unsupported(`Preferences.${member}`))
  const { MinHealthyPercentage: least = 90, MaxHealthyPercentage: most = 100 } = given
  if (given.MaxHealthyPercentage !== undefined && given.MinHealthyPercentage === undefined)
    throw validation('MinHealthyPercentage must be specified with MaxHealthyPercentage')
  if (!(least >= 0 && least <= 100)) throw between('MinHealthyPercentage', least, 0, 100)
  if (!(most >= 100 && most <= 200)) throw between('MaxHealthyPercentage', most, 100, 200)
  if (most - least > 100)
    throw validation(
      'The difference between MaxHealthyPercentage and MinHealthyPercentage cannot be greater than 100',
    )
  const words = {
    ScaleInProtectedInstances: ['Refresh', 'Ignore', 'Wait'],
    StandbyInstances: ['Terminate', 'Ignore', 'Wait'],
  } as const
  for (const member of ['ScaleInProtectedInstances', 'StandbyInstances'] as const) {
    const value = given[member]
    if (value !== undefined && !(words[member] as readonly string[]).includes(value))
      throw validation(
        `1 validation error detected: Value '${value}' at 'preferences.${member}' failed to satisfy constraint: Member must satisfy enum value set: [${words[member].join(', ')}]`,
      )
  }
  const warmup = given.InstanceWarmup
  return {
    MinHealthyPercentage: least,
    MaxHealthyPercentage: most,
    // AWS: the group's default warm-up, else its grace of health checks.
    InstanceWarmup:
      warmup === undefined || warmup === -1
        ? (group.defaultInstanceWarmup ?? group.healthCheckGraceSeconds)
        : requireSeconds(warmup, 'preferences.instanceWarmup', 2_147_483_647),
    SkipMatching: given.SkipMatching === true,
    AutoRollback: given.AutoRollback === true,
    ScaleInProtectedInstances: given.ScaleInProtectedInstances ?? 'Wait',
    StandbyInstances: given.StandbyInstances ?? 'Wait',
  }
}

const between = (member: string, value: number, least: number, most: number) =>
  validation(`${member} ${value} must be between ${least} and ${most}`)

function describe(row: RefreshRow): InstanceRefresh {
  const rollback = rollbackOf(row)
  const template = templateOf(row.desired)
  const { at, ...details } = rollback ?? { at: 0 }
  return {
    InstanceRefreshId: row.id,
    AutoScalingGroupName: row.groupName,
    Status: row.status,
    ...(row.statusReason !== null && { StatusReason: row.statusReason }),
    StartTime: new Date(row.startedAt),
    ...(row.endedAt !== null && { EndTime: new Date(row.endedAt) }),
    PercentageComplete: percentageOf(row),
    InstancesToUpdate: row.toUpdate,
    Strategy: 'Rolling',
    Preferences: preferencesOf(row),
    ...(template && { DesiredConfiguration: { LaunchTemplate: template } }),
    ...(rollback && { RollbackDetails: { ...details, RollbackStartTime: new Date(at) } }),
  }
}
