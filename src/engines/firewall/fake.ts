// A firewall in memory. The world outlives the control plane; it answers who may open a connection to whom, and so it is
// the meaning of a model in a few lines.
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import { makeTurns } from '../../kernel/turns.ts'
import { checkModel } from './check-model.ts'
import {
  type FirewallEngine,
  type FirewallInForce,
  type FirewallModel,
  type FirewallRule,
  generationOf,
  protocolOf,
} from './engine.ts'
import { carriedOf, contains, NOTHING_IN_FORCE } from './in-force.ts'

/** `never`: the deed is done, its answer never comes. */
export type FirewallFault = 'error before' | 'error after' | 'never'

export type Connection = {
  /** Ids of interfaces; `outside` is everywhere else, seen with the address 198.51.100.1. */
  from: string
  to: string
  protocol: 'tcp' | 'udp'
  port: number
}

export type FakeFirewallWorld = {
  engine(own?: Clock): FirewallEngine
  /** What is in force; null: nothing passes. */
  model(): FirewallModel | null
  inForce(): FirewallInForce
  /** Whether a new connection would be let through. */
  allows(connection: Connection): boolean
  /** The rules are gone: after a reboot, or because somebody has flushed them. */
  lose(): void
  /** Asked before each call of the engine; what it answers goes wrong. */
  fault: (call: 'apply' | 'applied' | 'inForce') => FirewallFault | undefined
  latencyMs: () => number
  /** How often a model was put in force. */
  changes: number
}

const OUTSIDE = '198.51.100.1'

export function makeFakeFirewallWorld(clock: Clock): FakeFirewallWorld {
  let model: FirewallModel | null = null
  let generation: string | null = null

  const makeCall = (own: Clock) => {
    const inTurn = makeTurns()
    return async <T>(what: 'apply' | 'applied' | 'inForce', effect: () => T): Promise<T> => {
      const fault = world.fault(what)
      const answer = await inTurn('', async () => {
        const latencyMs = world.latencyMs()
        if (latencyMs > 0) await own.sleep(latencyMs)
        if (fault === 'error before') throw new EngineError(`${what}: ${fault}`)
        return effect()
      })
      if (fault === 'error after') throw new EngineError(`${what}: ${fault}`)
      if (fault === 'never') await new Promise(() => undefined)
      return answer
    }
  }

  const world: FakeFirewallWorld = {
    changes: 0,
    engine(own = clock) {
      const call = makeCall(own)
      return {
        apply: (next) =>
          call('apply', () => {
            checkModel(next)
            if (generation === generationOf(next)) return
            model = structuredClone(next)
            generation = generationOf(next)
            world.changes++
          }),
        applied: () => call('applied', () => generation),
        inForce: () => call('inForce', () => world.inForce()),
      }
    },
    model: () => structuredClone(model),
    inForce: () => (model === null ? NOTHING_IN_FORCE : carriedOf(model)),
    allows: (connection) => model !== null && allows(model, connection),
    lose() {
      model = null
      generation = null
    },
    fault: () => undefined,
    latencyMs: () => 0,
  }
  return world
}

/** What a model means, for one new connection. */
export function allows(model: FirewallModel, { from, to, protocol, port }: Connection): boolean {
  const addressOf = (id: string) =>
    id === 'outside' ? OUTSIDE : model.interfaces.find((one) => one.id === id)?.address
  const groupsOf = (id: string) => model.groups.filter(({ members }) => members.includes(id))
  const matches = (rule: FirewallRule, other: string) =>
    (rule.protocol === '-1' || protocolOf(rule.protocol) === protocol) &&
    (rule.protocol === '-1' || rule.fromPort === null || (port >= rule.fromPort && port <= rule.toPort!)) &&
    ('group' in rule.peer
      ? groupsOf(other).some(({ id }) => 'group' in rule.peer && id === rule.peer.group)
      : 'cidr4' in rule.peer && contains(rule.peer.cidr4, addressOf(other) ?? ''))
  const out =
    from === 'outside' ? false : groupsOf(from).some(({ egress }) => egress.some((rule) => matches(rule, to)))
  return (
    out &&
    (to === 'outside' || groupsOf(to).some(({ ingress }) => ingress.some((rule) => matches(rule, from))))
  )
}
