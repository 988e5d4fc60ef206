import type { AlarmHistoryItem } from '@aws-sdk/client-cloudwatch'
import type { CloudwatchOperations } from '../../generated/cloudwatch.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { CloudwatchDeps } from '../deps.ts'
import { paging, unsupported, validation } from '../errors.ts'
import type { HistoryRow } from '../store.ts'

const TYPES = ['ConfigurationUpdate', 'StateUpdate', 'Action']
const MOST = 100

export const makeHistoryOperations = ({
  store,
}: Pick<CloudwatchDeps, 'store'>): Pick<CloudwatchOperations, 'describeAlarmHistory'> => ({
  describeAlarmHistory({ account, region }, input) {
    refuseOthers(
      input,
      [
        ...(['AlarmName', 'AlarmTypes', 'HistoryItemType', 'StartDate', 'EndDate', 'MaxRecords'] as const),
        ...(['NextToken', 'ScanBy'] as const),
      ],
      unsupported,
    )
    if (input.HistoryItemType && !TYPES.includes(input.HistoryItemType))
      throw validation(`The value ${input.HistoryItemType} for parameter HistoryItemType is invalid.`)
    const rows = store.all<HistoryRow>(
      `select * from cloudwatch_alarm_history where account = :account and region = :region
         and (:name is null or name = :name) and (:type is null or type = :type) and at >= :from and at <= :to`,
      {
        ...{ account, region, name: input.AlarmName ?? null, type: input.HistoryItemType ?? null },
        ...{ from: input.StartDate?.getTime() ?? 0, to: input.EndDate?.getTime() ?? Number.MAX_SAFE_INTEGER },
      },
    )
    const isAscending = input.ScanBy === 'TimestampAscending'
    const types = input.AlarmTypes ?? []
    const page = pageOf(
      types.length === 0 || types.includes('MetricAlarm') ? rows : [],
      ({ seq }) => String(isAscending ? seq : Number.MAX_SAFE_INTEGER - seq).padStart(16, '0'),
      { token: input.NextToken, max: input.MaxRecords },
      paging(MOST),
    )
    return { NextToken: page.next, AlarmHistoryItems: page.items.map(describe) }
  },
})

const describe = ({ name, at, type, summary, data }: HistoryRow): AlarmHistoryItem => ({
  ...{ AlarmName: name, AlarmType: 'MetricAlarm', Timestamp: new Date(at), HistoryItemType: type },
  ...{ HistorySummary: summary, HistoryData: data },
})
