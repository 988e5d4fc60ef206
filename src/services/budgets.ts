// What a home may take of its machine, by kind. The composition root hands in what its owner configured
// (src/config/settings.ts has the same defaults; budgets.test.ts compares).
import type { Space } from '../kernel/space.ts'

export type Budgets = {
  /** Of all objects; only told, never enforced: they are the user's. */
  readonly bundles: number
  /** Bytes of dependency layers; null: 5 GiB, or a tenth of the disk where that is less. */
  readonly caches: number | null
  /** Bytes of the logs of instances that are gone. */
  readonly logs: number
  /** Bytes of the metrics file. */
  readonly metrics: number
  /** Bytes of the events of CloudWatch Logs, compressed. */
  readonly logEvents: number
  /** Rows of one environment. */
  readonly events: number
  /** How often the machine's memory is lent out. */
  readonly memoryOvercommit: number
  /** Bytes of memory that one build may hold; null: half of the machine's, 4 GiB at most. */
  readonly buildMemory: number | null
}

export const DEFAULT_BUDGETS: Budgets = {
  bundles: 10 * 2 ** 30,
  caches: null,
  logs: 64 * 2 ** 20,
  metrics: 2 ** 30,
  logEvents: 2 ** 30,
  events: 10_000,
  memoryOvercommit: 10,
  buildMemory: null,
}

export const cachesBytesMax = ({ caches }: Budgets, { totalBytes }: Pick<Space, 'totalBytes'>): number =>
  caches ?? Math.min(5 * 2 ** 30, Math.floor(totalBytes / 10))
