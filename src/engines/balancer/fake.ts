// A balancer in memory. The world outlives the control plane: a new life makes a new engine on the same world. Health
// is worked out from timestamps when somebody asks, so that nothing ticks: the virtual clock may leap.
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import { certificateFor, certificatesOf } from './certificates.ts'
import { checkModel } from './check-model.ts'
import { sharesOf, targetGroupIdsOf } from './actions.ts'
import { clientRanges, letsIn } from './clients.ts'
import type {
  Action,
  BalancerEngine,
  BalancerModel,
  Listener,
  LoadBalancer,
  Target,
  TargetGroup,
  RequestEntry,
  TargetObservation,
  TrafficCounters,
} from './engine.ts'
import { errorBody, pageOf, unknownHostBody } from './error-pages.ts'
import { ownPortsOf } from './own-ports.ts'
import { FakeTarget, isStaying, stayingCookies } from './fake-target.ts'
import { entryOf } from './fake-entries.ts'
import { noTraffic, ofBalancer } from './traffic.ts'
import { hasPublicHttp } from './wanted-ports.ts'
import { answerOf, ruleFor, type FakeAnswer, type MatchedRequest } from './match.ts'
import { bindsOf, describeTaken, isServedPublicly, publicPortOf, wantedPorts } from './wanted-ports.ts'

const noSuchHost = (body: string): FakeAnswer => ({ status: 404, targetId: null, headers: {}, body })
const nobodyServes = (body: string): FakeAnswer => ({ ...noSuchHost(body), status: 503 })
/** The name itself, else the longest wildcard that covers it. */
const nameFor = (asked: string, hosts: string[]): string | undefined =>
  hosts.includes(asked)
    ? asked
    : hosts
        .filter((host) => host.startsWith('*.') && asked.endsWith(host.slice(1)))
        .sort((a, b) => b.length - a.length)[0]
const isOfLoopback = (address: string) => address.startsWith('127.') || address === '::1'
const LOOPBACK = { ipv6: false, public: [] }

/** Few, so that there often are more. */
const ENTRIES_AT_ONCE = 20
/** As the real one keeps its log: then the older half goes. */
const ENTRIES_MAX = 100_000

/** `never`: the deed is done, its answer never comes. */
export type BalancerFault = 'error before' | 'error after' | 'never' | 'cannot see'

export type FakeBalancerOptions = {
  clock: Clock
  /** The status that a target answers now; null = it cannot be reached. */
  probe(address: string, port: number): number | null
  /** Where port 80 of public listeners is served. */
  httpPort?: number
}

export type FakeRequest = (
  | { host: string; listenerPort?: number; from?: string }
  | { loopbackPort: number; from?: string }
  | { address: string; port: number }
  | { elasticAddress: string; port: number; from?: string }
) &
  /** With the query in the path; names of headers in lower case. */
  Partial<Pick<MatchedRequest, 'path' | 'method' | 'headers'>> & {
    /** It stands for so many requests that go the same way. */
    times?: number
    /** By HTTPS, asking for the host's certificate. Its usual listener port is 443. */
    tls?: boolean
  }

export type FakeBalancerWorld = {
  /** `own`: the clock of the life that uses it; what is under way when that dies never happens. */
  engine(own?: Clock): BalancerEngine
  /** What is carried now. */
  model(): BalancerModel
  /** One request of a client, from 127.0.0.1 unless told. Throws when its connection is refused. */
  request(request: FakeRequest): FakeAnswer
  /** Another program listens on a port of the machine from now on; null = it has gone. */
  occupy(port: number, by: string | null): void
  /** The balancer's process dies and returns with the same model; its counters start again. */
  kill(): void
  /** The machine starts anew: nothing is carried until the next `apply`. */
  reboot(): void
  /** Another machine takes over, which knows of no requests. */
  replace(): void
  /** Asked before each call of the engine; what it answers goes wrong. */
  fault: (call: 'apply' | 'observe') => BalancerFault | undefined
  /** Passes before the effect of a call. */
  latencyMs: () => number
}

type Counts = {
  requests: number
  byClass: number[]
  balancer5xx: number
  redirects: number
  fixedResponses: number
  /** Of those two. */
  byCode: Record<number, number>
}
const noCounts = (): Counts => ({
  ...{ requests: 0, byClass: [0, 0, 0, 0, 0, 0], balancer5xx: 0, redirects: 0, fixedResponses: 0 },
  byCode: {},
})

export function makeFakeBalancerWorld({
  clock,
  probe,
  httpPort = 80,
}: FakeBalancerOptions): FakeBalancerWorld {
  let model: BalancerModel = { loadBalancers: [], targetGroups: [] }
  let targets = new Map<string, FakeTarget>()
  let counts = new Map<string, Counts>()
  const others = new Map<number, string>()
  /** What others had when the model was applied. */
  let leftOut = new Map<string, string>()
  let boots = 1
  let isCarrying = false
  let turn = 0
  let draws = 0
  /** Of each request that was answered; positions count them, on each machine anew. */
  let entries: RequestEntry[] = []
  let forgotten = 0
  let machine = 1

  const secured = (
    { tls = false, ...request }: FakeRequest,
    listener: Listener,
    answer: FakeAnswer,
  ): FakeAnswer => {
    if (tls !== (listener.tls !== undefined)) throw new Error('they do not speak the same protocol')
    if (!listener.tls) return answer
    const name = 'host' in request ? request.host : 'any.example'
    return { ...answer, certificateId: certificateFor(listener.tls, name, certificatesOf(model)) }
  }
  const publicPort = (port: number) => publicPortOf(httpPort, port)
  const keyOf = (group: TargetGroup, { id, address, port }: Target) => [group.id, id, address, port].join(' ')
  const pairOf = ({ id }: LoadBalancer, group: TargetGroup) => `${id} to ${group.id}`
  const targetOf = (group: TargetGroup, target: Target) => targets.get(keyOf(group, target))!
  const countsOf = (key: string) => counts.get(key) ?? counts.set(key, noCounts()).get(key)!

  const carry = (next: BalancerModel) => {
    checkModel(next)
    isCarrying = true
    const before = targets
    model = structuredClone(next)
    leftOut = new Map(
      [...others].flatMap(([port, by]) =>
        bindsOf({ port, listenerPort: null, elastic: [] }, LOOPBACK).map((bind) => [
          bind,
          `is taken by ${by}`,
        ]),
      ),
    )
    targets = new Map(
      model.targetGroups.flatMap((group) =>
        group.targets.map((target) => {
          const key = keyOf(group, target)
          const known = before.get(key) ?? new FakeTarget(group.healthCheck, clock.monotonic())
          known.check = group.healthCheck
          return [key, known] as const
        }),
      ),
    )
  }

  const look = () => {
    for (const group of model.targetGroups)
      for (const target of group.targets) {
        const port = group.healthCheck?.port ?? target.port
        targetOf(group, target).advance(clock.monotonic(), probe(target.address, port))
      }
  }

  // AWS: healthy targets; when there is none, every target that had its first checks.
  const choose = (group: TargetGroup, cookies: string): Target | undefined => {
    const able = group.targets.filter((target) => !target.draining)
    const healthy = able.filter((target) => targetOf(group, target).health === 'healthy')
    const kept = healthy.find((target) => isStaying(group, target, cookies))
    if (kept) return kept
    const open = able.filter((target) => targetOf(group, target).health !== 'initial')
    const from = healthy.length > 0 ? healthy : open
    return from[turn++ % Math.max(1, from.length)]
  }

  const serve = (
    loadBalancer: LoadBalancer,
    listener: Listener,
    request: MatchedRequest,
    clientPort: number,
    { isOutside, times }: { isOutside: boolean; times: number },
  ): FakeAnswer => {
    const { action, priority = 0 } = ruleFor(listener, request)
    const own = countsOf(loadBalancer.id)
    const note = (answer: FakeAnswer, group?: TargetGroup, target?: Target) => {
      const to = {
        ...{ loadBalancer, listener, request, action, priority, answer, group, target, times },
        at: clock.now(),
      }
      entries.push(entryOf(to))
      if (entries.length > ENTRIES_MAX) forgotten += entries.splice(0, ENTRIES_MAX / 2).length
      return answer
    }
    if (action.type !== 'forward') {
      own[action.type === 'redirect' ? 'redirects' : 'fixedResponses'] += times
      own.byCode[action.statusCode] = (own.byCode[action.statusCode] ?? 0) + times
      const port = isOutside ? publicPort : (port: number) => port
      return note(answerOf(action, request, listener.tls ? 'https' : 'http', clientPort, port))
    }
    own.requests += times
    const cookie = /(?:^|; )AWSALBTG=([^;]*)/.exec(request.headers['cookie'] ?? '')?.[1]
    const chosen = chooseGroup(action, cookie)
    const group = model.targetGroups.find(({ id }) => id === chosen)
    const target = group && choose(group, request.headers['cookie'] ?? '')
    const status = (target && probe(target.address, target.port)) ?? null
    const between = group ? [countsOf(pairOf(loadBalancer, group))] : []
    const all = [own, ...between, ...(group && target ? [countsOf(keyOf(group, target))] : [])]
    for (const counts of all.slice(1)) counts.requests += times
    for (const counts of all)
      if (status === null) counts.balancer5xx += times
      else counts.byClass[Math.floor(status / 100)]! += times
    if (!group || !target || status === null) {
      // Another proxy's client is not on this machine, wherever the proxy is.
      const isHere = isOutside && isOfLoopback(request.from) && !('x-forwarded-for' in request.headers)
      const body = group
        ? errorBody(503, { page: pageOf(loadBalancer, group) }, isHere)
        : errorBody(503, { page: null }, false)
      return note(nobodyServes(body), group, target)
    }
    const set = request.headers['x-sets-cookie']
    const cookies = [
      ...(set === undefined ? [] : [set]),
      ...(action.stickySeconds === null ? [] : [`AWSALBTG=${chosen}`]),
      ...stayingCookies(group, target, set ?? ''),
    ]
    const headers: Record<string, string> = cookies.length === 0 ? {} : { 'set-cookie': cookies.join(',') }
    return note({ status, targetId: target.id, targetPort: target.port, body: '', headers }, group, target)
  }

  /** One connection, on which something is asked. */
  const connect = (loadBalancer: LoadBalancer, listener: Listener): FakeAnswer => {
    const [chosen] = targetGroupIdsOf(listener)
    const group = model.targetGroups.find(({ id }) => id === chosen)
    const target = group && choose(group, '')
    countsOf(loadBalancer.id).requests++
    if (group) countsOf(pairOf(loadBalancer, group)).requests++
    if (group && target) countsOf(keyOf(group, target)).requests++
    const status = (target && probe(target.address, target.port)) ?? null
    if (!target || status === null) throw new Error('the connection is closed')
    return { status, targetId: target.id, body: '', headers: {} }
  }

  const chooseGroup = (action: Action & { type: 'forward' }, cookie: string | undefined) => {
    const shares = sharesOf(action)
    const kept = action.stickySeconds !== null && shares.find((one) => one.targetGroupId === cookie)
    if (kept) return kept.targetGroupId
    const ticket =
      draws++ %
      Math.max(
        1,
        shares.reduce((sum, { weight }) => sum + weight, 0),
      )
    let passed = 0
    return shares.find(({ weight }) => ticket < (passed += weight))?.targetGroupId
  }

  const call = async <T>(own: Clock, what: 'apply' | 'observe', effect: () => T): Promise<T> => {
    const latencyMs = world.latencyMs()
    if (latencyMs > 0) await own.sleep(latencyMs)
    const fault = world.fault(what)
    if (fault === 'error before' || fault === 'cannot see') throw new EngineError(`${what}: ${fault}`)
    const answer = effect()
    if (fault === 'error after') throw new EngineError(`${what}: ${fault}`)
    if (fault === 'never') await new Promise(() => undefined)
    return answer
  }

  const observeTarget = (group: TargetGroup, target: Target): TargetObservation => ({
    targetGroupId: group.id,
    targetId: target.id,
    port: target.port,
    ...(target.draining
      ? {
          health: 'draining',
          reason: 'Target.DeregistrationInProgress',
          description: 'Target deregistration is in progress',
        }
      : targetOf(group, target).describe()),
    current: 0,
  })

  // Groups that no listener names are not carried, so nothing is known of their targets.
  const carriedGroups = () => {
    const named = new Set(model.loadBalancers.flatMap(({ listeners }) => listeners.flatMap(targetGroupIdsOf)))
    return model.targetGroups.filter(({ id }) => named.has(id))
  }

  const figures = (key: string) => {
    const { requests, byClass } = countsOf(key)
    const [, , target2xx = 0, target3xx = 0, target4xx = 0, target5xx = 0] = byClass
    const common = {
      boot: `boot-${boots}`,
      at: clock.now(),
      requests,
      bytesIn: 0,
      bytesOut: 0,
      connections: requests,
      responseTimeAverageMs: 1,
    }
    return { ...common, target2xx, target3xx, target4xx, target5xx }
  }

  const traffic = (): TrafficCounters[] =>
    model.loadBalancers.flatMap((loadBalancer) => {
      const { id, listeners } = loadBalancer
      const named = new Set(listeners.flatMap(targetGroupIdsOf))
      const groups = model.targetGroups.filter((group) => named.has(group.id))
      const { redirects, fixedResponses, byCode } = countsOf(id)
      const answered = { id, targetGroupId: null, ...noTraffic(), redirects, fixedResponses }
      for (const [code, count] of Object.entries(byCode))
        for (const [name, some] of Object.entries(ofBalancer(Number(code), count)))
          answered[name as 'balancer4xx'] += some
      return [
        ...groups.map((group) => {
          const {
            boot: _boot,
            at: _at,
            responseTimeAverageMs: _time,
            bytesIn,
            bytesOut,
            ...counted
          } = figures(pairOf(loadBalancer, group))
          const { balancer5xx } = countsOf(pairOf(loadBalancer, group))
          const bytes = bytesIn + bytesOut
          return { id, targetGroupId: group.id, ...noTraffic(), ...counted, bytes, balancer5xx }
        }),
        answered,
      ]
    })

  const requireLetIn = (listener: Listener | undefined, from = '127.0.0.1') => {
    if (!letsIn(listener?.clients ?? [], from)) throw new Error(`${from} is not let in`)
  }

  const taken = () => describeTaken(wantedPorts(model, publicPort), leftOut, LOOPBACK)
  /** `port`: of the loopback, where it is no listener's. */
  const isTaken = (id: string, listenerPort: number | null, port?: number) =>
    taken().some(
      (one) =>
        one.id === id && one.listenerPort === listenerPort && (port === undefined || one.port === port),
    )
  const world: FakeBalancerWorld = {
    engine: (own = clock) => ({
      publicPort,
      apply: (next) => call(own, 'apply', () => carry(next)),
      observe: () =>
        call(own, 'observe', () => {
          look()
          const all = carriedGroups().flatMap((group) => group.targets.map((target) => ({ group, target })))
          return {
            targets: all.map(({ group, target }) => observeTarget(group, target)),
            counters: model.loadBalancers.map(({ id }) => {
              const { balancer5xx, redirects, fixedResponses } = countsOf(id)
              return {
                id,
                ...figures(id),
                balancer4xx: 0,
                balancer5xx,
                redirects,
                fixedResponses,
                current: 0,
              }
            }),
            targetCounters: all.map(({ group, target }) => ({
              targetGroupId: group.id,
              targetId: target.id,
              port: target.port,
              ...figures(keyOf(group, target)),
            })),
            taken: taken(),
          }
        }),
      traffic: () =>
        call(own, 'observe', () =>
          isCarrying ? { boot: `boot-${boots}`, at: clock.now(), counters: traffic() } : null,
        ),
      requests: (after) =>
        call(own, 'observe', () => {
          const [where, read] = (after ?? `${machine} 0`).split(' ').map(Number)
          const unread = where === machine ? (read ?? 0) - forgotten : -1
          const from = Math.max(0, unread)
          const end = Math.min(entries.length, from + ENTRIES_AT_ONCE)
          return {
            entries: structuredClone(entries.slice(from, end)),
            ...{ position: `${machine} ${forgotten + end}`, more: end < entries.length, lost: unread < 0 },
          }
        }),
      clients: () =>
        call(own, 'observe', () =>
          model.loadBalancers.flatMap(({ id, listeners }) =>
            listeners.map(({ port, clients }) => ({
              ...{ id, listenerPort: port, clients: clientRanges(clients) },
            })),
          ),
        ),
    }),
    model: () => structuredClone(model),
    request: (request) => {
      look()
      const { loadBalancers } = model
      const { path = '/', method = 'GET', headers = {}, times = 1 } = request
      const from = ('from' in request ? request.from : undefined) ?? '127.0.0.1'
      const matched = { host: 'host' in request ? request.host : 'any.example', path, method, headers, from }
      if ('loopbackPort' in request) {
        const own = loadBalancers
          .flatMap((one) => ownPortsOf(one).map((ownPort) => ({ found: one, ...ownPort })))
          .find(({ port }) => port === request.loopbackPort)
        if (!own || isTaken(own.found.id, null, own.port))
          throw new Error(`nobody listens on ${request.loopbackPort}`)
        const { found, listener } = own
        requireLetIn(listener, request.from)
        if (listener && found.isNetwork) return connect(found, listener)
        if (!listener) return nobodyServes(errorBody(503, { page: null }, false))
        const how = { isOutside: true, times }
        return secured(request, listener, serve(found, listener, matched, request.loopbackPort, how))
      }
      const port = 'port' in request ? request.port : (request.listenerPort ?? (request.tls ? 443 : 80))
      const network = loadBalancers.find(
        ({ id, isNetwork, address, internetFacing, listeners }) =>
          isNetwork &&
          listeners.some((one) => one.port === port) &&
          ('address' in request
            ? address === request.address
            : 'host' in request && internetFacing && !isTaken(id, port)),
      )
      if (network) {
        const own = network.listeners.find((one) => one.port === port)!
        if (!('address' in request)) requireLetIn(own, from)
        return connect(network, own)
      }
      const ofHttp = loadBalancers.filter(({ isNetwork }) => !isNetwork)
      const asked = 'host' in request ? request.host : ''
      const name = nameFor(
        asked,
        ofHttp.filter(({ internetFacing }) => internetFacing).flatMap(({ hosts }) => hosts),
      )
      const found = ofHttp.find(({ hosts, address, elasticAddress, internetFacing, listeners }) => {
        const isMeant =
          'address' in request
            ? elasticAddress === null && address === request.address
            : 'host' in request
              ? internetFacing && name !== undefined && hosts.includes(name)
              : elasticAddress === request.elasticAddress
        return isMeant && listeners.some((listener) => listener.port === port)
      })
      const listener = found?.listeners.find((one) => one.port === port)
      const isOutside = !('address' in request)
      const unknown = unknownHostBody(isOutside && isOfLoopback(from) ? (model.unknownHost ?? '') : '')
      const challenge = model.challenges?.find(({ path }) => path === matched.path)
      if (challenge && 'host' in request && port === 80 && hasPublicHttp(model))
        return { status: 200, targetId: null, headers: {}, body: challenge.body }
      if (!found || !listener) return noSuchHost(unknown)
      if ('host' in request && isServedPublicly(model, listener) && isTaken(found.id, port))
        throw new Error(`nobody listens on ${port}`)
      if (!('address' in request)) requireLetIn(listener, request.from)
      if (isOutside && !isServedPublicly(model, listener)) return noSuchHost(unknown)
      const answer = serve(found, listener, matched, isOutside ? publicPort(port) : port, {
        ...{ isOutside, times },
      })
      return secured(request, listener, answer)
    },
    occupy: (port, by) => void (by === null ? others.delete(port) : others.set(port, by)),
    kill: () => {
      boots++
      counts = new Map()
    },
    reboot: () => {
      world.kill()
      targets = new Map()
      isCarrying = false
      model = { loadBalancers: [], targetGroups: [] }
    },
    replace: () => {
      world.reboot()
      entries = []
      forgotten = 0
      machine++
    },
    fault: () => undefined,
    latencyMs: () => 0,
  }
  return world
}
