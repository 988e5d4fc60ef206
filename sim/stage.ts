// What a move is given, and how it asks for something.
import { call, type ServiceName } from './client.ts'
import type { Life } from './life.ts'
import type { World } from './world.ts'

export type Stage = {
  world: World
  life: Life
  /** The environment that the move is about. */
  name: string
  chance(probability: number): boolean
  below(n: number): number
  note(text: string): void
  /** Work that ends later, or never when the life ends first. */
  later(work: Promise<unknown>): void
}

/** `crash`: what happens kills the control plane too. */
export type Move = { weight: number; play(stage: Stage): Promise<void> | 'crash' | 'jump' | void }

/** Asks, notes, and answers the code of a refusal; '' = done. */
export const ask = async (
  { world, life, note, name }: Stage,
  action: string,
  input: Record<string, string>,
  service?: ServiceName,
): Promise<string> => {
  const { code } = await call(world, life, action, input, service)
  note(`${action} ${name}: ${code || 'ok'}`)
  return code
}
export const request = async (...asked: Parameters<typeof ask>): Promise<void> => {
  await ask(...asked)
}
type Resources = {
  autoScalingGroupName?: string
  targetGroupArn?: string
  listenerArn?: string
  loadBalancerSecurityGroupId?: string
  instanceSecurityGroupId?: string
  sharesLoadBalancer?: string
  highAlarmName?: string
  lowAlarmName?: string
  scaleUpPolicyArn?: string
  trackingPolicyArn?: string
}
export const resourcesOf = ({ world, name }: Stage): Resources =>
  JSON.parse(
    world.store.get<{ resources: string }>(
      'select resources from environment where name = :name and terminated_at is null',
      { name },
    )?.resources ?? '{}',
  ) as Resources
