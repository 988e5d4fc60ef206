// The shape of a service. main.ts makes each one from deps, and joins their tables, reconcilers and workflows.
import type { Reconciler } from '../control/reconciler.ts'
import type { Workflow, Workflows } from '../control/workflows.ts'
import type { Lanes } from '../control/lanes.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Ids } from '../kernel/ids.ts'
import type { Log } from '../kernel/log.ts'
import type { Random } from '../kernel/random.ts'
import type { Store } from '../store/store.ts'
import type { Budgets } from './budgets.ts'
import type { Cloud } from './cloud.ts'
import type { AsyncOperation, Context, Operation } from './context.ts'

export type ServiceDeps = {
  store: Store
  clock: Clock
  ids: Ids
  random: Random
  log: Log
  /** The other services. Its members exist only after all services are made: do not call it while making yours. */
  cloud: Cloud
  workflows: Workflows
  /** Lanes of a reconciler: when an action ends, the reconciler of that name is woken. */
  makeLanes(reconcilerName: string, atOnceMax: number): Lanes
  region: string
  account: string
  /** Where names of environments end. */
  domain: string
  /** What the home's owner configured, asked at each use. Without it: the defaults. */
  budgets?: () => Budgets
  /** How many seconds lie between two measurements, and alarms at most; 1. Virtual time goes by faster with more. */
  measureEverySeconds?: number
}

type AnyOperation = Operation<never, object | void> | AsyncOperation<never, object | void>

export type Service<
  Operations extends Record<string, AnyOperation> = Record<string, AnyOperation>,
  Internal = object,
> = {
  /** Exactly the operations that are implemented; the gateway refuses every other one of the model by name. */
  operations: Operations
  internal: Internal
  reconcilers: Reconciler[]
  workflows: Workflow<never>[]
}

/** The context of work that nobody asked for just now; `requestId` is that of the call that first caused it. */
export const systemContext = (account: string, region: string, requestId: string): Context => ({
  account,
  region,
  requestId,
  caller: { accessKeyId: 'polebean', arn: `arn:aws:iam::${account}:root`, userId: account },
  endpoint: '',
})
