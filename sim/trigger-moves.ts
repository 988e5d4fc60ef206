// What users ask of that which scales their environments by itself: triggers, tracking, scheduled actions; and what they delete of it.
import { ask, request, resourcesOf, type Move, type Stage } from './stage.ts'
import { scheduled, tracking, trigger } from './shop.ts'

const update = (stage: Stage, input: Record<string, string>) =>
  request(stage, 'UpdateEnvironment', { EnvironmentName: stage.name, ...input })

export const TRIGGERS: Record<string, Move> = {
  'change its trigger, or track a target': {
    weight: 1.5,
    play(stage) {
      const { chance, below } = stage
      const measure = ['NetworkOut', 'CPUUtilization', 'RequestCount', 'HealthyHostCount'][below(4)]!
      const metric = chance(0.5) ? 'CPUUtilization' : 'RequestCountPerTarget'
      const target = chance(0.75) ? metric : null
      return update(stage, chance(0.4) ? trigger(measure, 1 + below(60)) : tracking(target, 10 + below(90)))
    },
  },
  'have its sizes change by the clock, or not': {
    weight: 0.3,
    play: (stage) => update(stage, scheduled(1 + stage.below(3), 1 + stage.below(3), stage.chance(0.4))),
  },
  'delete an alarm or a policy that scales it': {
    weight: 0.3,
    async play(stage) {
      const { highAlarmName, lowAlarmName, scaleUpPolicyArn, trackingPolicyArn } = resourcesOf(stage)
      const alarms = [highAlarmName, lowAlarmName].flatMap((name) => name ?? [])
      const policies = [scaleUpPolicyArn, trackingPolicyArn].flatMap((arn) => arn ?? [])
      const all = [...alarms, ...policies]
      const one = all[stage.below(all.length)]
      if (one === undefined) return
      const code = alarms.includes(one)
        ? await ask(stage, 'DeleteAlarms', { 'AlarmNames.member.1': one }, 'cloudwatch')
        : await ask(stage, 'DeletePolicy', { PolicyName: one }, 'autoscaling')
      if (code === '') stage.world.unscaled.add(one)
    },
  },
}
