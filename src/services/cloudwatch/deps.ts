import type { ServiceDeps } from '../service.ts'
import type { Metrics } from './points/metrics.ts'

export type CloudwatchDeps = ServiceDeps & { metrics: Metrics }
