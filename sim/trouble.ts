// What goes wrong outside. `Weather` is drawn once a seed; `luck` has its own sequence, so that the same workload meets
// other trouble when only the weather changes. Passing trouble ends when the weather is calm; what is broken for good
// (an application that answers 500, an instance that no engine can start, a version that cannot be built) stays so.
import type { BalancerFault } from '../src/engines/balancer/fake.ts'
import type { FakeCall, FakeFault } from '../src/engines/compute/fake.ts'
import type { AcmeFault } from '../src/engines/acme/fake.ts'
import type { DnsFault } from '../src/engines/dns/fake.ts'
import type { FirewallFault } from '../src/engines/firewall/fake.ts'
import type { ObjectsFault } from '../src/engines/objects/fake.ts'
import type { Clock } from '../src/kernel/clock.ts'
import type { Random } from '../src/kernel/random.ts'

/** Probabilities; `faulty` and `slow` are of a call, the others of an object. */
export type Weather = {
  faultyCalls: number
  slowCalls: number
  slowMsMax: number
  doomedInstances: number
  brokenApplications: number
}
export const calm: Weather = {
  faultyCalls: 0,
  slowCalls: 0,
  slowMsMax: 0,
  doomedInstances: 0,
  brokenApplications: 0,
}

export type Trouble = {
  weather: Weather
  /** Instances that run and whose application answers 500 for ever. */
  broken: Set<string>
  /** Instances whose every launch, start and update fails, for ever. */
  doomed: Set<string>
  /** When each of them was tried, in monotonic milliseconds. */
  attempts: Map<string, number[]>
  /** Bundles (their text) that can never be built. */
  unbuildable: Set<string>
  /** While it is true: every start check fails. */
  breaking: boolean
  /** While it is true: every build fails. */
  failingBuilds: boolean
  /** While it is true: no build can be run at all. */
  brokenBuilder: boolean
  /** While it is true: what the balancer does cannot be seen. */
  blindBalancer: boolean
  compute(call: FakeCall): FakeFault | undefined
  balancer(call: 'apply' | 'observe'): BalancerFault | undefined
  balancerLatencyMs(): number
  firewall(call: 'apply' | 'applied' | 'inForce'): FirewallFault | undefined
  firewallLatencyMs(): number
  dns(call: 'put' | 'remove' | 'zones' | 'settle' | 'query'): DnsFault | undefined
  dnsLatencyMs(): number
  acme(): AcmeFault | undefined
  objects(call: 'put' | 'join' | 'remove' | 'list'): ObjectsFault | undefined
  /** The weather clears up; what is broken for good stays broken. */
  end(): void
}

const STARTS = ['launch', 'start', 'update']

const nothing = { breaking: false, failingBuilds: false, brokenBuilder: false, blindBalancer: false }

export function makeTrouble(clock: Clock, luck: Random, weather: Weather): Trouble {
  const met = new Set<string>()
  const latencyMs = () =>
    luck.next() < trouble.weather.slowCalls ? Math.floor(luck.next() * trouble.weather.slowMsMax) : 0
  const failure = (): FakeFault['fail'] => {
    if (luck.next() >= trouble.weather.faultyCalls) return undefined
    const kind = luck.next()
    return kind < 0.45 ? 'before' : kind < 0.9 ? 'after' : 'never'
  }
  // An instance's fate is drawn when it is first to be launched.
  const meet = (id: string) => {
    if (met.has(id)) return
    met.add(id)
    if (luck.next() < trouble.weather.doomedInstances) trouble.doomed.add(id)
    if (luck.next() < trouble.weather.brokenApplications) trouble.broken.add(id)
  }

  const trouble: Trouble = {
    weather,
    broken: new Set(),
    doomed: new Set(),
    attempts: new Map(),
    unbuildable: new Set(),
    ...nothing,
    compute({ method, id }) {
      if (method === 'launch') meet(id)
      const found = { latencyMs: latencyMs(), fail: failure() }
      if (method === 'build' && trouble.brokenBuilder) found.fail = 'before'
      if (STARTS.includes(method) && trouble.doomed.has(id)) {
        found.fail = 'before'
        trouble.attempts.set(id, [...(trouble.attempts.get(id) ?? []), clock.monotonic()])
      }
      return { latencyMs: found.latencyMs, ...(found.fail ? { fail: found.fail } : {}) }
    },
    balancer(call) {
      if (trouble.blindBalancer && call === 'observe') return 'cannot see'
      const fail = failure()
      return fail && (`${fail === 'never' ? '' : 'error '}${fail}` as BalancerFault)
    },
    balancerLatencyMs: latencyMs,
    firewall() {
      const fail = failure()
      return fail && (`${fail === 'never' ? '' : 'error '}${fail}` as FirewallFault)
    },
    firewallLatencyMs: latencyMs,
    dns() {
      const fail = failure()
      return fail && (`${fail === 'never' ? '' : 'error '}${fail}` as DnsFault)
    },
    dnsLatencyMs: latencyMs,
    acme() {
      const fail = failure()
      return fail && (`${fail === 'never' ? '' : 'error '}${fail}` as AcmeFault)
    },
    objects(call) {
      const drawn = failure()
      // Writing a body may take hours, so nobody gives it up: a disk fails, but it does not stay silent.
      const fail = drawn === 'never' && call !== 'list' && call !== 'remove' ? 'after' : drawn
      return { latencyMs: latencyMs(), ...(fail ? { fail } : {}) }
    },
    end() {
      Object.assign(trouble, { weather: calm, ...nothing })
    },
  }
  return trouble
}
