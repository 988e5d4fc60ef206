// A layer goes when no version and no instance names it (design §5). Named by: versions, what they were deployed with
// last; deployments of live environments whose version is there still, as an update may go back to one; and the software
// of instances.
import type { Store } from '../../store/store.ts'
import type { LayerRow } from './layers.ts'
import type { Parts } from './parts.ts'
import type { ApplicationVersionRow } from './store.ts'

/** Whoever deletes a version often makes the next one of the same requirements at once. */
export const LAYER_GRACE_MS = 5 * 60_000

type Judged = Pick<LayerRow, 'key' | 'state' | 'unnamedSince'>
type Change = { key: string; set: Partial<Pick<LayerRow, 'state' | 'digest' | 'unnamedSince'>> }

/** Which rows change: pure, and tested as a table. */
export function planCollection(rows: Judged[], named: ReadonlySet<string>, now: number): Change[] {
  return rows.flatMap(({ key, state, unnamedSince }): Change[] => {
    if (named.has(key)) {
      // What is half removed is no layer any more: it is built again.
      if (state === 'removing') return [{ key, set: { state: 'building', digest: null, unnamedSince: null } }]
      return unnamedSince === null ? [] : [{ key, set: { unnamedSince: null } }]
    }
    // A clock that was set back must not keep a layer for years.
    if (unnamedSince === null || unnamedSince > now) return [{ key, set: { unnamedSince: now } }]
    const isOver = now - unnamedSince >= LAYER_GRACE_MS
    return isOver && state !== 'removing' ? [{ key, set: { state: 'removing' } }] : []
  })
}

/** Which layers may be removed now: none that a build sees which may be under way, wanted or not. */
export function planRemovals(rows: (Pick<LayerRow, 'key' | 'state'> & { needs: string[] })[]): string[] {
  const seen = new Set(rows.flatMap(({ needs }) => needs))
  return rows.flatMap(({ key, state }) => (state === 'removing' && !seen.has(key) ? [key] : []))
}

/** One transaction: what is named when a row becomes `removing` is not removed. */
export function collectLayers({ store, clock, cloud }: Parts): void {
  store.transaction(() => {
    const rows = store.all<LayerRow>('select key, state, digest, unnamed_since from layer')
    const named = new Set(store.all<{ key: string }>(NAMED).map(({ key }) => key))
    const digests = rows.some(({ key }) => !named.has(key)) ? new Set(cloud.ec2.layersInUse()) : new Set()
    for (const { key, digest } of rows) if (digest !== null && digests.has(digest)) named.add(key)
    for (const { key, set } of planCollection(rows, named, clock.now())) store.update('layer', { key }, set)
  })
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
