// A layer that no version and no instance names (design §5) stays while there is room in the budget of the caches: whoever
// comes back to old requirements need not build them again. Named by: versions, what they were deployed with
// last; deployments of live environments whose version is there still, as an update may go back to one; and the software
// of instances.
import type { Store } from '../../store/store.ts'
import type { LayerRow } from './layers.ts'
import { isLow } from '../../kernel/space.ts'
import { cachesBytesMax } from '../budgets.ts'
import { budgetsOf, type Parts } from './parts.ts'
import type { ApplicationVersionRow } from './store.ts'

/** Whoever deletes a version often makes the next one of the same requirements at once. */
export const LAYER_GRACE_MS = 5 * 60_000

type Judged = Pick<LayerRow, 'key' | 'state' | 'unnamedSince'> & { bytes: number }
type Change = { key: string; set: Partial<Pick<LayerRow, 'state' | 'digest' | 'unnamedSince'>> }

/** Which rows change: pure, and tested as a table. What is built stays, named or not, while all of it fits into
 *  `bytesMax`; then go those that nothing has named for longest. What is not built goes after the grace. */
export function planCollection(
  rows: Judged[],
  named: ReadonlySet<string>,
  now: number,
  bytesMax: number,
): Change[] {
  const leaving = leavingOf(rows, named, now, bytesMax)
  return rows.flatMap(({ key, state, unnamedSince }): Change[] => {
    if (named.has(key)) {
      // What is half removed is no layer any more: it is built again.
      if (state === 'removing') return [{ key, set: { state: 'building', digest: null, unnamedSince: null } }]
      return unnamedSince === null ? [] : [{ key, set: { unnamedSince: null } }]
    }
    // A clock that was set back must not keep a layer for years.
    if (unnamedSince === null || unnamedSince > now) return [{ key, set: { unnamedSince: now } }]
    return leaving.has(key) ? [{ key, set: { state: 'removing' } }] : []
  })
}

function leavingOf(rows: Judged[], named: ReadonlySet<string>, now: number, bytesMax: number): Set<string> {
  let bytes = rows.reduce((sum, one) => sum + (one.state === 'removing' ? 0 : one.bytes), 0)
  const idle = rows.filter(
    ({ key, state, unnamedSince }) =>
      !named.has(key) &&
      state !== 'removing' &&
      unnamedSince !== null &&
      now - unnamedSince >= LAYER_GRACE_MS,
  )
  const leaving = new Set<string>()
  for (const one of idle.toSorted((a, b) => (a.unnamedSince ?? 0) - (b.unnamedSince ?? 0))) {
    if (one.state === 'ready' && bytes <= bytesMax) continue
    leaving.add(one.key)
    bytes -= one.bytes
  }
  return leaving
}

/** Which layers may be removed now: none that a build sees which may be under way, wanted or not. */
export function planRemovals(rows: (Pick<LayerRow, 'key' | 'state'> & { needs: string[] })[]): string[] {
  const seen = new Set(rows.flatMap(({ needs }) => needs))
  return rows.flatMap(({ key, state }) => (state === 'removing' && !seen.has(key) ? [key] : []))
}

/** One transaction: what is named when a row becomes `removing` is not removed. `there`: what the engine has. */
export function collectLayers(parts: Parts, there: { key: string; bytes: number }[]): void {
  const { store, clock, room } = parts
  // A disk that is nearly full has no room for what nothing names.
  const space = room.space()
  const bytesMax = isLow(space) ? 0 : cachesBytesMax(budgetsOf(parts), space)
  const bytes = new Map(there.map((one) => [one.key, one.bytes]))
  store.transaction(() => {
    const rows = store.all<LayerRow>('select key, state, digest, unnamed_since from layer')
    const judged = rows.map((row) => ({ ...row, bytes: bytes.get(row.key) ?? 0 }))
    for (const { key, set } of planCollection(judged, namedLayers(parts), clock.now(), bytesMax))
      store.update('layer', { key }, set)
  })
}

/** Keys of the layers that something names. */
export function namedLayers({ store, cloud }: Pick<Parts, 'store' | 'cloud'>): Set<string> {
  const rows = store.all<Pick<LayerRow, 'key' | 'digest'>>('select key, digest from layer')
  const named = new Set(store.all<{ key: string }>(NAMED).map(({ key }) => key))
  const digests = rows.some(({ key }) => !named.has(key)) ? new Set(cloud.ec2.layersInUse()) : new Set()
  for (const { key, digest } of rows) if (digest !== null && digests.has(digest)) named.add(key)
  return named
}

/** The version is deployed with these layers from now on. */
export function nameLayers(store: Store, version: ApplicationVersionRow, keys: string[]): void {
  const { account, region, applicationName, label } = version
  const where = { account, region, applicationName, label }
  const before = store.all<{ key: string }>(
    `select layer_key as key from application_version_layer where account = :account and region = :region
       and application_name = :applicationName and label = :label`,
    where,
  )
  if (before.length === keys.length && before.every(({ key }) => keys.includes(key))) return
  store.remove('application_version_layer', where)
  for (const layerKey of keys) store.insert('application_version_layer', { ...where, layerKey })
}

const NAMED = `
  select layer_key as key from application_version_layer
  union select value as key from environment join deployment on deployment.environment_id = environment.id,
    json_each(deployment.layers)
  join application_version version on version.account = environment.account and version.region = environment.region
    and version.application_name = environment.application_name and version.label = deployment.version_label
  where environment.terminated_at is null`
