// Which servers a running HAProxy must gain, lose or change so that it follows the model. Pure.
//
// A target has up to three servers in its backend:
//   initial  `….i`  one passed check makes it healthy. It is added as DOWN, so nobody reaches an unchecked target.
//   settled  `…`    takes the place of `initial` when that was found unhealthy: now `healthyThreshold` checks must pass.
//                   Both are there until the first check of `settled`, so that the reason is known all the time.
//   open     `….o`  unchecked and `backup`: HAProxy turns to these only while no target is healthy, which is how an
//                   Application Load Balancer fails open. In maintenance until its target had its first checks. In a
//                   group without checks a target has no other.
import type { Target } from './engine.ts'
import { type Server, speaksTls } from './servers.ts'
import { type Backend, ROLES, type Role, serverName } from './names.ts'
import type { RunningServer } from './running.ts'

export type Action = {
  /** add, then as the role wants it · drain: no new requests · ready: takes them again · open: out of maintenance
   *  · revive: from maintenance to unchecked · leave: maintenance · retire: maintenance, cut what is left
   *  · delete: when nothing is left */
  what: 'add' | 'drain' | 'ready' | 'open' | 'revive' | 'leave' | 'retire' | 'delete'
  backend: Backend
  name: string
  /** Of `add` and `revive`. */
  role?: Role
  target?: Target
}

export type Plan = {
  actions: Action[]
  /** The lines that the configuration must hold once the actions are done. Draining targets are left out: a HAProxy
   *  that starts anew has no request of theirs in flight. */
  servers: Server[]
}

export function planServers(backends: Backend[], running: RunningServer[]): Plan {
  const byBackend = Map.groupBy(running, (server) => server.backend)
  const plans = backends.map((backend) => planBackend(backend, byBackend.get(backend.name) ?? []))
  return { actions: plans.flatMap((plan) => plan.actions), servers: plans.flatMap((plan) => plan.servers) }
}

/** Whether a target has had its first checks: it was healthy once, or failed for as long as makes one unhealthy. */
export function isDetermined({ group }: Backend, servers: Partial<Record<Role, RunningServer>>): boolean {
  if (group.healthCheck === null) return true
  const { intervalSeconds, unhealthyThreshold } = group.healthCheck
  const { initial, settled, open } = servers
  if (settled && !settled.maintenance) return true
  if (open && !open.maintenance) return true
  if (!initial || initial.maintenance) return false
  // HAProxy counts the seconds that have begun, so it may be almost one too many.
  return isUp(initial) || initial.sinceSeconds > intervalSeconds * unhealthyThreshold
}

/** Weight 0 is a server that is being added and counts for nothing yet. */
export const isUp = (server: RunningServer | undefined): boolean =>
  server !== undefined &&
  !server.maintenance &&
  server.operation !== 'stopped' &&
  (server.weight > 0 || server.draining)

/** `running`: those of the target's backend. */
export function serversOf(target: Target, running: RunningServer[]): Partial<Record<Role, RunningServer>> {
  return Object.fromEntries(
    ROLES.flatMap((role) => {
      const name = serverName(target, role)
      const found = running.find((server) => server.name === name)
      return found ? [[role, found]] : []
    }),
  )
}

function planBackend(backend: Backend, running: RunningServer[]): Plan {
  const actions: Action[] = []
  const servers: Server[] = []
  const kept = new Set<string>()
  for (const target of backend.group.targets) {
    const plan = target.draining
      ? planDraining(backend, target, running)
      : planTarget(backend, target, running)
    actions.push(...plan.actions)
    servers.push(...plan.servers)
    for (const name of plan.kept) kept.add(name)
  }
  for (const { name, maintenance } of running) {
    if (kept.has(name)) continue
    // Nobody says of an unchecked target that it drains: what is in flight on it ends by itself.
    // Connections that a network load balancer passes on are not ended, either.
    const leave = backend.group.healthCheck === null || backend.loadBalancer.isNetwork ? 'leave' : 'retire'
    if (!maintenance) actions.push({ what: leave, backend, name })
    actions.push({ what: 'delete', backend, name })
  }
  return { actions, servers }
}

type TargetPlan = Plan & { kept: string[] }

function planTarget(backend: Backend, target: Target, running: RunningServer[]): TargetPlan {
  const found = serversOf(target, running)
  const determined = isDetermined(backend, found)
  const stand = planOpen(backend, target, found.open, determined)
  const open = serverName(target, 'open')
  const tls = speaksTls(backend.group)
  const standing = {
    ...{ backend: backend.name, name: open, role: 'open' as const, target, disabled: !determined, tls },
  }
  if (backend.group.healthCheck === null) return { actions: stand, servers: [standing], kept: [open] }
  const active = (['settled', 'initial'] as const).find((role) => found[role] && !found[role].maintenance)
  const isDown = active !== undefined && found[active]?.operation === 'stopped'
  const role = active === 'initial' && determined && isDown ? 'settled' : (active ?? 'initial')
  const name = serverName(target, role)
  return {
    actions: [...planServer(backend, target, role, found[role]), ...stand],
    servers: [{ backend: backend.name, name, role, target, disabled: false, tls }, standing],
    kept:
      found.initial && !found.settled?.checked ? [serverName(target, 'initial'), name, open] : [name, open],
  }
}

function planServer(
  backend: Backend,
  target: Target,
  role: Role,
  found: RunningServer | undefined,
): Action[] {
  const name = serverName(target, role)
  if (!found) return [{ what: 'add', backend, name, role, target }]
  if (found.maintenance) return [{ what: 'revive', backend, name, role, target }]
  if (found.draining) return [{ what: 'ready', backend, name }]
  // Its addition was cut short after weight 0.
  return found.weight === 0 ? [{ what: 'revive', backend, name, role, target }] : []
}

function planOpen(
  backend: Backend,
  target: Target,
  found: RunningServer | undefined,
  determined: boolean,
): Action[] {
  const name = serverName(target, 'open')
  const add: Action[] = found ? [] : [{ what: 'add', backend, name, role: 'open', target }]
  if (determined && (!found || found.maintenance)) return [...add, { what: 'open', backend, name }]
  return found?.draining ? [{ what: 'ready', backend, name }] : add
}

function planDraining(backend: Backend, target: Target, running: RunningServer[]): TargetPlan {
  const found = Object.values(serversOf(target, running))
  return {
    actions: found
      .filter((server) => !server.maintenance && !server.draining)
      .map(({ name }) => ({ what: 'drain', backend, name })),
    servers: [],
    // A stand-in that never was open has nothing in flight, but goes with its target, not before.
    kept: found.map(({ name }) => name),
  }
}
