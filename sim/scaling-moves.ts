// What users ask of the Auto Scaling groups of their environments: policies, schedules, hooks, standby, and so on.
import type { AutoscalingInternal } from '../src/services/cloud.ts'
import { systemContext } from '../src/services/service.ts'
import { call } from './client.ts'
import type { Life } from './life.ts'
import { settle } from './shop.ts'
import { request, resourcesOf, type Move, type Stage } from './stage.ts'
import type { World } from './world.ts'

const groupOf = (stage: Stage) => ({
  AutoScalingGroupName: resourcesOf(stage).autoScalingGroupName ?? 'none',
})
const ask = (stage: Stage, action: string, input: Record<string, string>) =>
  request(stage, action, { ...groupOf(stage), ...input }, 'autoscaling')

const membersIn = ({ store }: World, state: string, groupName?: string) =>
  store.all<{ instanceId: string; groupName: string }>(
    `select instance_id, group_name from autoscaling_instance
       where lifecycle_state = :state and (:groupName is null or group_name = :groupName) order by instance_id`,
    { state, groupName: groupName ?? null },
  )

/** A random member of the environment's group in that state. */
const oneIn = (stage: Stage, state: string): string | undefined => {
  const all = membersIn(stage.world, state, groupOf(stage).AutoScalingGroupName)
  return all[stage.below(all.length)]?.instanceId
}
const ofOne = (id: string) => ({ 'InstanceIds.member.1': id })

export const SCALING: Record<string, Move> = {
  'give its group a policy, or execute it': {
    weight: 0.6,
    async play(stage) {
      const { chance, below } = stage
      const PolicyName = chance(0.5) ? 'more' : 'less'
      const by = String((PolicyName === 'more' ? 1 : -1) * (1 + below(2)))
      const adjustment = { PolicyName, AdjustmentType: 'ChangeInCapacity', Cooldown: '20' }
      await ask(stage, 'PutScalingPolicy', { ...adjustment, ScalingAdjustment: by })
      await ask(stage, 'ExecutePolicy', { PolicyName, HonorCooldown: String(chance(0.5)) })
      if (chance(0.3)) await ask(stage, 'DeletePolicy', { PolicyName })
    },
  },
  'have an alarm call a policy': {
    weight: 0.3,
    play({ world, life, below, note }) {
      const policies = world.store.all<{ arn: string; region: string; account: string }>(
        'select arn, region, account from autoscaling_policy order by arn',
      )
      const policy = policies[below(policies.length)]
      if (!policy || life.dead) return
      const { alarmAction } = life.plane.services.autoscaling!.internal as AutoscalingInternal
      const now = world.clock.now()
      const { reason } = alarmAction(systemContext(policy.account, policy.region, 'alarm'), {
        ...{ policyArn: policy.arn, alarmName: 'busy', alarmArn: 'busy', state: 'ALARM', at: now },
        ...{ value: 80, threshold: 50 },
      })
      note(`an alarm calls ${policy.arn}: ${reason}`)
    },
  },
  'schedule another capacity': {
    weight: 0.4,
    play(stage) {
      const at = new Date(stage.world.clock.now() + 1_000 + stage.below(90_000)).toISOString()
      const when: Record<string, string> = stage.chance(0.5)
        ? { StartTime: at }
        : { Recurrence: '*/2 * * * *', EndTime: at }
      return ask(stage, 'PutScheduledUpdateGroupAction', {
        ...{ ScheduledActionName: `at-${stage.below(3)}`, DesiredCapacity: String(1 + stage.below(3)) },
        ...when,
      })
    },
  },
  'hook its members': {
    weight: 0.5,
    play(stage) {
      const launching = stage.chance(0.6)
      const LifecycleHookName = launching ? 'first' : 'last'
      if (stage.chance(0.3)) return ask(stage, 'DeleteLifecycleHook', { LifecycleHookName })
      // Nobody answers: what nobody lets in would never come.
      return ask(stage, 'PutLifecycleHook', {
        LifecycleHookName,
        LifecycleTransition: `autoscaling:EC2_INSTANCE_${launching ? 'LAUNCHING' : 'TERMINATING'}`,
        ...{ HeartbeatTimeout: '30', DefaultResult: launching ? 'CONTINUE' : 'ABANDON' },
      })
    },
  },
  'answer for a hook': {
    weight: 0.3,
    play(stage) {
      const state = stage.chance(0.6) ? 'Pending:Wait' : 'Terminating:Wait'
      const id = oneIn(stage, state)
      if (!id) return
      const LifecycleActionResult = stage.chance(0.7) ? 'CONTINUE' : 'ABANDON'
      const LifecycleHookName = state === 'Pending:Wait' ? 'first' : 'last'
      return ask(stage, 'CompleteLifecycleAction', {
        LifecycleHookName,
        LifecycleActionResult,
        InstanceId: id,
      })
    },
  },
  'have a member stand by, or return': {
    weight: 0.6,
    async play(stage) {
      const [aside, serving] = [oneIn(stage, 'Standby'), oneIn(stage, 'InService')]
      if (aside && stage.chance(0.6)) return ask(stage, 'ExitStandby', ofOne(aside))
      if (!serving) return
      const ShouldDecrementDesiredCapacity = String(stage.chance(0.6))
      await ask(stage, 'EnterStandby', { ...ofOne(serving), ShouldDecrementDesiredCapacity })
      if (!isServing(stage.world, serving)) stage.world.takenOut.delete(serving)
    },
  },
  'detach a member, or attach it again': {
    weight: 0.4,
    async play(stage) {
      const { detached, takenOut } = stage.world
      const [former] = detached
      if (former && stage.chance(0.6)) {
        await ask(stage, 'AttachInstances', ofOne(former))
        if (isMember(stage.world, former)) detached.delete(former)
        return
      }
      const id = oneIn(stage, 'InService')
      if (!id) return
      const ShouldDecrementDesiredCapacity = String(stage.chance(0.6))
      await ask(stage, 'DetachInstances', { ...ofOne(id), ShouldDecrementDesiredCapacity })
      if (isServing(stage.world, id)) return
      takenOut.delete(id)
      detached.add(id)
    },
  },
  'suspend processes of its group, or resume them': {
    weight: 0.3,
    play(stage) {
      const processes = ['Launch', 'Terminate', 'ReplaceUnhealthy', 'AddToLoadBalancer', 'ScheduledActions']
      const one = { 'ScalingProcesses.member.1': processes[stage.below(processes.length)]! }
      return stage.chance(0.5) ? ask(stage, 'SuspendProcesses', one) : ask(stage, 'ResumeProcesses', {})
    },
  },
  'refresh its instances, or stop that': {
    weight: 0.4,
    play(stage) {
      if (stage.chance(0.3)) return ask(stage, 'CancelInstanceRefresh', {})
      return ask(stage, 'StartInstanceRefresh', {
        'Preferences.MinHealthyPercentage': String(50 * stage.below(3)),
        'Preferences.InstanceWarmup': '5',
        'Preferences.StandbyInstances': stage.chance(0.5) ? 'Ignore' : 'Wait',
      })
    },
  },
}

const isServing = (world: World, id: string) =>
  membersIn(world, 'InService').some(({ instanceId }) => instanceId === id)

const isMember = ({ store }: World, instanceId: string) =>
  store.get('select 1 from autoscaling_instance where instance_id = :instanceId', { instanceId }) !==
  undefined

/** When the trouble is over users let all go on: nobody stands by, or runs outside of its group, for ever. */
export async function comeBack(world: World, life: Life): Promise<void> {
  const send = (
    action: string,
    input: Record<string, string>,
    service: 'autoscaling' | 'ec2' = 'autoscaling',
  ) => settle(world, call(world, life, action, input, service))
  for (const { name } of world.store.all<{ name: string }>('select name from autoscaling_group'))
    await send('ResumeProcesses', { AutoScalingGroupName: name })
  for (let turn = 0; turn < 6; turn++) {
    for (const { instanceId, groupName } of membersIn(world, 'Standby')) {
      await send('ExitStandby', { AutoScalingGroupName: groupName, ...ofOne(instanceId) })
      // There may be no room for it any more.
      if (membersIn(world, 'Standby').some((one) => one.instanceId === instanceId))
        await send('TerminateInstances', { 'InstanceId.1': instanceId }, 'ec2')
    }
    for (const id of world.detached)
      if (!isMember(world, id)) {
        await send('TerminateInstances', { 'InstanceId.1': id }, 'ec2')
        world.detached.delete(id)
      }
    await world.clock.run(10_000)
  }
}
