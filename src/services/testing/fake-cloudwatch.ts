// Alarms as rows, and figures as a test says them.
import type { MetricAlarm } from '@aws-sdk/client-cloudwatch'
import type { Cloud } from '../cloud.ts'

export function makeFakeCloudwatch() {
  const alarms = new Map<string, MetricAlarm>()
  /** What `average` answers, by the metric's name. */
  const readings = new Map<string, number>()
  const cloudwatch: Cloud['cloudwatch'] = {
    putMetricAlarm({ region, account }, { AlarmName: name = '', ...input }) {
      const AlarmArn = `arn:aws:cloudwatch:${region}:${account}:alarm:${name}`
      alarms.set(name, { StateValue: 'OK', ...input, AlarmName: name, AlarmArn })
      return {}
    },
    deleteAlarms(_context, { AlarmNames = [] }) {
      for (const name of AlarmNames) alarms.delete(name)
      return {}
    },
    describeAlarms: (_context, { AlarmNames, ActionPrefix }) => ({
      MetricAlarms: [...alarms.values()]
        .filter((alarm) => !AlarmNames || AlarmNames.includes(alarm.AlarmName!))
        .filter(
          (alarm) => !ActionPrefix || alarm.AlarmActions?.some((action) => action.startsWith(ActionPrefix)),
        ),
    }),
    average(_context, { metricName }) {
      const value = readings.get(metricName)
      return value === undefined ? undefined : { value, samples: 1 }
    },
  }
  return { ...cloudwatch, alarms, readings }
}
