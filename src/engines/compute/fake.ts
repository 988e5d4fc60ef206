// Instances that only pretend, for the simulator: same contract, virtual time, faults on demand.
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import { checkSize, checkSoftware, checkSpec } from './check-spec.ts'
import {
  type BuildRequest,
  type BuildResult,
  type ComputeEngine,
  type ExecOptions,
  type ExecResult,
  type InstanceObservation,
  STATS_PARTS,
  type StatsPart,
} from './engine.ts'
import { followFake } from './fake-follow.ts'
import { openFakeSession } from './fake-session.ts'
import type { FakeInstance, FakeWorld } from './fake-world.ts'
import { digestOf } from './layers.ts'

export type FakeCall = {
  method: keyof ComputeEngine
  /** Instance id, layer key or digest; '' for none. */ id: string
}

/** What goes wrong with one call. `latencyMs` passes before the effect. `never`: the answer does not come. */
export type FakeFault = { latencyMs?: number; fail?: 'before' | 'after' | 'never'; message?: string }

export type FakeComputeOptions = {
  world: FakeWorld
  clock: Clock
  cidr?: string
  zones?: string[]
  /** Asked at each call; undefined = nothing goes wrong. It may also throw, to crash the control plane there. */
  fault?: (call: FakeCall) => FakeFault | undefined
  /** What programs inside answer: start checks, hooks. Undefined = a plain success. */
  program?: (instance: FakeInstance, argv: string[], options: ExecOptions) => ExecResult | undefined
  /** What builds answer. Undefined = success. */
  buildProgram?: (
    request: BuildRequest,
  ) => { exit: number; output: string; files?: Record<string, string> } | undefined
}

/** One life of a control plane's view on `world`; make another one for the next life. */
export function makeFakeCompute(options: FakeComputeOptions): ComputeEngine {
  const { world, clock, cidr = '10.99.0.0/16', zones = ['a', 'b'], fault, program, buildProgram } = options
  const underWay = new Map<string, 'pending' | 'stopping'>()

  const call = async <T>(method: FakeCall['method'], id: string, effect: () => T): Promise<T> => {
    const trouble = fault?.({ method, id })
    if (trouble?.latencyMs) await clock.sleep(trouble.latencyMs)
    if (trouble?.fail === 'before') throw new EngineError(trouble.message ?? `${method} ${id}: failed`)
    const result = effect()
    if (trouble?.fail === 'after')
      throw new EngineError(trouble.message ?? `${method} ${id}: the answer was lost`)
    if (trouble?.fail === 'never') {
      underWay.delete(id) // the deed is done, only its answer never comes
      await new Promise(() => undefined)
    }
    return result
  }
  const changing = async (id: string, as: 'pending' | 'stopping', work: () => Promise<void>) => {
    if (world.lost.has(id)) throw new EngineError(`the node of ${id} does not answer`)
    underWay.set(id, as)
    try {
      await work()
    } finally {
      underWay.delete(id)
    }
  }
  const instanceOf = (id: string): FakeInstance => {
    const instance = world.instances.get(id)
    if (!instance) throw new EngineError(`no instance ${id}`)
    return instance
  }
  const runningOf = (id: string): FakeInstance => {
    const instance = instanceOf(id)
    if (instance.state !== 'running' || world.lost.has(id)) throw new EngineError(`${id} is not running`)
    return instance
  }
  const begin = (instance: FakeInstance) => {
    if (instance.state === 'running') return
    const missing = instance.spec.software.layers.find(({ digest }) => !world.layers.has(digest))
    if (missing) {
      Object.assign(instance, { reason: `the layer ${missing.digest} is not there`, since: clock.now() })
      throw new EngineError(instance.reason)
    }
    const revision = instance.spec.software.revision
    Object.assign(instance, {
      state: 'running',
      since: clock.now(),
      boot: `boot-${++world.boots}`,
      reason: '',
      revision,
    })
    instance.launched = true
  }
  const end = (instance: FakeInstance, reason: string) => {
    if (instance.state === 'running')
      Object.assign(instance, { state: 'stopped', since: clock.now(), reason })
  }
  const observe = ({ spec, ...instance }: FakeInstance): InstanceObservation => ({
    id: spec.id,
    state: world.lost.has(spec.id) ? 'unknown' : (underWay.get(spec.id) ?? instance.state),
    reason: instance.reason,
    since: instance.since,
    boot: instance.boot,
    revision: instance.state === 'running' ? instance.revision : spec.software.revision,
    address: spec.requestedAddress,
    zone: spec.zone,
    node: 'fake',
    tags: spec.tags,
  })
  const build = (request: BuildRequest): BuildResult => {
    const digest = digestOf(request.key)
    if (world.layers.has(digest)) return { exit: 0, output: '', digest }
    const { exit, output, files = {} } = buildProgram?.(request) ?? { exit: 0, output: '' }
    if (exit !== 0) return { exit, output, digest: '' }
    world.layers.set(digest, { digest, key: request.key, bytes: 1_000, files })
    return { exit, output, digest }
  }

  return {
    async launch(spec) {
      checkSpec(spec)
      const there = world.instances.get(spec.id)
      if (there?.launched) return
      await changing(spec.id, 'pending', async () => {
        if (!there) world.instances.set(spec.id, freshInstance(structuredClone(spec), clock.now()))
        await call('launch', spec.id, () => begin(instanceOf(spec.id)))
      })
    },
    async update(id, software, _graceMs, size) {
      checkSoftware(software)
      if (size) checkSize(size)
      await changing(id, 'pending', () =>
        call('update', id, () => {
          const instance = instanceOf(id)
          const same = JSON.stringify(instance.spec.software) === JSON.stringify(software)
          if (same && instance.state === 'running' && instance.revision === software.revision) return
          Object.assign(instance.spec, size, { software: structuredClone(software) })
          end(instance, 'it is being updated')
          begin(instance)
        }),
      )
    },
    stop: (id) =>
      changing(id, 'stopping', () => call('stop', id, () => end(instanceOf(id), 'it was stopped'))),
    async start(id, size) {
      if (size) checkSize(size)
      await changing(id, 'pending', () =>
        call('start', id, () => {
          const instance = instanceOf(id)
          if (instance.state !== 'running') Object.assign(instance.spec, size)
          begin(instance)
        }),
      )
    },
    remove: (id) => changing(id, 'stopping', () => call('remove', id, () => void world.instances.delete(id))),
    list: () =>
      call('list', '', () => {
        if (world.blind) throw new EngineError('the engine cannot be seen')
        return [...world.instances.values()].map(observe)
      }),
    exec: (id, argv, limits) =>
      call('exec', id, () => {
        const instance = runningOf(id)
        const answer = program?.(instance, argv, limits) ?? plainProgram(instance, argv)
        const truncated = answer.truncated || answer.output.length > limits.outputBytesMax
        return { ...answer, output: answer.output.slice(0, limits.outputBytesMax), truncated }
      }),
    session: (id, argv) =>
      call('session', id, () => {
        const { boot } = runningOf(id)
        const isOver = () =>
          world.instances.get(id)?.boot !== boot || world.instances.get(id)?.state !== 'running'
        return openFakeSession(argv, clock, isOver)
      }),
    read: (id, path, { tailBytes }) =>
      call('read', id, () => {
        const { software } = instanceOf(id).spec
        const layered = software.layers.flatMap(({ digest, target }) => {
          const name = path.startsWith(`${target}/`) ? path.slice(target.length + 1) : null
          return name === null ? [] : (world.layers.get(digest)?.files[name] ?? [])
        })
        const content = software.files.find((file) => file.path === path)?.content ?? layered[0]
        if (content === undefined)
          throw new EngineError(`${id}: cannot open '${path}': No such file or directory`)
        return Buffer.from(content).subarray(-tailBytes)
      }),
    follow: (id, files, { bytesMax }) => call('follow', id, () => followFake(runningOf(id), files, bytesMax)),
    stats: (parts = STATS_PARTS) =>
      call('stats', '', () =>
        [...world.instances.values()]
          .filter(({ state, spec }) => state === 'running' && !world.lost.has(spec.id))
          .map(({ spec, boot, used, usedBytes }) => ({
            ...{ id: spec.id, boot, at: clock.now() },
            ...figuresOf(parts, { ...used, ...(usedBytes === undefined ? {} : { memoryBytes: usedBytes }) }),
          })),
      ),
    memory: () =>
      call('memory', '', () =>
        [...world.instances.values()]
          .filter(({ spec }) => !world.lost.has(spec.id))
          .map(({ spec, state, usedBytes, oomKills = 0 }) => ({
            id: spec.id,
            ...(usedBytes === undefined || state !== 'running' ? {} : { usedBytes }),
            limitBytes: spec.memoryBytes,
            oomKills,
            oomProcess: oomKills > 0 ? 'gunicorn' : '',
            oomOfMachine: false,
          })),
      ),
    logs: (id, { bytesMax }) =>
      call('logs', id, () =>
        `==> /var/log/web.stdout.log <==\nlog of ${instanceOf(id).spec.id}\n`.slice(0, bytesMax),
      ),
    build: (request) => call('build', request.key, () => build(request)),
    layers: () =>
      call('layers', '', () =>
        [...world.layers.values()].map(({ digest, key, bytes }) => ({ digest, key, bytes })),
      ),
    removeLayer: (digest) =>
      call('removeLayer', digest, () => {
        const users = [...world.instances.values()].filter(({ spec }) =>
          spec.software.layers.some((one) => one.digest === digest),
        )
        if (users.length > 0) throw new EngineError(`the layer ${digest} is used by ${users[0]!.spec.id}`)
        world.layers.delete(digest)
      }),
    capacity: async () => ({
      cpu: 8,
      memoryBytes: 32 * 2 ** 30,
      otherMemoryBytes: 0,
      diskBytes: 500 * 2 ** 30,
      architecture: 'x86_64',
    }),
    network: () => ({ cidr, zones, edge: cidr.replace(/0\/\d+$/, '3') }),
  }
}

const NOTHING_USED: Record<StatsPart, NonNullable<FakeInstance['used']>> = {
  cpu: { cpuSeconds: 0 },
  cpuKinds: { cpuUserSeconds: 0, cpuSystemSeconds: 0 },
  memory: {},
  network: { networkInBytes: 0, networkOutBytes: 0, networkInPackets: 0, networkOutPackets: 0 },
  disk: { diskReadBytes: 0, diskWriteBytes: 0, diskReads: 0, diskWrites: 0 },
  processes: { processes: 3 },
  tasks: {},
  root: {},
}
/** Of which there may be nothing to tell. */
const OF_PARTS: Partial<Record<StatsPart, string[]>> = {
  cpuKinds: ['cpuNiceSeconds', 'ioWaitSeconds'],
  memory: ['memoryBytes'],
  tasks: ['runnable'],
  root: ['diskUsedBytes', 'diskBytes'],
}

function figuresOf(parts: readonly StatsPart[], used: NonNullable<FakeInstance['used']>) {
  const figures = Object.assign({}, ...parts.map((part) => NOTHING_USED[part])) as typeof used
  const known = new Set([...Object.keys(figures), ...parts.flatMap((part) => OF_PARTS[part] ?? [])])
  return { ...figures, ...Object.fromEntries(Object.entries(used).filter(([name]) => known.has(name))) }
}

const freshInstance = (spec: FakeInstance['spec'], at: number): FakeInstance => ({
  ...{
    spec,
    state: 'stopped',
    reason: 'its launch was cut short',
    since: at,
    boot: '',
    revision: 0,
    launched: false,
  },
})

/** `cat` of a file that was laid into the instance works; everything else succeeds without a word. */
function plainProgram({ spec }: FakeInstance, argv: string[]): ExecResult {
  const file = argv[0] === 'cat' ? spec.software.files.find(({ path }) => path === argv[1]) : undefined
  return { exit: 0, output: file?.content ?? '', truncated: false }
}
