// The fake compute engine with the faults that the tests of services ask for. What runs outlives the control plane.
import type { ComputeEngine } from '../../engines/compute/engine.ts'
import { makeFakeCompute, type FakeCall, type FakeFault } from '../../engines/compute/fake.ts'
import {
  killInstance,
  makeFakeWorld,
  rebootMachine,
  type FakeWorld,
} from '../../engines/compute/fake-world.ts'
import type { Clock } from '../../kernel/clock.ts'

/** `lost`: the control plane dies during the call, before or after the effect. */
export type ComputeFault = 'error before' | 'error after' | 'lost before' | 'lost after'

export type FaultyCompute = {
  world: FakeWorld
  /** The engine as one life of the control plane sees it. */
  engine(): ComputeEngine
  /** Calls that concern one instance, in order. */
  calls: FakeCall[]
  fault: (call: FakeCall) => ComputeFault | undefined
  /** What a start check answers. */
  check: (id: string, revision: number) => { exit: number; output: string }
  memoryBytes: number
  otherMemoryBytes: number
  architecture: 'x86_64' | 'arm64'
  kill(id: string): void
  reboot(): void
}

const CALL_MS = 50
const LIST_MS = 20

export function makeFaultyCompute(clock: Clock, died: () => void): FaultyCompute {
  const world = makeFakeWorld()
  const faultOf = (call: FakeCall): FakeFault => {
    if (call.id !== '') compute.calls.push(call)
    const latencyMs = call.method === 'list' || call.method === 'exec' ? 0 : CALL_MS
    const fault = compute.fault(call)
    if (fault === 'lost before' || fault === 'lost after') died()
    if (fault === 'lost before') return { latencyMs: Number.POSITIVE_INFINITY }
    if (fault === 'lost after') return { latencyMs, fail: 'never' }
    if (fault === undefined) return { latencyMs }
    return {
      latencyMs,
      fail: fault === 'error before' ? 'before' : 'after',
      message: `${call.method}: ${fault}`,
    }
  }
  const makeEngine = (): ComputeEngine => {
    const fake = makeFakeCompute({
      world,
      clock,
      cidr: '10.77.0.0/16',
      zones: ['us-west-2a', 'us-west-2b'],
      fault: faultOf,
      program: ({ spec, revision }) => ({ ...compute.check(spec.id, revision), truncated: false }),
    })
    return {
      ...fake,
      capacity: async () => ({
        ...(await fake.capacity()),
        memoryBytes: compute.memoryBytes,
        otherMemoryBytes: compute.otherMemoryBytes,
        architecture: compute.architecture,
      }),
      // What it saw is a little old when it is told: whatever happened meanwhile is not in it.
      list: async () => {
        const seen = await fake.list()
        await clock.sleep(LIST_MS)
        return seen
      },
    }
  }
  const compute: FaultyCompute = {
    world,
    engine: makeEngine,
    calls: [],
    fault: () => undefined,
    check: () => ({ exit: 0, output: 'started' }),
    memoryBytes: 64 * 2 ** 30,
    otherMemoryBytes: 0,
    architecture: 'x86_64',
    kill: (id) => killInstance(world, id, clock.now()),
    reboot: () => rebootMachine(world, clock.now()),
  }
  return compute
}
