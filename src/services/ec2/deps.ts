// What the operations of ec2 are made from.
import type { Clock } from '../../kernel/clock.ts'
import type { Ids } from '../../kernel/ids.ts'
import type { Store } from '../../store/store.ts'
import type { Context } from '../context.ts'
import type { Network } from './network.ts'

export type Ec2Deps = {
  store: Store
  clock: Clock
  ids: Ids
  /** Instances at once, as the home's owner allows; null = no limit. */
  instancesMax(): number | null
  networkOf(context: Pick<Context, 'account' | 'region'>): Network
}

/** Calls of Polebean itself: only they may set tags of the reserved prefix `aws:`. */
export const isInternal = (context: Context) => context.caller.accessKeyId === 'polebean'
