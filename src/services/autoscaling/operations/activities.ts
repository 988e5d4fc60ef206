import type { Activity } from '@aws-sdk/client-auto-scaling'
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { AutoscalingOperations } from '../../generated/autoscaling.ts'
import type { AutoscalingDeps } from '../deps.ts'
import { noGroup, paging, unsupported } from '../errors.ts'
import { groupOf, type ActivityRow } from '../store.ts'

type Implemented = Pick<AutoscalingOperations, 'describeScalingActivities'>

export function makeActivityOperations({ store }: AutoscalingDeps): Implemented {
  return {
    describeScalingActivities(context, input) {
      refuseOthers(
        input,
        ['ActivityIds', 'AutoScalingGroupName', 'IncludeDeletedGroups', 'MaxRecords', 'NextToken'],
        unsupported,
      )
      const { account, region } = context
      const name = input.AutoScalingGroupName
      if (name && !input.IncludeDeletedGroups && !groupOf(store, context, name)) throw noGroup(name)
      const rows = store
        .all<ActivityRow>(
          `select * from autoscaling_activity where account = :account and region = :region
             and (:name is null or group_name = :name)`,
          { account, region, name: name ?? null },
        )
        .filter((row) => !input.ActivityIds?.length || input.ActivityIds.includes(row.id))
        .filter((row) => input.IncludeDeletedGroups || groupOf(store, context, row.groupName))
      const limits = { token: input.NextToken, max: input.MaxRecords }
      // Newest first.
      const page = pageOf(rows, (row) => String(1e15 - row.seq).padStart(16, '0'), limits, paging(100))
      return { NextToken: page.next, Activities: page.items.map(describeActivity) }
    },
  }
}

export const describeActivity = (row: ActivityRow): Activity => ({
  ActivityId: row.id,
  AutoScalingGroupName: row.groupName,
  AutoScalingGroupARN: row.groupArn,
  Description: row.description,
  Cause: row.cause,
  StartTime: new Date(row.startedAt),
  ...(row.endedAt !== null && { EndTime: new Date(row.endedAt) }),
  StatusCode: row.status,
  ...(row.statusMessage !== null && { StatusMessage: row.statusMessage }),
  Progress: row.progress,
  Details: row.details,
})
