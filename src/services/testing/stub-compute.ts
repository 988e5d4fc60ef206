// A compute engine in memory for the tests of services. What runs outlives the control plane; each call may go wrong.
import type { ComputeEngine, InstanceObservation, InstanceSpec } from '../../engines/compute/engine.ts'
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'

export type ComputeCall = 'launch' | 'update' | 'stop' | 'start' | 'remove' | 'list' | 'exec'
/** `lost`: the control plane dies during the call, before or after the effect. */
export type ComputeFault = 'error before' | 'error after' | 'lost before' | 'lost after'

type Thing = { spec: InstanceSpec; state: InstanceObservation['state']; since: number; boots: number }

export type StubCompute = {
  engine: ComputeEngine
  things: Map<string, Thing>
  calls: { call: ComputeCall; id: string }[]
  fault: (call: ComputeCall, id: string) => ComputeFault | undefined
  /** What a start check answers. */
  check: (id: string, revision: number) => { exit: number; output: string }
  memoryBytes: number
  kill(id: string): void
  reboot(): void
}

const START_MS = 50
const LIST_MS = 20

export function makeStubCompute(clock: Clock, died: () => void): StubCompute {
  const things = new Map<string, Thing>()

  const thing = (id: string) => {
    const found = things.get(id)
    if (!found) throw new EngineError(`there is no ${id}`)
    return found
  }
  const run = (one: Thing) => Object.assign(one, { state: 'running', since: clock.now(), boots: one.boots + 1 })

  const observe = ({ spec, state, since, boots }: Thing): InstanceObservation => ({
    id: spec.id,
    state,
    reason: '',
    since,
    boot: boots === 0 ? '' : `boot-${boots}`,
    revision: spec.software.revision,
    address: spec.requestedAddress,
    zone: spec.zone,
    node: 'stub',
    tags: spec.tags,
  })

  async function call<T>(what: ComputeCall, id: string, effect: () => T | Promise<T>): Promise<T> {
    if (what !== 'list') stub.calls.push({ call: what, id })
    const fault = stub.fault(what, id)
    if (fault === 'error before') throw new EngineError(`${what}: ${fault}`)
    if (fault === 'lost before') return lost()
    const answer = await effect()
    if (fault === 'error after') throw new EngineError(`${what}: ${fault}`)
    return fault === 'lost after' ? lost() : answer
  }
  function lost(): Promise<never> {
    died()
    return new Promise(() => undefined)
  }

  const engine: ComputeEngine = {
    launch: (spec) =>
      call('launch', spec.id, async () => {
        if (things.has(spec.id)) return
        const one: Thing = { spec, state: 'pending', since: clock.now(), boots: 0 }
        things.set(spec.id, one)
        await clock.sleep(START_MS)
        run(one)
      }),
    update: (id, software) =>
      call('update', id, async () => {
        const one = thing(id)
        await clock.sleep(START_MS)
        one.spec = { ...one.spec, software }
        run(one)
      }),
    stop: (id) =>
      call('stop', id, async () => {
        await clock.sleep(START_MS)
        Object.assign(thing(id), { state: 'stopped', since: clock.now() })
      }),
    start: (id) => call('start', id, () => void (thing(id).state === 'running' || run(thing(id)))),
    remove: (id) => call('remove', id, () => void things.delete(id)),
    // What it saw is a little old when it is told: whatever happened meanwhile is not in it.
    list: () =>
      call('list', '', async () => {
        const seen = [...things.values()].map(observe)
        await clock.sleep(LIST_MS)
        return seen
      }),
    exec: (id) =>
      call('exec', id, () => {
        if (thing(id).state !== 'running') throw new EngineError(`${id} is not running`)
        return { ...stub.check(id, thing(id).spec.software.revision), truncated: false }
      }),
    read: () => Promise.reject(new EngineError('not in the stub')),
    stats: () => Promise.resolve([]),
    build: () => Promise.reject(new EngineError('not in the stub')),
    layers: () => Promise.resolve([]),
    removeLayer: () => Promise.resolve(),
    capacity: () => Promise.resolve({ cpu: 4, memoryBytes: stub.memoryBytes, diskBytes: 2 ** 40, architecture: 'x86_64' }),
    network: () => ({ cidr: '10.77.0.0/16', zones: ['us-west-2a', 'us-west-2b'] }),
  }

  const stub: StubCompute = {
    engine,
    things,
    calls: [],
    fault: () => undefined,
    check: () => ({ exit: 0, output: 'started' }),
    memoryBytes: 64 * 2 ** 30,
    kill: (id) => void Object.assign(thing(id), { state: 'stopped', since: clock.now() }),
    reboot: () => {
      for (const one of things.values()) Object.assign(one, { state: 'stopped', since: clock.now() })
    },
  }
  return stub
}
