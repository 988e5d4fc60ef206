// How health checks fare: rows keep what was found last, for a new life and for who asks.
import type { Store } from '../../store/store.ts'
import type { Context } from '../context.ts'
import type { CheckConfig } from './health-check-config.ts'

export type HealthCheckRow = {
  id: string
  account: string
  callerReference: string
  /** JSON of a CheckConfig. */
  config: string
  version: number
  createdAt: number
  /** What the threshold made of it; `unknown` until it was asked. */
  health: 'healthy' | 'unhealthy' | 'unknown'
}

/** What was found when it was asked last, and when it failed last. */
export type HealthSeenRow = {
  id: string
  told: string
  checkedAt: number
  lastFailure: string
  lastFailureAt: number | null
}

export const configOf = ({ config }: HealthCheckRow) => JSON.parse(config) as CheckConfig

export const healthChecksOf = (store: Store) =>
  store.all<HealthCheckRow>('select * from route53_health_check order by id')

export const healthCheckOf = (store: Store, { account }: Pick<Context, 'account'>, id: string) =>
  store.get<HealthCheckRow>('select * from route53_health_check where id = :id and account = :account', {
    id,
    account,
  })

/** Ids of those that fail. AWS: one that is disabled counts as healthy, and so does one that nobody has asked yet; `Inverted` turns it round. */
export function failingIn(rows: HealthCheckRow[]): Set<string> {
  const byId = new Map(rows.map((row) => [row.id, row]))
  const fails = (row: HealthCheckRow, depth: number): boolean => {
    const { type, disabled, inverted, children, healthThreshold } = configOf(row)
    if (disabled) return inverted
    const isDown =
      type === 'CALCULATED'
        ? children.filter((id) => isWell(byId.get(id), depth)).length < healthThreshold
        : row.health === 'unhealthy'
    return isDown !== inverted
  }
  const isWell = (row: HealthCheckRow | undefined, depth: number) =>
    row !== undefined && depth < DEPTH_MAX && !fails(row, depth + 1)
  return new Set(rows.filter((row) => fails(row, 0)).map(({ id }) => id))
}
const DEPTH_MAX = 5
