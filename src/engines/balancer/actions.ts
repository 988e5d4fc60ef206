// What listeners and rules do with a request. Pure.
import type { Action, Listener } from './engine.ts'

/** The plain case: everything to one target group; null = there is none. */
export const forwardTo = (targetGroupId: string | null): Action => ({
  type: 'forward',
  targetGroups: targetGroupId === null ? [] : [{ targetGroupId, weight: 1 }],
  stickySeconds: null,
})

export const actionsOf = ({ rules, action }: Pick<Listener, 'rules' | 'action'>): Action[] => [
  ...rules.map((rule) => rule.action),
  action,
]

/** Each target group once to which a listener may forward, also those of weight 0. */
export const targetGroupIdsOf = (listener: Pick<Listener, 'rules' | 'action'>): string[] => [
  ...new Set(
    actionsOf(listener).flatMap((action) =>
      action.type === 'forward' ? action.targetGroups.map((one) => one.targetGroupId) : [],
    ),
  ),
]

/** Those that get requests, with their shares. */
export const sharesOf = (action: Action & { type: 'forward' }) =>
  action.targetGroups.filter(({ weight }) => weight > 0)

/** A listener without rules that forwards everything to one target group. */
export const listenerTo = (port: number, targetGroupId: string | null, clients: string[]): Listener => ({
  ...{ port, rules: [], action: forwardTo(targetGroupId), clients },
})
