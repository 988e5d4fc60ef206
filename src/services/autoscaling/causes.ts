// Texts of scaling activities, as AWS writes them (EC2 Auto Scaling user guide, "Verify a scaling activity").

const at = (now: number) => `At ${new Date(now).toISOString().slice(0, 19)}Z`

export const createdGroup = (now: number, desired: number) =>
  `${at(now)} a user request created an AutoScalingGroup changing the desired capacity from 0 to ${desired}.`

export const updatedGroup = (
  now: number,
  sizes: { min: number; max: number; desired: number; before: number },
) =>
  `${at(now)} a user request update of AutoScalingGroup constraints to min: ${sizes.min}, max: ${sizes.max}, desired: ${sizes.desired} changing the desired capacity from ${sizes.before} to ${sizes.desired}.`

export const setDesired = (now: number, before: number, desired: number) =>
  `${at(now)} a user request explicitly set group desired capacity changing the desired capacity from ${before} to ${desired}.`

type Change = { from: number; to: number }

export const alarmed = (now: number, alarm: string, state: string, policy: string, { from, to }: Change) =>
  `${at(now)} a monitor alarm ${alarm} in state ${state} triggered policy ${policy} changing the desired capacity from ${from} to ${to}.`

export const executed = (now: number, policy: string, { from, to }: Change) =>
  `${at(now)} a user request executed policy ${policy} changing the desired capacity from ${from} to ${to}.`

export const scheduled = (
  now: number,
  sizes: { min: number; max: number; desired: number; before: number },
) =>
  `${at(now)} a scheduled action update of AutoScalingGroup constraints to min: ${sizes.min}, max: ${sizes.max}, desired: ${sizes.desired} changing the desired capacity from ${sizes.before} to ${sizes.desired}.`

type Grown = Change | null
const shrinking = (change: Grown) =>
  change ? `, shrinking the capacity from ${change.from} to ${change.to}.` : '.'

export const standby = (now: number, instanceId: string, change: Grown) =>
  `${at(now)} instance ${instanceId} was moved to standby in response to a user request${shrinking(change)}`

export const outOfStandby = (now: number, instanceId: string, { from, to }: Change) =>
  `${at(now)} instance ${instanceId} was moved out of standby in response to a user request, increasing the capacity from ${from} to ${to}.`

export const detached = (now: number, instanceId: string, change: Grown) =>
  `${at(now)} instance ${instanceId} was detached in response to a user request${shrinking(change)}`

export const attached = (now: number, instanceId: string, { from, to }: Change) =>
  `${at(now)} instance ${instanceId} was attached in response to a user request, increasing the capacity from ${from} to ${to}.`

export const abandoned = (now: number) =>
  `${at(now)} an instance was taken out of service in response to a launch failure.`

const REPLACING = {
  refresh: 'an instance refresh',
  rollback: 'an instance refresh rollback',
  lifetime: 'the maximum instance lifetime',
}
export type Replacing = keyof typeof REPLACING

export const retired = (now: number, why: Replacing, instanceId: string) =>
  `${at(now)} an instance was taken out of service in response to ${REPLACING[why]}.  ${at(now)} instance ${instanceId} was selected for termination.`

export const launchedFor = (now: number, why: Replacing) =>
  `${at(now)} an instance was launched in response to ${REPLACING[why]}.`

export const replaced = (now: number) =>
  `${at(now)} an instance was launched in response to an unhealthy instance needing to be replaced.`

/** Of one that says by itself why an instance was launched. */
export const isReplacement = (cause: string) => cause.includes(' an instance was launched in response to ')

export const started = (now: number, from: number, to: number) =>
  `${at(now)} an instance was started in response to a difference between desired and actual capacity, increasing the capacity from ${from} to ${to}.`

export const shrunk = (now: number, from: number, to: number, instanceId: string) =>
  `${at(now)} an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from ${from} to ${to}.  ${at(now)} instance ${instanceId} was selected for termination.`

export const userTerminated = (
  now: number,
  instanceId: string,
  decrement: { from: number; to: number } | null,
) =>
  decrement
    ? `${at(now)} instance ${instanceId} was taken out of service in response to a user request, shrinking the capacity from ${decrement.from} to ${decrement.to}.`
    : `${at(now)} instance ${instanceId} was taken out of service in response to a user request.`

export const groupDeleted = (now: number, from: number) =>
  `${at(now)} a user request deleted the AutoScalingGroup, changing the desired capacity from ${from} to 0.`

export const unhealthy = (now: number, check: 'EC2' | 'ELB' | 'user') => {
  const why = {
    EC2: 'an EC2 health check indicating it has been terminated or stopped.',
    ELB: 'an ELB system health check failure.',
    user: 'a user health-check.',
  }
  return `${at(now)} an instance was taken out of service in response to ${why[check]}`
}

/** Two spaces between sentences, as AWS has it. */
export const causeOf = (...sentences: (string | null)[]) => sentences.filter((one) => one !== null).join('  ')
