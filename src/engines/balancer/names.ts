// How load balancers, target groups and targets are called inside HAProxy. Names are made, never taken over: only
// [A-Za-z0-9_.-] reaches a configuration line.
import { createHash } from 'node:crypto'
import type { BalancerModel, LoadBalancer, Target, TargetGroup } from './engine.ts'

/** A target group as one load balancer uses it: HAProxy dials from the balancer's address, so it is a backend each. */
export type Backend = { name: string; loadBalancer: LoadBalancer; group: TargetGroup }

export function backendsOf(model: BalancerModel): Backend[] {
  const groups = new Map(model.targetGroups.map((group) => [group.id, group]))
  return model.loadBalancers.flatMap((loadBalancer) =>
    [...new Set(loadBalancer.listeners.map((listener) => listener.targetGroupId))].flatMap((id) => {
      const group = id === null ? undefined : groups.get(id)
      return group ? { name: backendName(loadBalancer.id, group.id), loadBalancer, group } : []
    }),
  )
}

/** A listener without a target group, or whose group is not there, answers 503. */
export function backendOf(
  backends: Backend[],
  loadBalancer: LoadBalancer,
  targetGroupId: string | null,
): string {
  const found = backends.find((one) => one.loadBalancer === loadBalancer && one.group.id === targetGroupId)
  return found?.name ?? NO_TARGETS
}

export const NO_TARGETS = 'no-targets'
export const UNKNOWN_HOST = 'unknown-host'

const backendName = (loadBalancerId: string, groupId: string) =>
  `b-${digest(`${loadBalancerId}\n${groupId}`, 12)}`

/** For frontends that belong to one load balancer. */
export const loopbackName = (loadBalancerId: string) => `own-${digest(loadBalancerId, 12)}`

export const publicName = (listenerPort: number) => `public-${listenerPort}`
/** Of the maps that say who is let in at a listener. */
export const clientsName = (loadBalancerId: string, listenerPort: number) =>
  `clients-${digest(loadBalancerId, 12)}-${listenerPort}`

/** A target has up to three servers, told apart by their suffix (see plan.ts). */
export const SUFFIX = { initial: '.i', settled: '', open: '.o' } as const
export type Role = keyof typeof SUFFIX
export const ROLES = ['initial', 'settled', 'open'] as const

/** Of another address or port it is another server; so a server never changes under its name. */
export function serverName({ id, address, port }: Target, role: Role): string {
  const readable = /^[A-Za-z0-9_-]{1,40}$/.test(id) ? id : `t${digest(id, 12)}`
  return `${readable}-${port}-${digest(address, 4)}${SUFFIX[role]}`
}

/** `length` hexadecimal digits that stand for `text`. */
export function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length)
}
