// Layers are built once per content key and kept as rows: wanted (`building`), `ready` with a digest, `failed`, or
// `removing` when nothing has named them for a while (layer-collection.ts).
import { EngineError } from '../../kernel/errors.ts'
import type { Reconciler } from '../../control/reconciler.ts'
import type { Lanes } from '../../control/lanes.ts'
import type { BuildRequest } from '../../engines/compute/engine.ts'
import type { PlannedBuild } from '../../platforms/plan.ts'
import type { Store } from '../../store/store.ts'
import { collectLayers, planRemovals } from './layer-collection.ts'
import type { Parts } from './parts.ts'

export type LayerRow = {
  key: string
  state: 'building' | 'ready' | 'failed' | 'removing'
  /** JSON: StoredBuild */
  build: string
  digest: string | null
  /** The end of what the build printed. */
  output: string
  createdAt: number
  updatedAt: number
  /** Since when nothing has named it; null while something does. */
  unnamedSince: number | null
}

type StoredBuild = { request: Omit<BuildRequest, 'layers'>; needs: { key: string; target: string }[] }

/** Writes down that these layers are wanted; one that is there or under way stays as it is. */
export function wantLayers({ store, clock }: Parts, builds: PlannedBuild[]): void {
  for (const { name: _, needs, ...request } of builds) {
    const before = layerRow(store, request.key)
    // Wanted again while it is being removed: built again, in the same lane.
    if (before?.state === 'removing') {
      const again = { state: 'building', digest: null, unnamedSince: null, updatedAt: clock.now() }
      store.update('layer', { key: request.key }, again)
    }
    if (before) continue
    const build: StoredBuild = {
      request,
      needs: needs.flatMap(({ name, target }) =>
        builds.filter((one) => one.name === name).map(({ key }) => ({ key, target })),
      ),
    }
    const now = clock.now()
    store.insert('layer', {
      key: request.key,
      state: 'building',
      build,
      digest: null,
      output: '',
      createdAt: now,
      updatedAt: now,
      unnamedSince: null,
    })
  }
}

/** A build that failed is tried again when it is wanted again: a package index may be back. */
export function forgetFailed({ store }: Parts, keys: string[]): void {
  store.run(`delete from layer where state = 'failed' and key in (select value from json_each(:keys))`, {
    keys,
  })
}

export const layerDigests = (store: Store, keys: string[]): (string | undefined)[] =>
  keys.map((key) => digestOf(layerRow(store, key)) ?? undefined)

export function makeLayersReconciler(parts: Parts): Reconciler {
  const { store, clock, compute } = parts
  const name = 'elasticbeanstalk.layers'
  const lanes: Lanes = parts.makeLanes(name, BUILDS_AT_ONCE)
  const settle = (key: string, set: Pick<LayerRow, 'state' | 'output' | 'digest'>) =>
    void store.update('layer', { key }, { ...set, updatedAt: clock.now() })
  return {
    name,
    everyMs: 60_000,
    wakes: ['layer'],
    async reconcile() {
      collectLayers(parts)
      const lookedAt = clock.now()
      const there = await compute.layers()
      const rows = store.all<LayerRow>('select * from layer order by created_at, key')
      for (const row of rows) {
        const layer = there.find(({ key }) => key === row.key)
        // While the lane is busy it may be the removal that was under way when the layer was wanted again.
        if (row.state === 'building' && layer && !lanes.busy(laneOf(row.key)))
          settle(row.key, { state: 'ready', digest: layer.digest, output: '' })
        // It was built, though perhaps the answer was lost: nothing is left to try again.
        if (layer && row.state !== 'removing') lanes.forget(laneOf(row.key))
        // One that was built while we looked is not lost.
        if (row.state === 'ready' && !layer && row.updatedAt < lookedAt)
          settle(row.key, { state: 'building', digest: null, output: '' })
      }
      const wanted = store.all<LayerRow>(
        `select * from layer where state = 'building' order by created_at, key`,
      )
      const unwanted = planRemovals(
        store
          .all<LayerRow>(`select * from layer where state in ('building', 'removing') order by key`)
          .map(({ key, state, build }) => ({ key, state, needs: needsOf(build) })),
      )
      // Both in the lane of the key, so that one waits for the other.
      lanes.submit([...wanted.flatMap((row) => actionsFor(row)), ...unwanted.map(removalOf)])
      return { layers: there.length, building: wanted.length, removing: unwanted.length }
    },
  }

  function actionsFor(row: LayerRow) {
    const { request, needs } = JSON.parse(row.build) as StoredBuild
    const needed = needs.map(({ key, target }) => ({ row: layerRow(store, key), target }))
    const failed = needed.find((need) => need.row?.state === 'failed' || !need.row)
    if (failed)
      settle(row.key, {
        state: 'failed',
        digest: null,
        output: failed.row?.output ?? 'a layer that it needs is gone',
      })
    const layers = needed.flatMap(({ row: need, target }) => {
      const digest = digestOf(need)
      return digest === null ? [] : [{ digest, target }]
    })
    if (failed || layers.length < needed.length) return []
    const perform = async () => {
      const { exit, output, digest } = await compute.build({ ...request, layers })
      if (exit === 0 && digest === '') throw new EngineError('the build answered no digest')
      settle(
        row.key,
        exit === 0 ? { state: 'ready', digest, output } : { state: 'failed', digest: null, output },
      )
    }
    return [{ what: 'build', lane: laneOf(row.key), timeoutMs: request.timeoutMs + GRACE_MS, perform }]
  }

  // The engine is asked anew: a build whose answer was lost has left a layer that the row does not know.
  function removalOf(key: string) {
    const perform = async () => {
      const layer = (await compute.layers()).find((one) => one.key === key)
      if (layer) await compute.removeLayer(layer.digest)
      store.remove('layer', { key, state: 'removing' })
    }
    return { what: 'remove', lane: laneOf(key), timeoutMs: REMOVAL_MS, perform }
  }
}

const needsOf = (build: string) => (JSON.parse(build) as StoredBuild).needs.map(({ key }) => key)

/** Of a layer that instances may be given. */
const digestOf = (row: LayerRow | undefined) => (row?.state === 'ready' ? row.digest : null)

const laneOf = (key: string) => `layer/${key}`

const layerRow = (store: Store, key: string) =>
  store.get<LayerRow>('select * from layer where key = :key', { key })

const BUILDS_AT_ONCE = 2
/** The engine ends a build that takes too long itself; this is for an engine that does not answer. */
const GRACE_MS = 60_000
const REMOVAL_MS = 5 * 60_000
