// Everything outside the control plane, and the one database: it outlives every life. The machine, its instances, its
// balancer, the clock, chance, and the trouble they are in.
import { migrations, type Engines } from '../src/control-plane.ts'
import { makeFakeBalancerWorld, type FakeBalancerWorld } from '../src/engines/balancer/fake.ts'
import { makeFakeCompute, type FakeFault } from '../src/engines/compute/fake.ts'
import {
  killInstance,
  makeFakeWorld,
  rebootMachine,
  type FakeWorld,
} from '../src/engines/compute/fake-world.ts'
import { makeFakeObjects } from '../src/engines/objects/fake.ts'
import type { Clock } from '../src/kernel/clock.ts'
import { seededRandom, type Random } from '../src/kernel/random.ts'
import { openStore, type Store } from '../src/store/store.ts'
import { VirtualClock } from './virtual-clock.ts'

export const REGION = 'us-west-2'
export const ACCOUNT = '000000000000'
export const DOMAIN = 'elasticbeanstalk.localhost'
export const CREDENTIALS = {
  accessKeyId: 'PBLNSIMULATOR0000000',
  secretAccessKey: 'not-a-secret-in-the-simulator',
}

/** How bad the world is: drawn once a seed, so that different seeds are bad in different ways. */
export type Weather = { faultyCalls: number; slowCalls: number; slowMsMax: number }
export const calm: Weather = { faultyCalls: 0, slowCalls: 0, slowMsMax: 0 }

export type World = {
  clock: VirtualClock
  random: Random
  store: Store
  compute: FakeWorld
  balancer: FakeBalancerWorld
  weather: Weather
  /** Instances whose application does not start, or does not answer. */
  broken: Set<string>
  /** True: every application of a new start fails. */
  breaking: boolean
  /** Failing builds while it is true. */
  failingBuilds: boolean
  engines(clock: Clock): Engines
  kill(instanceId: string): void
  reboot(): void
  log(line: string): void
  logged: string[]
}

export function makeWorld(seed: number, weather: Weather = calm): World {
  const clock = new VirtualClock()
  const random = seededRandom(seed)
  // Trouble has its own sequence, so that the same workload meets other trouble when only the weather changes.
  const luck = seededRandom(seed ^ 0x5eed)
  const store = openStore(':memory:', migrations)
  const compute = makeFakeWorld()
  const objects = makeFakeObjects()
  const instanceAt = (address: string) =>
    [...compute.instances.values()].find((one) => one.spec.requestedAddress === address)
  const balancer = makeFakeBalancerWorld({
    clock,
    probe(address) {
      const instance = instanceAt(address)
      if (!instance || instance.state !== 'running') return null
      return world.broken.has(instance.spec.id) ? 500 : 200
    },
  })
  balancer.fault = () => {
    if (luck.next() >= world.weather.faultyCalls) return undefined
    return luck.next() < 0.5 ? 'error before' : 'error after'
  }
  const fault = (): FakeFault | undefined => {
    const found: FakeFault = {}
    if (luck.next() < world.weather.slowCalls)
      found.latencyMs = Math.floor(luck.next() * world.weather.slowMsMax)
    if (luck.next() < world.weather.faultyCalls) {
      const kind = luck.next()
      found.fail = kind < 0.45 ? 'before' : kind < 0.9 ? 'after' : 'never'
    }
    return found.latencyMs || found.fail ? found : undefined
  }

  const world: World = {
    clock,
    random,
    store,
    compute,
    balancer,
    weather,
    broken: new Set(),
    breaking: false,
    failingBuilds: false,
    engines: (lifeClock) => ({
      compute: makeFakeCompute({
        world: compute,
        clock: lifeClock,
        zones: [`${REGION}a`, `${REGION}b`],
        fault,
        program: (instance) => {
          if (!world.breaking && !world.broken.has(instance.spec.id)) return undefined
          return { exit: 1, output: "ModuleNotFoundError: No module named 'flask'", truncated: false }
        },
        buildProgram: () =>
          world.failingBuilds
            ? { exit: 1, output: 'ERROR: No matching distribution found for flask' }
            : undefined,
      }),
      balancer: balancer.engine(),
      objects,
    }),
    kill: (id) => killInstance(compute, id, clock.now()),
    reboot() {
      rebootMachine(compute, clock.now())
      balancer.reboot()
    },
    log: (line) => void world.logged.push(line),
    logged: [],
  }
  return world
}
