// Alarms as AWS's callers make, see and set them (CloudWatch API reference).
import type { MetricAlarm, PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context } from '../../context.ts'
import type { CloudwatchOperations } from '../../generated/cloudwatch.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import { checkAlarmQueries } from '../alarms/look.ts'
import { requireAlarm } from '../alarms/require.ts'
import { transition } from '../alarms/transition.ts'
import type { CloudwatchDeps } from '../deps.ts'
import { invalidValue, noAlarm, paging, unsupported, validation } from '../errors.ts'
import { keyOf, requireDimensions, requireText } from '../names.ts'
import { addHistory, alarmRow, alarmRows, settingsOf, type AlarmRow, type AlarmSettings } from '../store.ts'
import { tagsAfter } from './tags.ts'

type Implemented = Pick<
  CloudwatchOperations,
  | 'putMetricAlarm'
  | 'deleteAlarms'
  | 'describeAlarms'
  | 'describeAlarmsForMetric'
  | 'setAlarmState'
  | 'enableAlarmActions'
  | 'disableAlarmActions'
>

/** AWS: 5,000 in a region. */
const ALARMS_MAX = 5_000
const NAMES_MAX = 100
const STATES = ['OK', 'ALARM', 'INSUFFICIENT_DATA'] as const

export function makeAlarmOperations(deps: CloudwatchDeps): Implemented {
  const { store, clock } = deps
  return {
    putMetricAlarm(context, input) {
      const settings = requireAlarm(context, input, checkAlarmQueries)
      const name = input.AlarmName!
      const before = alarmRow(store, context, name)
      if (!before && alarmRows(store, context).length >= ALARMS_MAX)
        throw validation(`The maximum number of alarms, ${ALARMS_MAX}, has been reached.`)
      const now = clock.now()
      const set = {
        settings: JSON.stringify(settings),
        actionsEnabled: input.ActionsEnabled === false ? 0 : 1,
        // In one millisecond it may be put twice.
        configuredAt: Math.max(now, (before?.configuredAt ?? 0) + 1),
      }
      const { account, region, requestId } = context
      if (before) store.update('cloudwatch_alarm', { account, region, name }, set)
      else
        store.insert('cloudwatch_alarm', {
          ...{ account, region, name, arn: `arn:aws:cloudwatch:${region}:${account}:alarm:${name}` },
          ...set,
          ...{ state: 'INSUFFICIENT_DATA', stateReason: 'Unchecked: Initial alarm creation' },
          ...{ stateReasonData: '', stateAt: now, transitionAt: now, createdAt: now, requestId },
          // AWS: of an alarm that is there its tags stay, whatever is said.
          tags: JSON.stringify(tagsAfter({}, input.Tags)),
        } satisfies AlarmRow)
      const row = alarmRow(store, context, name)!
      tellConfiguration(row, before ? 'updated' : 'created', before ? 'Update' : 'Create')
      return {}
    },
    deleteAlarms(context, input) {
      const names = [...new Set(input.AlarmNames ?? [])]
      if (names.length > NAMES_MAX)
        throw validation(`The collection AlarmNames must not have a size greater than ${NAMES_MAX}.`)
      const rows = names.map((name) => requireRow(context, name))
      for (const row of rows) {
        tellConfiguration(row, 'deleted', 'Delete')
        const { account, region, name } = row
        store.remove('cloudwatch_alarm', { account, region, name })
      }
      return {}
    },
    describeAlarms(context, input) {
      refuseOthers(
        input,
        [
          ...(['AlarmNames', 'AlarmNamePrefix', 'AlarmTypes', 'StateValue', 'ActionPrefix'] as const),
          ...(['MaxRecords', 'NextToken'] as const),
        ],
        unsupported,
      )
      const {
        AlarmNames: names = [],
        AlarmNamePrefix: prefix,
        StateValue: state,
        AlarmTypes: types = [],
      } = input
      if (names.length > 0 && prefix)
        throw validation('AlarmNames and AlarmNamePrefix are mutually exclusive and you have specified both.')
      if (names.length > NAMES_MAX)
        throw validation(`The collection AlarmNames must not have a size greater than ${NAMES_MAX}.`)
      if (state && !STATES.includes(state))
        throw invalidValue(`The value ${state} for parameter StateValue is invalid.`)
      const asked =
        names.length > 0
          ? [...new Set(names)].flatMap((name) => alarmRow(store, context, name) ?? [])
          : alarmRows(store, context)
      const wanted = asked.filter(
        (row) =>
          (types.length === 0 || types.includes('MetricAlarm')) &&
          (!prefix || row.name.startsWith(prefix)) &&
          (!state || row.state === state) &&
          (!input.ActionPrefix || allActions(row).some((one) => one.startsWith(input.ActionPrefix!))),
      )
      const page = pageOf(
        wanted,
        ({ name }) => name,
        { token: input.NextToken, max: input.MaxRecords },
        paging(NAMES_MAX),
      )
      return { NextToken: page.next, MetricAlarms: page.items.map(describeAlarm), CompositeAlarms: [] }
    },
    describeAlarmsForMetric(context, input) {
      refuseOthers(
        input,
        [
          ...(['MetricName', 'Namespace', 'Statistic', 'ExtendedStatistic', 'Dimensions'] as const),
          ...(['Period', 'Unit'] as const),
        ],
        unsupported,
      )
      const keyOfSettings = (of: Partial<Pick<AlarmSettings, 'Namespace' | 'MetricName' | 'Dimensions'>>) =>
        JSON.stringify(
          keyOf(context, {
            ...{ namespace: of.Namespace ?? '', metricName: of.MetricName ?? '' },
            dimensions: requireDimensions(of.Dimensions, 'Dimensions'),
          }),
        )
      const wanted = keyOfSettings(input)
      const same = (['Statistic', 'ExtendedStatistic', 'Period', 'Unit'] as const).filter(
        (member) => input[member] !== undefined,
      )
      const rows = alarmRows(store, context).filter((row) => {
        const settings = settingsOf(row)
        return (
          keyOfSettings(settings) === wanted && same.every((member) => settings[member] === input[member])
        )
      })
      return { MetricAlarms: rows.map(describeAlarm) }
    },
    setAlarmState(context, input) {
      const row = requireRow(context, input.AlarmName ?? '')
      const { StateValue: state, StateReason: reason = '', StateReasonData: data = '' } = input
      const known = STATES.find((one) => one === state)
      if (!known)
        throw validation(
          `1 validation error detected: Value '${state}' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [${STATES.join(', ')}]`,
        )
      requireText(reason, 'StateReason', 1023)
      if (data !== '' && !isJson(data))
        throw new DeclaredError('InvalidFormat', 'StateReasonData was not valid JSON')
      transition(deps, row, { state: known, reason, reasonData: data, value: null })
      return {}
    },
    enableAlarmActions: (context, input) => setActions(context, input.AlarmNames, 1),
    disableAlarmActions: (context, input) => setActions(context, input.AlarmNames, 0),
  }

  // AWS passes over names that are not there.
  function setActions(context: Context, names: string[] = [], actionsEnabled: 0 | 1) {
    for (const name of names) {
      const row = alarmRow(store, context, name)
      if (!row || row.actionsEnabled === actionsEnabled) continue
      const { account, region } = row
      store.update('cloudwatch_alarm', { account, region, name }, { actionsEnabled })
      tellConfiguration({ ...row, actionsEnabled }, 'updated', 'Update')
    }
    return {}
  }

  function requireRow(context: Context, name: string): AlarmRow {
    const row = alarmRow(store, context, name)
    if (!row) throw noAlarm(name)
    return row
  }

  function tellConfiguration(row: AlarmRow, what: string, type: string): void {
    addHistory(store, row, {
      ...{ at: clock.now(), type: 'ConfigurationUpdate', summary: `Alarm "${row.name}" ${what}` },
      data: {
        version: '1.0',
        type,
        ...(type !== 'Delete' && { [`${type.toLowerCase()}dAlarm`]: describeAlarm(row) }),
      },
    })
  }
}

const isJson = (text: string) => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const allActions = (row: AlarmRow) => {
  const { AlarmActions = [], OKActions = [], InsufficientDataActions = [] } = settingsOf(row)
  return [...AlarmActions, ...OKActions, ...InsufficientDataActions]
}

export function describeAlarm(row: AlarmRow): MetricAlarm {
  const settings = settingsOf(row)
  const lists: Required<Pick<PutMetricAlarmInput, 'OKActions' | 'AlarmActions' | 'InsufficientDataActions'>> =
    {
      OKActions: settings.OKActions ?? [],
      AlarmActions: settings.AlarmActions ?? [],
      InsufficientDataActions: settings.InsufficientDataActions ?? [],
    }
  return {
    ...{ AlarmName: row.name, AlarmArn: row.arn, ...settings, ...lists },
    Dimensions: settings.Metrics?.length ? undefined : (settings.Dimensions ?? []),
    ActionsEnabled: row.actionsEnabled === 1,
    AlarmConfigurationUpdatedTimestamp: new Date(row.configuredAt),
    ...{ StateValue: row.state, StateReason: row.stateReason },
    StateReasonData: row.stateReasonData || undefined,
    StateUpdatedTimestamp: new Date(row.stateAt),
    StateTransitionedTimestamp: new Date(row.transitionAt),
  } as MetricAlarm
}
