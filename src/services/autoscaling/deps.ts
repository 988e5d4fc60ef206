// What the operations of autoscaling are made from.
import type { ServiceDeps } from '../service.ts'

export type AutoscalingDeps = Pick<ServiceDeps, 'store' | 'clock' | 'ids' | 'cloud'>
