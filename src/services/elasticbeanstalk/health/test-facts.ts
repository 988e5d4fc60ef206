// Facts of an environment with which nothing is wrong, and of what may be wrong with it.
import type { EnvironmentFacts, InstanceFacts, Requests } from './facts.ts'
import { DEFAULT_THRESHOLDS } from './thresholds.ts'

export const idle = { cpu: 10, ioWait: null, memory: 20, rootFilesystem: 30 }
export const instance = (facts: Partial<InstanceFacts> = {}): InstanceFacts => ({
  id: 'i-1',
  state: 'Deployed',
  ageMs: 60_000,
  target: { state: 'healthy', reason: '' },
  withoutElbMs: 0,
  silentMs: 0,
  updated: false,
  wrong: null,
  requests: null,
  system: idle,
  completed: null,
  before: 'Ok',
  ...facts,
})
export const environment = (facts: Partial<EnvironmentFacts> = {}): EnvironmentFacts => ({
  status: 'Ready',
  front: 'load balancer',
  update: 'Application',
  runningMs: 7_000,
  commandTimeoutMs: 840_000,
  completed: null,
  expected: { versionLabel: 'v1', deploymentId: 1 },
  group: { minSize: 1, desired: 1 },
  hasFront: true,
  requests: null,
  lowRoom: null,
  launchFailure: '',
  instances: [instance()],
  thresholds: DEFAULT_THRESHOLDS,
  rules: { application4xx: true, balancer4xx: true },
  before: 'Ok',
  beforeMs: 0,
  ...facts,
})
export const requests = (
  count: number,
  status4xx: number,
  status5xx: number,
  more: Partial<Requests> = {},
): Requests => ({
  application: { requests: count, status4xx, status5xx },
  balancer: null,
  agoMs: 1_000,
  ...more,
})
/** None of them an instance's. */
export const own = (count: number, status4xx: number, status5xx: number, agoMs = 1_000): Requests => ({
  ...requests(count, 0, 0, { balancer: { requests: count, status4xx, status5xx }, agoMs }),
})
export const starved = (system: Partial<InstanceFacts['system']>) => ({ system: { ...idle, ...system } })
export const unseen = (state: string | null, withoutElbMs = 60_000) => ({
  target: state === null ? null : { state, reason: '' },
  withoutElbMs,
})
export const unhealthy = { target: { state: 'unhealthy', reason: 'Target.Timeout: Request timed out' } }
