// What a change of an alarm's state is: its row, its history, its actions.
import { DeclaredError, reasonOf } from '../../../kernel/errors.ts'
import { systemContext } from '../../service.ts'
import type { CloudwatchDeps } from '../deps.ts'
import { addHistory, settingsOf, type AlarmRow } from '../store.ts'
import type { State } from './judge.ts'

export type Change = {
  state: State
  reason: string
  /** JSON; '' = none. */
  reasonData: string
  /** The newest datapoint; null = there is none, or nobody looked. */
  value: number | null
}

const ACTIONS = {
  ALARM: 'AlarmActions',
  OK: 'OKActions',
  INSUFFICIENT_DATA: 'InsufficientDataActions',
} as const

export const actionsOf = (row: AlarmRow, state: State): string[] =>
  row.actionsEnabled ? (settingsOf(row)[ACTIONS[state]] ?? []) : []

/** Writes the state, and does what is to be done at it. Opens transactions of its own, or joins one. */
export function transition(deps: CloudwatchDeps, row: AlarmRow, change: Change): void {
  const { store, clock } = deps
  const at = clock.now()
  store.transaction(() => {
    const changes = change.state !== row.state
    store.update(
      'cloudwatch_alarm',
      { account: row.account, region: row.region, name: row.name },
      {
        ...{
          state: change.state,
          stateReason: change.reason,
          stateReasonData: change.reasonData,
          stateAt: at,
        },
        ...(changes && { transitionAt: at }),
      },
    )
    if (!changes) return
    addHistory(store, row, {
      ...{ at, type: 'StateUpdate' },
      summary: `Alarm updated from ${row.state} to ${change.state}`,
      data: {
        version: '1.0',
        oldState: stateData(row.state, row.stateReason, row.stateReasonData),
        newState: stateData(change.state, change.reason, change.reasonData),
      },
    })
  })
  if (change.state !== row.state) act(deps, row, change, { isRepeated: false })
}

const stateData = (stateValue: string, stateReason: string, data: string) => ({
  ...{ stateValue, stateReason },
  ...(data && { stateReasonData: JSON.parse(data) as object }),
})

/** Does what an alarm has for a state. `isRepeated`: it is in it already; scaling goes on as long as it stays, and leaves no history
 *  each time (CloudWatch user guide, "Alarm actions"). */
export function act(
  { store, clock, cloud, log }: CloudwatchDeps,
  row: AlarmRow,
  { state, value }: Pick<Change, 'state' | 'value'>,
  { isRepeated }: { isRepeated: boolean },
): void {
  const at = clock.now()
  const context = systemContext(row.account, row.region, row.requestId)
  for (const policyArn of actionsOf(row, state)) {
    const tell = (summary: string, data: object) =>
      addHistory(store, row, { at, type: 'Action', summary, data: { actionState: state, ...data } })
    try {
      store.transaction(() => {
        cloud.autoscaling.alarmAction(context, {
          ...{ policyArn, alarmName: row.name, alarmArn: row.arn, state, at, value },
          threshold: settingsOf(row).Threshold ?? 0,
        })
        if (!isRepeated)
          tell(`Successfully executed action ${policyArn}`, { notificationResource: policyArn })
      })
    } catch (error) {
      const why = reasonOf(error)
      if (!(error instanceof DeclaredError))
        log.error('an action of an alarm failed', { alarm: row.name, error })
      if (!isRepeated)
        tell(`Failed to execute action ${policyArn}. Received error: "${why}"`, {
          ...{ notificationResource: policyArn, error: why },
        })
    }
  }
}
