import type { CreateAutoScalingGroupType, UpdateAutoScalingGroupType } from '@aws-sdk/client-auto-scaling'
import { DeclaredError } from '../../../kernel/errors.ts'
import { refuseOthers } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { AutoscalingOperations } from '../../generated/autoscaling.ts'
import * as causes from '../causes.ts'
import type { AutoscalingDeps } from '../deps.ts'
import { noGroup, noLaunchConfiguration, requireString, unsupported, validation } from '../errors.ts'
import { requireTemplate } from '../launch-template.ts'
import { requireGroup } from '../lookup.ts'
import { activeRefreshOf, ofGroup, policiesOf } from '../rows.ts'
import { deleteOwnAlarms, ownAlarmsOf } from '../scaling/alarms.ts'
import { isCooling } from '../scaling/cooldown.ts'
import { groupOf, groupsOf, launchConfigurationOf, membersOf, updateGroup, type GroupRow } from '../store.ts'
import {
  requireHealthCheckType,
  requireLifetime,
  requirePlaces,
  requirePolicies,
  requireSeconds,
  requireSizes,
  requireTargetGroups,
  requireWarmup,
} from '../validate.ts'
import { putHooks } from './hooks.ts'
import { requireName } from './launch-configurations.ts'
import { inCooldown } from './policies.ts'
import { putGroupTags, requireGroupTags } from './tags.ts'

type Implemented = Pick<
  AutoscalingOperations,
  'createAutoScalingGroup' | 'updateAutoScalingGroup' | 'deleteAutoScalingGroup' | 'setDesiredCapacity'
>

/** AWS: 500 per region. */
export const GROUPS_MAX = 500
const SECONDS_MAX = 2_147_483_647

const KNOWN = [
  'AutoScalingGroupName',
  'LaunchConfigurationName',
  'LaunchTemplate',
  'MinSize',
  'MaxSize',
  'DesiredCapacity',
  'DefaultCooldown',
  'AvailabilityZones',
  'VPCZoneIdentifier',
  'HealthCheckType',
  'HealthCheckGracePeriod',
  'TerminationPolicies',
  'NewInstancesProtectedFromScaleIn',
  'ServiceLinkedRoleARN',
  'DefaultInstanceWarmup',
  'MaxInstanceLifetime',
] as const

export function makeGroupOperations(deps: AutoscalingDeps): Implemented {
  const { store, clock, ids } = deps
  return {
    createAutoScalingGroup(context, input) {
      refuseOthers(
        input,
        [...KNOWN, 'TargetGroupARNs', 'Tags', 'LifecycleHookSpecificationList'],
        unsupported,
      )
      const name = requireName(requireString(input.AutoScalingGroupName, 'AutoScalingGroupName'))
      if (groupOf(store, context, name))
        throw new DeclaredError(
          'AlreadyExists',
          `AutoScalingGroup by this name already exists - A group with the name ${name} already exists`,
        )
      if (groupsOf(store, context).length >= GROUPS_MAX)
        throw new DeclaredError('LimitExceeded', `AutoScalingGroups limit of ${GROUPS_MAX} exceeded.`)
      const min = input.MinSize ?? missing('minSize')
      const max = input.MaxSize ?? missing('maxSize')
      const sizes = requireSizes({ min, max, desired: input.DesiredCapacity ?? min })
      const places = requirePlaces(deps, context, input)
      const source = sourceOf(context, input)
      if (!source) throw validation(ONE_SOURCE)
      requireGroupTags(input.Tags, name)
      const { account, region, requestId } = context
      const row: GroupRow = {
        account,
        region,
        name,
        arn: `arn:aws:autoscaling:${region}:${account}:autoScalingGroup:${ids.uuid()}:autoScalingGroupName/${name}`,
        ...source,
        minSize: sizes.min,
        maxSize: sizes.max,
        desiredCapacity: sizes.desired,
        defaultCooldown: requireSeconds(input.DefaultCooldown ?? 300, 'defaultCooldown', SECONDS_MAX),
        zones: JSON.stringify(places.zones),
        subnets: JSON.stringify(places.subnets),
        targetGroups: JSON.stringify(requireTargetGroups(deps, context, input.TargetGroupARNs ?? [])),
        healthCheckType: requireHealthCheckType(input.HealthCheckType ?? 'EC2'),
        healthCheckGraceSeconds: requireSeconds(
          input.HealthCheckGracePeriod ?? 0,
          'healthCheckGracePeriod',
          SECONDS_MAX,
        ),
        terminationPolicies: JSON.stringify(requirePolicies(terminationOf(input.TerminationPolicies))),
        protectNew: input.NewInstancesProtectedFromScaleIn ? 1 : 0,
        serviceLinkedRole: input.ServiceLinkedRoleARN ?? null,
        suspended: '[]',
        defaultInstanceWarmup: requireWarmup(input.DefaultInstanceWarmup),
        maxInstanceLifetime: requireLifetime(input.MaxInstanceLifetime ?? 0),
        enabledMetrics: '[]',
        cooldownSeconds: null,
        cooldownFrom: null,
        deleting: 0,
        forceDelete: 0,
        cause: causes.createdGroup(clock.now(), sizes.desired),
        launchFailures: 0,
        launchRetryAt: null,
        requestId,
        createdAt: clock.now(),
      }
      store.insert('autoscaling_group', row)
      putGroupTags(deps, context, name, input.Tags)
      putHooks(deps, row, input.LifecycleHookSpecificationList)
      return {}
    },
    updateAutoScalingGroup(context, input) {
      refuseOthers(input, KNOWN, unsupported)
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      const min = input.MinSize ?? group.minSize
      const max = input.MaxSize ?? group.maxSize
      // AWS: without DesiredCapacity, the capacity follows the new bounds.
      const within = Math.min(Math.max(group.desiredCapacity, min), Math.max(min, max))
      const { desired } = requireSizes({ min, max, desired: input.DesiredCapacity ?? within })
      const places =
        input.VPCZoneIdentifier || input.AvailabilityZones?.length
          ? requirePlaces(deps, context, input)
          : null
      const source = sourceOf(context, input)
      if (source && activeRefreshOf(store, group)?.desired)
        throw new DeclaredError(
          'InstanceRefreshInProgress',
          'An active instance refresh with a desired configuration exists. All configuration options derived from the desired configuration are not available for update while the instance refresh is active.',
        )
      const sizes = { min, max, desired, before: group.desiredCapacity }
      updateGroup(store, group, {
        minSize: min,
        maxSize: max,
        desiredCapacity: desired,
        ...(desired !== group.desiredCapacity && {
          cause: causes.updatedGroup(clock.now(), sizes),
          launchRetryAt: null,
          cooldownSeconds: null,
          cooldownFrom: clock.now(),
        }),
        ...(source && { ...source, launchRetryAt: null }),
        ...(places && { zones: JSON.stringify(places.zones), subnets: JSON.stringify(places.subnets) }),
        ...(input.DefaultCooldown !== undefined && {
          defaultCooldown: requireSeconds(input.DefaultCooldown, 'defaultCooldown', SECONDS_MAX),
        }),
        ...(input.HealthCheckType && { healthCheckType: requireHealthCheckType(input.HealthCheckType) }),
        ...(input.HealthCheckGracePeriod !== undefined && {
          healthCheckGraceSeconds: requireSeconds(
            input.HealthCheckGracePeriod,
            'healthCheckGracePeriod',
            SECONDS_MAX,
          ),
        }),
        ...(input.TerminationPolicies?.length && {
          terminationPolicies: JSON.stringify(requirePolicies(input.TerminationPolicies)),
        }),
        ...(input.NewInstancesProtectedFromScaleIn !== undefined && {
          protectNew: input.NewInstancesProtectedFromScaleIn ? 1 : 0,
        }),
        ...(input.DefaultInstanceWarmup !== undefined && {
          defaultInstanceWarmup: requireWarmup(input.DefaultInstanceWarmup),
        }),
        ...(input.MaxInstanceLifetime !== undefined && {
          maxInstanceLifetime: requireLifetime(input.MaxInstanceLifetime),
        }),
        ...(input.ServiceLinkedRoleARN && { serviceLinkedRole: input.ServiceLinkedRoleARN }),
      })
      return {}
    },
    deleteAutoScalingGroup(context, input) {
      refuseOthers(input, ['AutoScalingGroupName', 'ForceDelete'], unsupported)
      const name = requireString(input.AutoScalingGroupName, 'AutoScalingGroupName')
      const group = groupOf(store, context, name)
      if (!group) throw noGroup(name)
      const force = input.ForceDelete === true
      if (!force && !group.deleting && membersOf(store, group).length > 0)
        throw new DeclaredError(
          'ResourceInUse',
          'You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.',
        )
      for (const policy of policiesOf(store, group)) deleteOwnAlarms(deps, context, ownAlarmsOf(policy))
      store.remove('autoscaling_policy', ofGroup(group))
      store.remove('autoscaling_scheduled_action', ofGroup(group))
      const cause = group.deleting ? group.cause : causes.groupDeleted(clock.now(), group.desiredCapacity)
      updateGroup(store, group, {
        deleting: 1,
        forceDelete: force || group.forceDelete ? 1 : 0,
        cause,
        minSize: 0,
        desiredCapacity: 0,
      })
      return {}
    },
    setDesiredCapacity(context, input) {
      refuseOthers(input, ['AutoScalingGroupName', 'DesiredCapacity', 'HonorCooldown'], unsupported)
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      const desired = input.DesiredCapacity ?? missing('desiredCapacity')
      if (desired > group.maxSize)
        throw validation(
          `New SetDesiredCapacity value ${desired} is above max value ${group.maxSize} for the AutoScalingGroup.`,
        )
      if (desired < group.minSize)
        throw validation(
          `New SetDesiredCapacity value ${desired} is below min value ${group.minSize} for the AutoScalingGroup.`,
        )
      if (input.HonorCooldown && isCooling(group, membersOf(store, group), clock.now()))
        throw inCooldown(group.name)
      if (desired === group.desiredCapacity) return {}
      const cause = causes.setDesired(clock.now(), group.desiredCapacity, desired)
      const cooling = { cooldownSeconds: null, cooldownFrom: clock.now() }
      updateGroup(store, group, { desiredCapacity: desired, cause, launchRetryAt: null, ...cooling })
      return {}
    },
  }

  // By what the group launches; undefined when the request does not say.
  function sourceOf(
    context: Context,
    {
      LaunchConfigurationName: name,
      LaunchTemplate,
    }: CreateAutoScalingGroupType | UpdateAutoScalingGroupType,
  ): Pick<GroupRow, 'launchConfigurationName' | 'launchTemplate'> | undefined {
    if (name && LaunchTemplate) throw validation(ONE_SOURCE)
    if (LaunchTemplate) {
      const template = requireTemplate(deps, context, LaunchTemplate)
      return { launchConfigurationName: '', launchTemplate: JSON.stringify(template) }
    }
    if (!name) return undefined
    if (!launchConfigurationOf(store, context, name)) throw noLaunchConfiguration(name)
    return { launchConfigurationName: name, launchTemplate: null }
  }
}

const ONE_SOURCE =
  'Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter.'

const terminationOf = (given: string[] | undefined) => (given?.length ? given : ['Default'])

function missing(member: string): never {
  throw validation(
    `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`,
  )
}
