import type { AutoScalingGroup, AutoScalingInstanceDetails, Filter } from '@aws-sdk/client-auto-scaling'
import type { Context } from '../../context.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { AutoscalingOperations } from '../../generated/autoscaling.ts'
import type { AutoscalingDeps } from '../deps.ts'
import { templateOf } from '../launch-template.ts'
import { paging, unsupported, validation } from '../errors.ts'
import { groupOf, groupsOf, groupTagsOf, listOf, membersOf, type GroupRow, type MemberRow } from '../store.ts'
import { describeGroupTag } from './tags.ts'

type Implemented = Pick<AutoscalingOperations, 'describeAutoScalingGroups' | 'describeAutoScalingInstances'>

export function makeDescribeGroupOperations({ store, cloud }: AutoscalingDeps): Implemented {
  return {
    describeAutoScalingGroups(context, input) {
      refuseOthers(input, ['AutoScalingGroupNames', 'Filters', 'MaxRecords', 'NextToken'], unsupported)
      const names = input.AutoScalingGroupNames ?? []
      // By name when there are names: Beanstalk asks for each of hundreds of groups every few seconds.
      const asked =
        names.length === 0
          ? groupsOf(store, context)
          : [...new Set(names)].flatMap((name) => groupOf(store, context, name) ?? [])
      const rows = asked.filter((row) => (input.Filters ?? []).every((filter) => matches(row, filter)))
      const limits = { token: input.NextToken, max: input.MaxRecords }
      const page = pageOf(rows, (row) => row.name, limits, paging(names.length > 0 ? 100 : 50))
      return {
        NextToken: page.next,
        AutoScalingGroups: page.items.map((row) => described(context, row)),
      }
    },
    describeAutoScalingInstances(context, input) {
      refuseOthers(input, ['InstanceIds', 'MaxRecords', 'NextToken'], unsupported)
      const wanted = input.InstanceIds ?? []
      const rows = groupsOf(store, context)
        .flatMap((group) => membersOf(store, group))
        .filter((row) => wanted.length === 0 || wanted.includes(row.instanceId))
      const limits = { token: input.NextToken, max: input.MaxRecords }
      const page = pageOf(rows, (row) => row.instanceId, limits, paging(50, 50))
      const details = page.items.map((row): AutoScalingInstanceDetails => ({
        ...describeMember(row),
        AutoScalingGroupName: row.groupName,
      }))
      return { NextToken: page.next, AutoScalingInstances: details }
    },
  }

  function matches(row: GroupRow, { Name: name = '', Values: values = [] }: Filter): boolean {
    const tags = groupTagsOf(store, row)
    if (name === 'tag-key') return tags.some((tag) => values.includes(tag.key))
    if (name === 'tag-value') return tags.some((tag) => values.includes(tag.value))
    if (name.startsWith('tag:'))
      return tags.some((tag) => tag.key === name.slice(4) && values.includes(tag.value))
    throw validation(
      `Filter type ${name} is not correct. Allowed Filter types are: tag-key, tag-value, tag:<key>`,
    )
  }

  // Environments ask for theirs every few seconds.
  function described(context: Context, { arn, name }: GroupRow): AutoScalingGroup {
    return store.remember(`autoscaling.group ${arn}`, () =>
      describeGroup(context, groupOf(store, context, name)!),
    )
  }

  function describeGroup(context: Context, row: GroupRow): AutoScalingGroup {
    return {
      AutoScalingGroupName: row.name,
      AutoScalingGroupARN: row.arn,
      ...sourceOf(row),
      MinSize: row.minSize,
      MaxSize: row.maxSize,
      DesiredCapacity: row.desiredCapacity,
      DefaultCooldown: row.defaultCooldown,
      AvailabilityZones: listOf(row.zones),
      // Differs from AWS: their target groups are there beside their names.
      LoadBalancerNames: cloud.elasticloadbalancingv2.classicNamesOf(context, listOf(row.targetGroups)),
      TargetGroupARNs: listOf(row.targetGroups),
      HealthCheckType: row.healthCheckType,
      HealthCheckGracePeriod: row.healthCheckGraceSeconds,
      Instances: membersOf(store, row).map(describeMember),
      CreatedTime: new Date(row.createdAt),
      SuspendedProcesses: listOf(row.suspended).map((name) => ({
        ProcessName: name,
        SuspensionReason: 'User suspended',
      })),
      VPCZoneIdentifier: listOf(row.subnets).join(','),
      EnabledMetrics: listOf(row.enabledMetrics).map((Metric) => ({ Metric, Granularity: '1Minute' })),
      ...(row.maxInstanceLifetime > 0 && { MaxInstanceLifetime: row.maxInstanceLifetime }),
      ...(row.defaultInstanceWarmup !== null && { DefaultInstanceWarmup: row.defaultInstanceWarmup }),
      ...(row.deleting && { Status: 'Delete in progress' }),
      Tags: groupTagsOf(store, row).map(describeGroupTag),
      TerminationPolicies: listOf(row.terminationPolicies),
      NewInstancesProtectedFromScaleIn: row.protectNew === 1,
      ...(row.serviceLinkedRole && { ServiceLinkedRoleARN: row.serviceLinkedRole }),
      TrafficSources: listOf(row.targetGroups).map((arn) => ({ Identifier: arn, Type: 'elbv2' })),
    }
  }
}

// An attached instance came from neither.
const sourceOf = ({ launchConfigurationName, launchTemplate }: GroupRow | MemberRow) => {
  const template = templateOf(launchTemplate)
  if (template) return { LaunchTemplate: template }
  return launchConfigurationName ? { LaunchConfigurationName: launchConfigurationName } : {}
}

const describeMember = (row: MemberRow) => ({
  InstanceId: row.instanceId,
  InstanceType: row.instanceType,
  AvailabilityZone: row.zone,
  LifecycleState: row.lifecycleState,
  HealthStatus: row.healthStatus,
  ...sourceOf(row),
  ProtectedFromScaleIn: row.protected === 1,
})
