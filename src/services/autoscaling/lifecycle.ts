// The states of a member (EC2 Auto Scaling user guide, "Instance lifecycle").

export type LifecycleState =
  | 'Pending'
  | 'Pending:Wait'
  | 'Pending:Proceed'
  | 'InService'
  | 'EnteringStandby'
  | 'Standby'
  | 'Detaching'
  | 'Terminating'
  | 'Terminating:Wait'
  | 'Terminating:Proceed'

export const isComing = (state: LifecycleState) => state.startsWith('Pending')

export const isLeaving = (state: LifecycleState) => state.startsWith('Terminating')

/** Whether the desired capacity counts it. */
export const counts = (state: LifecycleState) => isComing(state) || state === 'InService'
