// Layers are built once per content key and kept as rows: wanted (`building`), `ready` with a digest, `failed`, or
// `removing` when nothing has named them for a while (layer-collection.ts).
import { withTimeout } from '../../kernel/clock.ts'
import { EngineError, reasonOf } from '../../kernel/errors.ts'
import { isLow, lowSentence, sizeText, type Space } from '../../kernel/space.ts'
import type { Reconciler } from '../../control/reconciler.ts'
import type { Lanes } from '../../control/lanes.ts'
import type { BuildRequest, BuildResult } from '../../engines/compute/engine.ts'
import type { Catalogue } from '../../platforms/catalogue.ts'
import { enginePlatform, type PlannedBuild } from '../../platforms/plan.ts'
import type { Store } from '../../store/store.ts'
import { ofEnvironment } from './events.ts'
import { collectLayers, planRemovals } from './layer-collection.ts'
import { budgetsOf, type Parts } from './parts.ts'
import { bundlePath } from './source-bundle.ts'
import type { EnvironmentRow } from './store.ts'

export type LayerRow = {
  key: string
  state: 'building' | 'ready' | 'failed' | 'removing'
  /** JSON: StoredBuild */
  build: string
  /** What the engine called it, when it was built last; null before. */
  digest: string | null
  /** The end of what the build printed. */
  output: string
  createdAt: number
  updatedAt: number
  /** Since when nothing has named it; null while something does. */
  unnamedSince: number | null
}

type StoredBuild = {
  request: Omit<BuildRequest, 'layers'>
  needs: { key: string; target: string }[]
  /** Content of the bundle that it unpacks, if it does: where that lies may change before it is built. */
  bundleSha256Hex: string | null
}

/** Writes down that these layers are wanted; one that is there or under way stays as it is. */
export function wantLayers({ store, clock }: Parts, builds: PlannedBuild[], bundleSha256Hex: string): void {
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
      bundleSha256Hex: request.inputs.some(({ name }) => name === BUNDLE) ? bundleSha256Hex : null,
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

/** A build that failed is tried again when it is wanted again: a package index may be back. `restMs`: not before it has
 *  rested for so long. */
export function forgetFailed({ store, clock }: Parts, keys: string[], restMs = 0): void {
  const now = clock.now()
  const params = { keys, until: now - restMs, now }
  // One that failed in the future failed before the clock was set back.
  const rested = `state = 'failed' and key in (select value from json_each(:keys))
    and (updated_at <= :until or updated_at > :now)`
  store.run(`delete from layer where ${rested} and digest is null`, params)
  // Instances may name it and wait for it, however the next build ends.
  store.run(`update layer set state = 'building', updated_at = :now where ${rested}`, params)
}

export const layerDigests = (store: Store, keys: string[]): (string | undefined)[] =>
  keys.map((key) => digestOf(layerRow(store, key)) ?? undefined)

export function makeLayersReconciler(parts: Parts): Reconciler {
  const { store, clock, compute } = parts
  const name = 'elasticbeanstalk.layers'
  const lanes: Lanes = parts.makeLanes(name, BUILDS_AT_ONCE)
  /** Since the last look at the engine began; not by the wall clock, which may have been set back. */
  const settledMeanwhile = new Set<string>()
  const settle = (key: string, set: Pick<LayerRow, 'state' | 'output' | 'digest'>) => {
    settledMeanwhile.add(key)
    store.update('layer', { key }, { ...set, updatedAt: clock.now() })
  }
  return {
    name,
    everyMs: 60_000,
    wakes: ['layer'],
    async reconcile() {
      settledMeanwhile.clear()
      const there = await withTimeout(clock, LOOK_TIMEOUT_MS, 'compute.layers', () => compute.layers())
      collectLayers(parts, there)
      const rows = store.all<LayerRow>('select * from layer order by created_at, key')
      for (const row of rows) {
        const layer = there.find(({ key }) => key === row.key)
        // While the lane is busy it may be the removal that was under way when the layer was wanted again.
        if (row.state === 'building' && layer && !lanes.busy(laneOf(row.key)))
          settle(row.key, { state: 'ready', digest: layer.digest, output: '' })
        // It was built, though perhaps the answer was lost: nothing is left to try again.
        if (layer && row.state !== 'removing') lanes.forget(laneOf(row.key))
        // One that was built while we looked is not lost. What was built once is built again until it comes right: the
        // digest, by which instances name it, is kept.
        const isLost = !layer && !settledMeanwhile.has(row.key)
        if (isLost && (row.state === 'ready' || isToBeRebuilt(row)))
          settle(row.key, { state: 'building', digest: row.digest, output: row.output })
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

  // It failed, though it was a layer before: the machine is to blame, not the bundle.
  function isToBeRebuilt({ state, digest, updatedAt }: LayerRow): boolean {
    const restedMs = clock.now() - updatedAt
    return state === 'failed' && digest !== null && (restedMs < 0 || restedMs >= REBUILD_REST_MS)
  }

  function actionsFor(row: LayerRow) {
    const { request, needs, bundleSha256Hex } = JSON.parse(row.build) as StoredBuild
    const needed = needs.map(({ key, target }) => ({ row: layerRow(store, key), target }))
    const failed = needed.find((need) => need.row?.state === 'failed' || !need.row)
    if (failed)
      settle(row.key, {
        state: 'failed',
        digest: row.digest,
        output: failed.row?.output ?? 'a layer that it needs is gone',
      })
    const layers = needed.flatMap(({ row: need, target }) => {
      const digest = digestOf(need)
      return digest === null ? [] : [{ digest, target }]
    })
    if (failed || layers.length < needed.length) return []
    const perform = async () => {
      const inputs = inputsOf(request, bundleSha256Hex)
      if (!inputs) return settle(row.key, { state: 'failed', digest: row.digest, output: BUNDLE_GONE })
      const space = parts.room.space()
      if (isLow(space))
        return settle(row.key, { state: 'failed', digest: row.digest, output: refusal('The build', space) })
      const { buildMemory } = budgetsOf(parts)
      const memory = buildMemory === null ? {} : { memoryBytesMax: buildMemory }
      const {
        exit,
        output: said,
        digest,
        oom,
      } = await compute.build({ ...request, ...memory, inputs, layers })
      const output = oom ? `${SAID}${oomText(oom)}\n${said}` : said
      if (oom && exit === 0) tellWaiting(row.key, oomText(oom))
      if (exit === 0 && digest === '') throw new EngineError('the build answered no digest')
      settle(
        row.key,
        exit === 0 ? { state: 'ready', digest, output } : { state: 'failed', digest: row.digest, output },
      )
    }
    const telling = () =>
      perform().catch((error: unknown) => {
        tellTrouble(row.key, error)
        throw error
      })
    return [
      { what: 'build', lane: laneOf(row.key), timeoutMs: request.timeoutMs + GRACE_MS, perform: telling },
    ]
  }

  // The engine cannot do it, again and again: those who wait for the layer should not think that it is being built.
  function tellTrouble(key: string, error: unknown) {
    const before = lanes.failures().find(({ lane }) => lane === laneOf(key))?.failures ?? 0
    if (before + 1 !== FAILURES_TOLD) return
    const text = `The build of ${key} could not be run ${FAILURES_TOLD} times in a row and is tried again: ${reasonOf(error)}`
    tellWaiting(key, text)
  }

  function tellWaiting(key: string, text: string) {
    const waiting = store.all<EnvironmentRow & { deploymentRequestId: string }>(
      `select e.*, d.request_id as deployment_request_id from environment e
       join deployment d on d.environment_id = e.id and d.id = e.deployment_id
       where e.terminated_at is null and d.ended_at is null
         and exists (select 1 from json_each(d.layers) where value = :key)`,
      { key },
    )
    for (const { deploymentRequestId, ...row } of waiting)
      parts.events.write(ofEnvironment(row, deploymentRequestId), 'WARN', text)
  }

  function inputsOf({ inputs, platform }: StoredBuild['request'], sha256Hex: string | null) {
    // What was written down is where things lay when the layer was first wanted. By now the same interpreter may lie
    // elsewhere (it comes with us, and we were upgraded or moved), and npm be another one.
    const bundle = sha256Hex === null ? undefined : bundlePath(parts, sha256Hex)
    if (sha256Hex !== null && bundle === undefined) return undefined
    const now: Record<string, string | undefined> = {
      node: programOf(parts.catalogue, platform),
      npm: parts.buildConfiguration?.().npm?.dir,
      [BUNDLE]: bundle,
    }
    return inputs.map((one) => ({ ...one, path: now[one.name] ?? one.path }))
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

const BUNDLE = 'bundle.zip'

const laneOf = (key: string) => `layer/${key}`

const layerRow = (store: Store, key: string) =>
  store.get<LayerRow>('select * from layer where key = :key', { key })

function programOf({ stacks }: Catalogue, { name, version }: BuildRequest['platform']): string | undefined {
  const stack = stacks.find((one) => {
    const platform = enginePlatform(one)
    return platform.name === name && platform.version === version
  })
  return stack?.runtime.program
}

const REBUILD_REST_MS = 60_000
/** explainBuild() takes such a line for the reason. */
const SAID = '[polebean] '
const refusal = (what: string, space: Space) => SAID + lowSentence(what, space)
const oomText = ({ process, limitBytes }: NonNullable<BuildResult['oom']>) =>
  `The kernel ended the process${process === '' ? '' : ` ${process}`} of the build for want of memory: a build may hold ` +
  `${sizeText(limitBytes)} (budgets.buildMemory).`

const BUNDLE_GONE = 'The source bundle was changed or deleted before it was built.'
const BUILDS_AT_ONCE = 2
/** Failures of the engine in a row, after which they are told. The attempts go on. */
const FAILURES_TOLD = 5
const LOOK_TIMEOUT_MS = 15_000
/** The engine ends a build that takes too long itself; this is for an engine that does not answer. */
const GRACE_MS = 60_000
const REMOVAL_MS = 5 * 60_000
