// One life of the control plane. Every engine call passes its gate, which counts before and after the effect; at call
// `dieAt` the life dies: the call is never answered, its clock never wakes it again, and nothing of it writes any more.
import { makeControlPlane, type ControlPlane, type Engines } from '../src/control-plane.ts'
import { createGateway, type Gateway } from '../src/gateway/server.ts'
import type { Clock } from '../src/kernel/clock.ts'
import { makeIds } from '../src/kernel/ids.ts'
import { makeLog } from '../src/kernel/log.ts'
import { makeCatalogue } from '../src/platforms/catalogue.ts'
import { DEFAULT_BUDGETS } from '../src/services/budgets.ts'
import { ACCOUNT, CACHES_BYTES, CREDENTIALS, DOMAIN, REGION, type World } from './world.ts'

/** Asked every second, and nothing hangs on the answer: to die there is to die between two other calls. */
const MEASURING = { compute: ['stats'], balancer: ['traffic'] }

/** Gates passed in one moment of virtual time: a few for each object is fair. */
const CALLS_AT_ONCE_MAX = 2_000

const never = new Promise<never>(() => undefined)

export class Life {
  calls = 0
  /** What the gate let through, for the report of a failing seed. */
  readonly trace: string[] = []
  readonly plane: ControlPlane
  readonly gateway: Gateway
  readonly #abort = new AbortController()
  /** The gate at which it dies. */
  readonly dieAt: number
  readonly #world: World
  #moment = { at: 0, calls: 0 }

  constructor(world: World, dieAt = Infinity) {
    this.#world = world
    this.dieAt = dieAt
    const { store, logEvents, random } = world
    const clock = this.#clock()
    const log = makeLog(clock, (line) => world.log(line))
    const outside = world.outside(clock)
    const { inspect } = this.#gate('inspector', outside.inspector, [])
    this.plane = makeControlPlane({
      store,
      logEvents,
      clock,
      random,
      log,
      signal: this.#abort.signal,
      metricFile: world.metricFile,
      measureEverySeconds: 10,
      engines: {
        compute: this.#gate('compute', outside.compute, ['network', ...MEASURING.compute]),
        balancer: this.#gate('balancer', outside.balancer, ['publicPort', ...MEASURING.balancer]),
        firewall: this.#gate('firewall', outside.firewall, []),
        dns: this.#gate('dns', outside.dns, []),
        privateDns: this.#gate('privateDns', outside.privateDns, []),
        acme: this.#gate('acme', outside.acme, []),
        authority: outside.authority,
        hosts: outside.hosts,
        objects: this.#gate('objects', outside.objects, ['get', 'path']),
        probes: this.#gate('probes', outside.probes, []),
        room: outside.room,
      } satisfies Engines,
      settings: {
        region: REGION,
        account: ACCOUNT,
        domain: DOMAIN,
        ports: { http: 80, environments: 18_000 },
      },
      catalogue: makeCatalogue([
        { family: 'python', language: '3.11', program: '/usr/bin/python3.11', build: '3.11.2 sim' },
      ]),
      budgets: () => ({ ...DEFAULT_BUDGETS, caches: CACHES_BYTES }),
      buildConfiguration: () => ({ files: [], inputs: [], env: {} }),
      acme: () => ({
        ...{ directory: 'https://acme.test/dir', staging: 'https://staging.test/dir' },
        ...{ email: null, trust: null },
      }),
      inspect,
      presign: (_context, bucket, key) => `http://sim/${bucket}/${key}`,
    })
    this.gateway = createGateway({
      services: this.plane.services,
      signed: this.plane.signedRoutes,
      credentials: () => [CREDENTIALS],
      account: ACCOUNT,
      region: REGION,
      store,
      clock,
      ids: makeIds(random),
      log,
    })
    this.plane.start()
  }

  get dead(): boolean {
    return this.#abort.signal.aborted
  }

  die(): void {
    if (!this.dead) this.#abort.abort(new Error('this life is over'))
  }

  #dying(): Promise<never> {
    this.die()
    return never
  }

  #clock(): Clock {
    const { clock, tickMs } = this.#world
    return {
      now: clock.now,
      monotonic: clock.monotonic,
      sleep: async (ms, signal) => {
        const now = clock.monotonic()
        await clock.sleep(Math.ceil((now + ms) / tickMs) * tickMs - now, signal)
        if (this.dead) await never
      },
    }
  }

  #gate<T extends object>(kind: string, engine: T, open: string[]): T {
    return new Proxy(engine, {
      get: (target, key) => {
        const method: unknown = Reflect.get(target, key)
        if (typeof method !== 'function' || open.includes(String(key))) return method
        return async (...args: unknown[]) => {
          if (this.#over(`${kind}.${String(key)}`)) return this.#dying()
          const answer = Promise.resolve(Reflect.apply(method, target, args) as unknown)
          answer.catch(() => undefined)
          if (this.#over('')) return this.#dying()
          try {
            const value = await answer
            return this.dead ? await never : value
          } catch (error) {
            if (this.dead) await never
            throw error
          }
        }
      },
    })
  }

  #over(call: string): boolean {
    if (this.dead) return true
    // Without it, a control plane that tries again at once would let no time pass at all.
    const now = this.#world.clock.monotonic()
    this.#moment =
      this.#moment.at === now ? { at: now, calls: this.#moment.calls + 1 } : { at: now, calls: 1 }
    if (this.#moment.calls > CALLS_AT_ONCE_MAX) {
      this.#world.spinning.push(`${this.#moment.calls} engine calls in one moment, the last of them ${call}`)
      this.die()
      return true
    }
    if (call !== '') this.trace.push(call)
    return ++this.calls >= this.dieAt
  }
}
