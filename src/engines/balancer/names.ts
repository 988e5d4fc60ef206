// How load balancers, target groups and targets are called inside HAProxy. Names are made, never taken over: only
// [A-Za-z0-9_.-] reaches a configuration line.
import { createHash } from 'node:crypto'
import { actionsOf, sharesOf, targetGroupIdsOf } from './actions.ts'
import type { Action, BalancerModel, LoadBalancer, Target, TargetGroup } from './engine.ts'

/** A target group as one load balancer uses it: HAProxy dials from the balancer's address, so it is a backend each. */
export type Backend = { name: string; loadBalancer: LoadBalancer; group: TargetGroup }

export function backendsOf(model: BalancerModel): Backend[] {
  const groups = new Map(model.targetGroups.map((group) => [group.id, group]))
  return model.loadBalancers.flatMap((loadBalancer) =>
    [...new Set(loadBalancer.listeners.flatMap(targetGroupIdsOf))].flatMap((id) => {
      const group = groups.get(id)
      return group ? { name: backendName(loadBalancer.id, id), loadBalancer, group } : []
    }),
  )
}

/** What a load balancer answers by itself: a backend too, so that it is counted, and refuses clients, as others do. */
export type Answer = { name: string; loadBalancer: LoadBalancer; action: AnswerAction }
export type AnswerAction = Exclude<Action, { type: 'forward' }>

export function answersOf({ loadBalancers }: BalancerModel): Answer[] {
  return loadBalancers.flatMap((loadBalancer) => {
    const answers = loadBalancer.listeners
      .flatMap(actionsOf)
      .flatMap((action) => (action.type === 'forward' ? [] : { name: '', loadBalancer, action }))
      .map((answer) => ({ ...answer, name: answerName(loadBalancer.id, answer.action) }))
    return [...new Map(answers.map((answer) => [answer.name, answer])).values()]
  })
}

/**
 * The backend in which an action ends; null when a choice is left to make. A forward to no target group, or to one that is
 * not there, answers 503.
 */
export function endOf(backends: Backend[], { id }: LoadBalancer, action: Action): string | null {
  if (action.type !== 'forward') return answerName(id, action)
  const shares = sharesOf(action)
  if (shares.length > 1) return null
  const name = shares[0] && backendName(id, shares[0].targetGroupId)
  return backends.some((backend) => backend.name === name) ? name! : NO_TARGETS
}

export const NO_TARGETS = 'no-targets'
export const NO_TARGETS_TCP = 'no-targets-tcp'
export const UNKNOWN_HOST = 'unknown-host'

export const backendName = (loadBalancerId: string, groupId: string) =>
  `b-${digest(`${loadBalancerId}\n${groupId}`, 12)}`
export const answerName = (loadBalancerId: string, action: AnswerAction) =>
  `a-${digest(`${loadBalancerId}\n${JSON.stringify(action)}`, 12)}`
/** Of a listener, or of a forward to several: where a request is on its way to a backend. */
export const listenerName = (loadBalancerId: string, port: number) =>
  `l-${digest(`${loadBalancerId}\n${port}`, 12)}`
export const forwardName = (loadBalancerId: string, action: Action) =>
  `f-${digest(`${loadBalancerId}\n${JSON.stringify(action)}`, 12)}`

/** Frontends of a network load balancer's listener: on this machine, on its loopback port, and in the VPC. */
export const networkNames = (loadBalancerId: string, listenerPort: number) => {
  const own = `net-${digest(`${loadBalancerId}\n${listenerPort}`, 12)}`
  return { public: `public-${own}`, loopback: `own-${own}`, vpc: `vpc-${own}` }
}

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

/** `length` hexadecimal digits that stand for `text`. Names are asked for at every look: those of now are kept. */
export function digest(text: string, length: number): string {
  if (text.length > LONG) return sha256(text).slice(0, length)
  const known = digests.get(text)
  if (known !== undefined) return known.slice(0, length)
  if (digests.size >= KEPT_MAX) digests.clear()
  const made = sha256(text)
  digests.set(text, made)
  return made.slice(0, length)
}
const digests = new Map<string, string>()
const KEPT_MAX = 10_000
/** Files and the like come once. */
const LONG = 100
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
