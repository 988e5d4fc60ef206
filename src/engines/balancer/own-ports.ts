// Ports of this machine's loopback that belong to one load balancer, or to one of its names. Pure.
import type { Listener, LoadBalancer } from './engine.ts'
import { isHostMet } from './match.ts'
import { digest } from './names.ts'

export type OwnPort = {
  port: number
  /** Requests are routed as if they had asked for this name; null = by the one that they ask for. */
  host: string | null
  /** What it stands for, with the rules that are left to ask; undefined = there is none. */
  listener: Listener | undefined
  /** Of its frontend in HAProxy. */
  name: string
}

/** Worked out once for a load balancer of a model: a shared one may have a hundred. */
export function ownPortsOf(loadBalancer: LoadBalancer): OwnPort[] {
  const known = workedOut.get(loadBalancer)
  if (known) return known
  const made = workOut(loadBalancer)
  workedOut.set(loadBalancer, made)
  return made
}
const workedOut = new WeakMap<LoadBalancer, OwnPort[]>()

/** Of the frontend of a load balancer's own port. */
export const loopbackName = (loadBalancerId: string) => `own-${digest(loadBalancerId, 12)}`

const workOut = (loadBalancer: LoadBalancer): OwnPort[] => [
  ...(loadBalancer.loopbackPort === null
    ? []
    : [
        {
          ...{ port: loadBalancer.loopbackPort, host: null, listener: loopbackListener(loadBalancer) },
          name: loopbackName(loadBalancer.id),
        },
      ]),
  ...(loadBalancer.namedPorts ?? []).map(({ port, host }) => ({
    ...{ port, host, listener: listenerOfName(loadBalancer, host) },
    name: `own-${digest(`${loadBalancer.id}\n${host}`, 12)}`,
  })),
]

/** The listener that a load balancer's own loopback port stands for. */
export const loopbackListener = <T extends { port: number }>({ listeners }: { listeners: T[] }) =>
  listeners.find(({ port }) => port === 80) ?? listeners[0]

// The one that has a rule for the name, if any has.
function listenerOfName({ listeners }: LoadBalancer, host: string): Listener | undefined {
  const mentioning = listeners.filter(({ rules }) =>
    rules.some(({ conditions }) =>
      conditions.some((one) => one.field === 'host-header' && isHostMet(one.patterns, host)),
    ),
  )
  const listener = loopbackListener({ listeners: mentioning.length > 0 ? mentioning : listeners })
  if (!listener) return undefined
  const rules = listener.rules.flatMap((rule) => {
    const others = rule.conditions.filter(({ field }) => field !== 'host-header')
    const meets = rule.conditions.every((one) => one.field !== 'host-header' || isHostMet(one.patterns, host))
    return meets ? [{ ...rule, conditions: others }] : []
  })
  return { ...listener, rules }
}
