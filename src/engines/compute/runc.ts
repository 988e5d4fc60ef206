// Instances as runc sandboxes (design §4, §5). One engine to a home, in one process; what it needs to know after its own
// death lies in the home (`instances/`, `layers/`), in runc's state and in the kernel.
import { realpathSync, statfsSync, writeFileSync } from 'node:fs'
import { availableParallelism, hostname, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { EngineError, reasonOf } from '../../kernel/errors.ts'
import type { Home } from '../../kernel/home.ts'
import type { Log } from '../../kernel/log.ts'
import { isLow, spaceOf } from '../../kernel/space.ts'
import { makeTurns } from '../../kernel/turns.ts'
import { hasNamespace } from '../network/ip.ts'
import { interfaceOf, rangeOf } from '../network/names.ts'
import type { Router } from '../network/router.ts'
import { makeBuilder } from './build.ts'
import { checkSize, checkSoftware, checkSpec } from './check-spec.ts'
import {
  type ComputeEngine,
  DIED,
  type InstanceObservation,
  type InstanceSpec,
  type InstanceStats,
  STATS_PARTS,
} from './engine.ts'
import { brokenDisks } from './disk.ts'
import { execInside, logsInside, tailInside } from './exec.ts'
import { followInside } from './follow.ts'
import { idleArgv } from './init-script.ts'
import { type InstanceRecord, readInstanceFiles } from './instance-files.ts'
import { forgetOtherBoots, KERNEL_BOOT, planOf, readStarted, type Started } from './instance-plan.ts'
import { makeLayers } from './layers.ts'
import { type InitProcess, isAlive } from './runc-state.ts'
import { makeOomCounter } from './oom-counter.ts'
import { makeSandboxes } from './sandbox.ts'
import { readOtherMemory } from './other-memory.ts'
import { openSession, sweepSessions } from './session.ts'
import { makeStatsReader } from './stats-reader.ts'
import { countRunnable, readRootStats } from './stats.ts'

/**
 * Making it touches nothing, and neither do the methods that only look (`list`, `stats`, `layers`, `capacity`, `exec` and
 * `read` of what runs), so that another process may look while the server works. All others first clear away what a dead
 * control plane left behind: they are for the one process that holds the home's database.
 */
export type RuncCompute = ComputeEngine & {
  /** Makes or repairs what instances share: network, and the attachment of those that run. Call it every few seconds. */
  ensure(): Promise<void>
  /** Stops every instance and takes away all that is outside the home's folder; keeps disks and layers. */
  shutdown(graceMs: number): Promise<void>
}

type Deps = { home: Home; router: Router; clock: Clock; log: Log; zones: string[] }

export function makeRunc({ home, router, clock, log, zones }: Deps): RuncCompute {
  const sandboxes = makeSandboxes(home, clock)
  const layers = makeLayers(home.dir)
  const builder = makeBuilder({ home, router, clock, sandboxes, layers })
  const files = once(() => readInstanceFiles(home.dir))
  const node = hostname()
  /** What this process is doing to an instance just now. */
  const underWay = new Map<string, 'pending' | 'stopping'>()
  const inTurnOf = makeTurns()
  const bootOf = (id: string) => {
    const init = sandboxes.init(id)
    return init ? `${KERNEL_BOOT.slice(0, 8)}-${init.pid}-${init.startTicks}` : ''
  }
  const reader = makeStatsReader({ ...sandboxes, bootOf })
  const ooms = makeOomCounter(sandboxes, files, bootOf, log)
  /** Set from the first work on: who only looks (`doctor`, while the server works) must change nothing. */
  let opening: Promise<void> | undefined

  const recordOf = (id: string): InstanceRecord => {
    const record = files().all().get(id)
    if (!record) throw new EngineError(`no instance ${id}`)
    return record
  }
  const runningInit = (id: string): InitProcess | undefined => {
    const init = sandboxes.init(id)
    return init && !init.created && isAlive(init) ? init : undefined
  }
  const memberOf = ({ spec }: InstanceRecord) => ({ id: spec.id, address: spec.requestedAddress })
  const startedPath = (id: string) => join(sandboxes.runDirOf(id), 'started.json')

  const launch = async (spec: InstanceSpec) => {
    if (files().launched(spec.id)) return
    if (!files().all().has(spec.id)) files().put({ spec, stoppedAt: 0, reason: '' })
    await boot(recordOf(spec.id))
  }

  const boot = async (record: InstanceRecord) => {
    const { spec } = record
    underWay.set(spec.id, 'pending')
    try {
      const missing = spec.software.layers.find((layer) => !layers.has(layer.digest))
      if (missing) throw new EngineError(`the layer ${missing.digest} is not there`)
      if (!hasNamespace(router.names.router)) await router.ensure()
      if (opening) ooms.keep(spec.id)
      reader.forget(spec.id)
      const pid = await sandboxes.create({
        ...planOf(record, files().image(spec.id)),
        argv: ['/bin/sh', '/etc/polebean/init'],
      })
      const started: Started = { revision: spec.software.revision, at: clock.now() }
      writeFileSync(startedPath(spec.id), JSON.stringify(started))
      await router.attach(memberOf(record), pid)
      await sandboxes.start(spec.id)
      if (!files().launched(spec.id)) files().setLaunched(spec.id)
      if (record.reason !== '') files().put({ ...recordOf(spec.id), reason: '' }) // of its last end
    } catch (error) {
      await takeDown(record, reasonOf(error))
      throw error
    } finally {
      underWay.delete(spec.id)
    }
  }

  /** TERM, then KILL when the grace is over; what is left is cleaned up. Also ends what is only half there. */
  const halt = async (record: InstanceRecord, graceMs: number, reason: string) => {
    const { id } = record.spec
    underWay.set(id, 'stopping')
    try {
      const init = runningInit(id)
      if (init && graceMs > 0) {
        await sandboxes.signal(id, 'TERM')
        const startedAt = clock.monotonic()
        while (isAlive(init) && clock.monotonic() - startedAt < graceMs) await clock.sleep(10)
      }
      await takeDown(record, reason)
    } finally {
      underWay.delete(id)
    }
  }

  const takeDown = async (record: InstanceRecord, reason: string) => {
    ooms.keep(record.spec.id)
    reader.forget(record.spec.id)
    await sandboxes.destroy(record.spec.id)
    await router.detach(memberOf(record))
    files().put({ ...recordOf(record.spec.id), stoppedAt: clock.now(), reason })
  }

  const observe = (record: InstanceRecord): InstanceObservation => {
    const { id, software, zone, tags, requestedAddress } = record.spec
    const init = sandboxes.init(id)
    const alive = init !== undefined && !init.created && isAlive(init)
    const started = alive ? readStarted(startedPath(id)) : undefined
    const doing = underWay.get(id)
    const state = doing === 'stopping' ? doing : alive ? 'running' : (doing ?? 'stopped')
    if (state === 'stopped' && init && record.stoppedAt < (readStarted(startedPath(id))?.at ?? 0)) {
      // First seen now: nobody of ours stopped it.
      record = { ...record, stoppedAt: clock.now(), reason: DIED }
      if (opening) files().put(record)
    }
    const cutShort =
      state === 'stopped' && !files().launched(id) && record.reason === '' ? 'its launch was cut short' : ''
    return {
      id,
      state,
      reason: state === 'stopped' ? record.reason || cutShort : '',
      since: started?.at ?? record.stoppedAt,
      boot: bootOf(id),
      revision: started?.revision ?? software.revision,
      address: requestedAddress,
      zone,
      node,
      tags,
    }
  }

  const fromStopped = async <T>(record: InstanceRecord, look: (reader: string) => Promise<T>): Promise<T> => {
    const { id } = record.spec
    ooms.keep(id)
    await sandboxes.destroy(id) // its first process may just have died
    const reader = `r-${id.slice(2)}`
    try {
      await sandboxes.create({ ...planOf(record, files().image(id)), id: reader, argv: idleArgv })
      await sandboxes.start(reader)
      return await look(reader)
    } finally {
      await sandboxes.destroy(reader)
    }
  }

  // Ended as if it had died, so that it is started again, which mounts its disk anew. Not while there is no room for it.
  const bringBackBroken = async () => {
    const broken = brokenDisks()
    if (broken.size === 0 || isLow(spaceOf(home.dir))) return
    for (const record of files().all().values()) {
      const { id } = record.spec
      const isBroken = () => {
        const started = runningInit(id) && readStarted(startedPath(id))
        const at = started && broken.get(realpathSync(files().image(id)))
        return at !== undefined && at >= Math.floor(started!.at / 1000)
      }
      if (underWay.has(id) || !isBroken()) continue
      log.warn('the disk of an instance takes no more writes; it is started again', { instance: id })
      await inTurnOf(id, async () => {
        if (isBroken()) await halt(recordOf(id), BROKEN_GRACE_MS, DIED)
      })
    }
  }

  /** Ends what a control plane that died in the middle of its work left behind. */
  const sweep = async () => {
    for (const id of sandboxes.ids())
      if (id.startsWith('r-') || (id.startsWith('i-') && !files().all().has(id) && !files().broken().has(id)))
        await sandboxes.destroy(id)
    await builder.sweep()
  }
  const open = async () => {
    forgetOtherBoots(home)
    layers.sweep()
    files().sweep()
    await sweep()
    await sweepSessions({ sandboxes, clock })
  }
  const opened = () =>
    (opening ??= open().catch((error: unknown) => {
      opening = undefined
      throw error
    }))

  return {
    async launch(spec) {
      checkSpec(spec)
      if (files().broken().has(spec.id))
        throw new EngineError(`the record of ${spec.id} is broken: ${files().broken().get(spec.id)}`)
      await opened()
      await inTurnOf(spec.id, () => launch(spec))
    },
    async update(id, software, graceMs, size) {
      checkSoftware(software)
      if (size) checkSize(size)
      await opened()
      await inTurnOf(id, async () => {
        const record = recordOf(id)
        const same = JSON.stringify(record.spec.software) === JSON.stringify(software)
        if (same && runningInit(id) && readStarted(startedPath(id))?.revision === software.revision) return
        files().put({ ...record, spec: { ...record.spec, ...size, software } })
        await halt(recordOf(id), graceMs, 'it is being updated')
        await boot(recordOf(id))
      })
    },
    async stop(id, graceMs) {
      await opened()
      await inTurnOf(id, () => halt(recordOf(id), graceMs, 'it was stopped'))
    },
    async start(id, size) {
      if (size) checkSize(size)
      await opened()
      await inTurnOf(id, async () => {
        if (runningInit(id)) return
        const { spec } = recordOf(id)
        if (size && (size.cpu !== spec.cpu || size.memoryBytes !== spec.memoryBytes))
          files().put({ ...recordOf(id), spec: { ...spec, ...size } })
        await boot(recordOf(id))
      })
    },
    async remove(id) {
      await opened()
      await inTurnOf(id, async () => {
        const record = files().all().get(id)
        if (record) await halt(record, 0, 'it is being removed')
        else if (files().broken().has(id)) await sandboxes.destroy(id)
        files().remove(id)
        ooms.forget(id)
      })
    },
    async list() {
      const broken = [...files().broken()].map(([id, reason]): InstanceObservation => ({
        ...{
          id,
          state: 'unknown',
          reason,
          since: 0,
          boot: '',
          revision: 0,
          address: null,
          zone: '',
          node,
          tags: {},
        },
      }))
      return [...[...files().all().values()].map(observe), ...broken]
    },
    async exec(id, argv, options) {
      if (!runningInit(recordOf(id).spec.id)) throw new EngineError(`${id} is not running`)
      return execInside({ sandboxes, clock }, id, argv, options)
    },
    async session(id, argv, options) {
      if (!runningInit(recordOf(id).spec.id)) throw new EngineError(`${id} is not running`)
      const boot = bootOf(id)
      const isOver = () => underWay.has(id) || !runningInit(id) || bootOf(id) !== boot
      return openSession({ sandboxes, clock }, id, argv, options, isOver)
    },
    async read(id, path, { tailBytes }) {
      if (runningInit(recordOf(id).spec.id)) return tailInside(sandboxes, id, path, tailBytes)
      await opened()
      return inTurnOf(id, () =>
        runningInit(id)
          ? tailInside(sandboxes, id, path, tailBytes)
          : fromStopped(recordOf(id), (reader) => tailInside(sandboxes, reader, path, tailBytes)),
      )
    },
    async logs(id, limits) {
      await opened()
      return inTurnOf(id, () =>
        runningInit(recordOf(id).spec.id)
          ? logsInside(sandboxes, id, limits)
          : fromStopped(recordOf(id), (reader) => logsInside(sandboxes, reader, limits)),
      )
    },
    async follow(id, paths, options) {
      if (!runningInit(recordOf(id).spec.id)) throw new EngineError(`${id} is not running`)
      return followInside(sandboxes, id, paths, options)
    },
    memory: async () => [...files().all().values()].map((record) => ooms.look(record)),
    async stats(parts = STATS_PARTS) {
      const wanted = new Set(parts)
      const ids = [...files().all().keys()]
      reader.keepOnly(new Set(ids))
      return ids.flatMap((id): InstanceStats | [] => {
        const seen = reader.read(id, wanted)
        if (!seen) return []
        const init = wanted.has('root') ? runningInit(id) : undefined
        const runnable = wanted.has('tasks') ? countRunnable(sandboxes.cgroupOf(id)) : undefined
        return {
          ...{ id, at: clock.now(), ...seen, ...(init ? readRootStats(init.pid) : {}) },
          ...(runnable === undefined ? {} : { runnable }),
        }
      })
    },
    async build(request) {
      await opened()
      if (!hasNamespace(router.names.router)) await router.ensure()
      return builder.build(request)
    },
    layers: async () => layers.list(),
    async removeLayer(digest) {
      await opened()
      const user = [...files().all().values()].find(({ spec }) =>
        spec.software.layers.some((layer) => layer.digest === digest),
      )
      if (user) throw new EngineError(`the layer ${digest} is used by ${user.spec.id}`)
      await layers.remove(digest)
    },
    async capacity() {
      const { bavail, bsize } = statfsSync(home.dir)
      const architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64'
      return {
        cpu: availableParallelism(),
        memoryBytes: totalmem(),
        otherMemoryBytes: readOtherMemory(home.id),
        diskBytes: bavail * bsize,
        architecture,
      }
    },
    network: () => ({ cidr: home.cidr, zones, edge: rangeOf(home.cidr).edge }),
    async ensure() {
      await opened()
      await router.ensure()
      await bringBackBroken()
      const attached = await router.counters()
      for (const record of files().all().values()) {
        const { id } = record.spec
        if (attached.has(interfaceOf(id)) || underWay.has(id) || !runningInit(id)) continue
        await inTurnOf(id, async () => {
          const init = runningInit(id)
          if (!init || (await router.counters()).has(interfaceOf(id))) return
          log.warn('attaching an instance again', { instance: id })
          await router.attach(memberOf(record), init.pid)
        })
      }
    },
    async shutdown(graceMs) {
      await opened()
      const stops = [...files().all().keys()].map((id) =>
        inTurnOf(id, async () => {
          if (sandboxes.init(id)) await halt(recordOf(id), graceMs, 'Polebean was shut down')
        }),
      )
      await Promise.all(stops)
      await sweep()
      await sandboxes.removeAll()
    },
  }
}

/** For requests under way; what is logged meanwhile is lost in any case. */
const BROKEN_GRACE_MS = 10_000

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}
