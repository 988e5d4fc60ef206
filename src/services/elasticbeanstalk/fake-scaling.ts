import { DeclaredError } from '../../kernel/errors.ts'
import type { Cloud } from '../cloud.ts'
import type { World } from './fake-cloud.ts'

/** What scales groups: remembered, and never carried out. */
export function makeFakeScaling(world: Pick<World, 'policies' | 'alarms' | 'scheduledActions' | 'measured'>) {
  const arnOf = (group: string, name: string) =>
    `arn:aws:autoscaling:us-west-2:000000000000:scalingPolicy:1:autoScalingGroupName/${group}:policyName/${name}`
  const autoscaling: Partial<Cloud['autoscaling']> = {
    putScalingPolicy(_context, input) {
      const PolicyARN = arnOf(input.AutoScalingGroupName!, input.PolicyName!)
      world.policies.set(PolicyARN, input)
      return { PolicyARN }
    },
    putTargetTracking(_context, AutoScalingGroupName, policyName, tracking) {
      const policyArn = arnOf(AutoScalingGroupName, policyName)
      world.policies.set(policyArn, { AutoScalingGroupName, ...tracking })
      return { policyArn }
    },
    describePolicies: (_context, { AutoScalingGroupName }) => ({
      ScalingPolicies: [...world.policies]
        .filter(([, policy]) => policy.AutoScalingGroupName === AutoScalingGroupName)
        .map(([PolicyARN]) => ({ PolicyARN })),
    }),
    deletePolicy(_context, { PolicyName = '' }) {
      if (!world.policies.delete(PolicyName)) throw new DeclaredError('ValidationError', 'no such policy')
      return {}
    },
    putScheduledUpdateGroupAction(_context, input) {
      world.scheduledActions.set(input.ScheduledActionName!, input)
      return {}
    },
    describeScheduledActions: () => ({
      ScheduledUpdateGroupActions: [...world.scheduledActions.keys()].map((ScheduledActionName) => ({
        ScheduledActionName,
      })),
    }),
    deleteScheduledAction(_context, { ScheduledActionName = '' }) {
      if (!world.scheduledActions.delete(ScheduledActionName))
        throw new DeclaredError('ValidationError', 'Scheduled action name not found')
      return {}
    },
  }
  const cloudwatch: Partial<Cloud['cloudwatch']> = {
    record: (_context, points) => world.measured(points),
    putMetricAlarm(_context, input) {
      world.alarms.set(input.AlarmName!, input)
      return {}
    },
    describeAlarms: (_context, { AlarmNames = [] }) => ({
      MetricAlarms: AlarmNames.filter((AlarmName) => world.alarms.has(AlarmName)).map((AlarmName) => ({
        AlarmName,
      })),
    }),
    removeAlarms(_context, names) {
      for (const name of names) world.alarms.delete(name)
    },
  }
  return { autoscaling, cloudwatch }
}
