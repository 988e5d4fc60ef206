// The balancer on HAProxy (design §4, §6). Targets come, drain and go over the runtime socket; listeners, load balancers
// and health checks by a reload that loses no connection. The files always say what is in force, so that HAProxy
// returns whole when it is killed, also while nobody is there to tell it.
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import { readFileIfAny } from '../../kernel/files.ts'
import type { Home } from '../../kernel/home.ts'
import type { Log } from '../../kernel/log.ts'
import { makeTurns } from '../../kernel/turns.ts'
import { namespaceOf } from '../network/ip.ts'
import type { Supervisor } from '../supervisor/engine.ts'
import { forwardTo } from './actions.ts'
import { certificateFile } from './certificates.ts'
import { checkModel } from './check-model.ts'
import { commandOf } from './commands.ts'
import { renderConfig, type Rendered, type Settings } from './config.ts'
import type { BalancerEngine, BalancerModel, BalancerObservation } from './engine.ts'
import { BindError, type Files, makeHaproxyProcess } from './haproxy-process.ts'
import { hasIpv6Loopback, takenBinds } from './host-ports.ts'
import { readLogLines } from './log-files.ts'
import { backendsOf } from './names.ts'
import { describeSeen } from './observe.ts'
import { type Action, planServers } from './plan.ts'
import { readClients } from './read-clients.ts'
import { replaceMaps } from './replace-maps.ts'
import { type LineNames, parseRequestLine, withNames } from './request-lines.ts'
import { parseServersState, parseStatistics, type RunningServer } from './running.ts'
import { ask, tell, word } from './socket.ts'
import type { Server } from './servers.ts'
import { gistOf, renderServerState } from './state-file.ts'
import { describeTraffic, TRAFFIC_QUESTION } from './traffic.ts'
import { userIfAny } from './user.ts'
import { type Bind, describeTaken, isWildcard, publicPortOf, wantedPorts } from './wanted-ports.ts'

/** What the balancer needs of the network; `Router` is one. */
export type BalancerNetwork = {
  names: { router: string; balancer: string; host: string }
  execIn(namespace: string, argv: string[]): string[]
  ensureBalancerAddresses(addresses: string[]): Promise<void>
}

export type HaproxyDeps = {
  clock: Clock
  log: Log
  home: Pick<Home, 'dir' | 'runDir' | 'ports'>
  supervisor: Supervisor
  network: BalancerNetwork
  /** Addresses of the host, besides loopback, for listeners of port 80; asked at each `apply`. Without it: none. */
  publicAddresses?: () => readonly string[]
}

export function makeHaproxy({
  clock,
  log,
  home,
  supervisor,
  network,
  publicAddresses = () => [],
}: HaproxyDeps): BalancerEngine {
  const filesMax = Math.min(hardFilesMax(), FILES_MAX)
  const dir = join(home.runDir, 'haproxy')
  const logDir = join(home.dir, 'log', 'haproxy')
  const publicPort = (port: number) => publicPortOf(home.ports.http, port)
  const ipv6 = hasIpv6Loopback()
  const addresses = () => ({ ipv6, public: publicAddresses() })
  const fixed: Omit<Settings, 'leftOut' | 'addresses'> = {
    dir,
    threads: Math.min(availableParallelism(), 64),
    // Two files a connection; the rest is for listeners, checks and what HAProxy keeps open between requests.
    connectionsMax: Math.floor((filesMax - Math.min(1_000, filesMax / 4)) * 0.45),
    user: userIfAny('haproxy'),
    hostNamespace: network.names.host,
    publicPort,
  }
  const haproxy = makeHaproxyProcess({
    clock,
    log,
    supervisor,
    dir,
    logDir,
    filesMax,
    keeps: REQUESTS_KEPT,
    wrap: (argv) => network.execIn(network.names.balancer, argv),
    namespace: network.names.balancer,
  })
  let leading = false // whether this engine has been told a model; who has not only looks
  const refusedAt = new Map<Bind, number>()
  let names: LineNames | undefined // of this life's models
  let isCarrying = false // whether a model was ever followed
  let joined = '' // what the network was last told in this life
  const inTurn = makeTurns()

  const inForce = (): BalancerModel | null => {
    const text = haproxy.read('model.json')
    const model = text ? (JSON.parse(text) as BalancerModel) : null
    for (const one of model?.certificates ?? []) one.pem = haproxy.read(certificateFile(one.id)) ?? ''
    for (const one of model?.loadBalancers ?? []) {
      // Of releases that knew none.
      one.elasticAddress ??= null
      for (const listener of one.listeners) {
        listener.rules ??= []
        listener.action ??= forwardTo((listener as { targetGroupId?: string | null }).targetGroupId ?? null)
      }
    }
    return model
  }

  const namesInForce = () => {
    const model = inForce()
    return model ? withNames(undefined, model) : undefined
  }

  /** What the configuration in force leaves out, and why. */
  const leftOutNow = () => new Map(JSON.parse(haproxy.read('left-out.json') || '[]') as [Bind, string][])
  const settingsWith = (leftOut: ReadonlyMap<Bind, string>): Settings => ({
    ...fixed,
    addresses: addresses(),
    leftOut: new Set(leftOut.keys()),
  })

  const readServers = async (): Promise<RunningServer[]> =>
    parseServersState(await ask(haproxy.adminSocket, 'show servers state'))

  const apply = async (model: BalancerModel) => {
    checkModel(model)
    leading = true
    // Before HAProxy follows it: lines are read at any time.
    names = withNames(names, model)
    const following = await haproxy.settled()
    await joinNetwork(model)
    const { servers } = planServers(backendsOf(model), following ? await readServers() : [])
    const refused = new Map<Bind, string>()
    let rendered: Rendered | undefined
    while (!rendered)
      try {
        rendered = await follow(model, servers, refused)
      } catch (error) {
        // Somebody was quicker than HAProxy, or the machine has no such address.
        const news = error instanceof BindError ? [...error.binds].filter(([bind]) => !refused.has(bind)) : []
        if (news.length === 0) throw error
        for (const [bind, why] of news) {
          refused.set(bind, why)
          refusedAt.set(bind, clock.monotonic())
        }
      }
    // Also when nothing was reloaded: the control plane may have died between a reload and this.
    haproxy.prune(filesOf(rendered))
    await changeMaps(rendered.maps)
    const refusedCertificate = await replaceCertificates(rendered)
    haproxy.write(new Map([['model.json', JSON.stringify(withoutKeys(model))]]))
    await followServers(model)
    await leaveNetwork(model)
    if (refusedCertificate) throw refusedCertificate
  }

  /** HAProxy follows the frame of `model`, without what others have of this machine's ports. */
  const follow = async (
    model: BalancerModel,
    servers: Server[],
    refused: ReadonlyMap<Bind, string>,
  ): Promise<Rendered> => {
    const following = await haproxy.settled() // a reload that failed is just being taken back
    let leftOut = new Map([...leftOutNow(), ...refused])
    let settings = settingsWith(leftOut)
    let rendered = renderConfig(model, settings, servers)
    if (following?.frame === rendered.frame && leftOut.size === 0) return rendered
    const doubtful = leftOut
    leftOut = await takenBinds(rendered.hostBinds, haproxy.isOurs)
    // Whether all addresses can be had cannot be tried beside our own loopback, and a reload that fails is not for each pass.
    for (const [bind, why] of doubtful)
      if (clock.monotonic() - (refusedAt.get(bind) ?? -Infinity) < REFUSED_MS && isWildcard(bind))
        leftOut.set(bind, why)
    settings = settingsWith(leftOut)
    rendered = renderConfig(model, settings, servers)
    const files = filesOf(rendered)
    files.set('left-out.json', JSON.stringify([...leftOut]))
    if (following?.frame === rendered.frame) {
      haproxy.write(new Map([['left-out.json', JSON.stringify([...leftOut])]])) // others may have it now
      return rendered
    }
    await haproxy.check((folder) => filesOf(renderConfig(model, { ...settings, dir: folder }, servers)))
    // As late as can be: a target that is found healthy after this is down again in the new worker, until it is checked.
    files.set('servers.state', renderServerState(servers, following ? await readServers() : []))
    if (following) await haproxy.reload(files, rendered.frame)
    else {
      haproxy.write(files)
      await haproxy.start(rendered.frame)
    }
    log.info(following ? 'balancer reloaded' : 'balancer started', { frame: rendered.frame })
    for (const [bind, why] of leftOut) log.warn('a port of this machine is left out', { bind, why })
    return rendered
  }

  /** Brings servers to what the model and their checks ask for, then writes the files that a restart would read. */
  const followServers = async (model: BalancerModel) => {
    const backends = backendsOf(model)
    const before = await readServers()
    const { actions } = planServers(backends, before)
    for (const action of actions) await perform(action)
    const running = actions.length > 0 ? await readServers() : before
    const { servers } = planServers(backends, running)
    const rendered = renderConfig(model, settingsWith(leftOutNow()), servers)
    await changeMaps(rendered.maps)
    // Certificates are written once HAProxy has taken them.
    haproxy.write(filesOf({ ...rendered, certificates: new Map() }))
    const state = renderServerState(servers, running)
    if (gistOf(state) !== gistOf(haproxy.read('servers.state') ?? ''))
      haproxy.write(new Map([['servers.state', state]]))
  }

  const perform = async (action: Action) => {
    const { line, quiet } = commandOf(action)
    const done = tell(haproxy.adminSocket, line, quiet)
    // A server that still holds connections cannot be deleted; it is in maintenance and goes at a later pass.
    await (action.what === 'delete' ? done.catch(() => undefined) : done)
  }

  const changeMaps = async (maps: Map<string, string>) => {
    const changed = new Map([...maps].filter(([name, content]) => haproxy.read(name) !== content))
    if (changed.size === 0) return
    const byPath = new Map([...changed].map(([name, content]) => [join(dir, name), content]))
    await replaceMaps(haproxy.adminSocket, byPath)
    haproxy.write(changed)
  }

  // Into the running worker: connections that are there go on (management.txt §9.3, "set ssl cert"). One that it does not
  // take keeps nobody else from theirs, and is tried again with the next model.
  const replaceCertificates = async ({ certificates }: Rendered): Promise<EngineError | undefined> => {
    let failure: EngineError | undefined
    for (const [name, pem] of certificates) {
      if (haproxy.read(name) === pem) continue
      const path = word(join(dir, name))
      const set = await ask(haproxy.adminSocket, `set ssl cert ${path} <<\n${pem.trim()}\n`)
      const said = await ask(haproxy.adminSocket, `commit ssl cert ${path}`)
      if (said.includes('Success')) haproxy.write(new Map([[name, pem]]))
      else {
        await ask(haproxy.adminSocket, `abort ssl cert ${path}`)
        failure = new EngineError(`HAProxy does not take ${name}: ${`${set}${said}`.trim()}`)
      }
    }
    return failure
  }

  // A namespace that was made anew, the router's or HAProxy's own, knows nothing of what the former one was told.
  const told = (addresses: string[]) => {
    const { router, balancer } = network.names
    return JSON.stringify([namespaceOf(router), namespaceOf(balancer), addresses])
  }

  const joinNetwork = async (model: BalancerModel) => {
    const addresses = [
      ...new Set([model, inForce()].flatMap((one) => one?.loadBalancers ?? []).map((lb) => lb.address)),
    ]
    if (joined === told(addresses)) return
    await network.ensureBalancerAddresses(addresses)
    joined = told(addresses)
  }

  const leaveNetwork = async (model: BalancerModel) => {
    const addresses = model.loadBalancers.map(({ address }) => address)
    const now = told(addresses)
    if (joined === now) return
    await network.ensureBalancerAddresses(addresses)
    joined = now
  }

  // In turn with changes: while a reload is under way, the worker that answers may not be the one that will serve.
  const observe = async (): Promise<BalancerObservation> => {
    const model = inForce()
    if (!model) return { targets: [], counters: [], targetCounters: [], taken: [] }
    if (leading) await followServers(model)
    const [following, running, statistics, old] = await Promise.all([
      haproxy.follows(),
      readServers(),
      ask(haproxy.adminSocket, 'show stat'),
      haproxy.oldStatistics(),
    ])
    if (!following) throw new EngineError('HAProxy does not answer')
    const seen = describeSeen(model, {
      running,
      statistics: parseStatistics(statistics),
      oldStatistics: old.flatMap(parseStatistics),
      boot: following.boot,
      at: clock.now(),
    })
    return { ...seen, taken: describeTaken(wantedPorts(model, publicPort), leftOutNow(), addresses()) }
  }

  return {
    publicPort,
    apply: makeCoalescing((model: BalancerModel) => inTurn('', () => apply(model))),

    observe: () => inTurn('', observe),
    // Not in turn: who counted is told, so a reload that is under way does no harm.
    traffic: async () => {
      isCarrying ||= haproxy.read('model.json') !== undefined
      names ??= namesInForce()
      if (!isCarrying || !names) return null
      const { boot, answer } = await haproxy.statistics(TRAFFIC_QUESTION)
      return describeTraffic(names, answer, { boot, at: clock.now() })
    },
    // Not in turn: it only reads files.
    requests: async (after) => {
      names ??= namesInForce()
      const { lines, ...read } = readLogLines(logDir, after, READ_BYTES)
      const known = names ?? withNames(undefined, NOTHING)
      return { ...read, entries: lines.flatMap((line) => parseRequestLine(line, known) ?? []) }
    },
    clients: () =>
      inTurn('', async () => {
        const model = inForce()
        return model ? readClients(haproxy.adminSocket, dir, model) : []
      }),
  }
}

/** Keys lie in the certificates' own files alone. */
const withoutKeys = (model: BalancerModel): BalancerModel => ({
  ...model,
  ...(model.certificates ? { certificates: model.certificates.map(({ id }) => ({ id, pem: '' })) } : {}),
})

const NOTHING: BalancerModel = { loadBalancers: [], targetGroups: [] }

/** Lines of requests are a third of a kilobyte: this is five minutes of a thousand a second. */
const REQUESTS_KEPT = { fileBytes: 4_000_000, files: 25 }
/** What one call reads at most. */
const READ_BYTES = 1_000_000

const FILES_MAX = 65_536
const REFUSED_MS = 60_000

/** One at a time; of those that wait only the newest is done, for all of them. */
function makeCoalescing<T>(work: (input: T) => Promise<void>): (input: T) => Promise<void> {
  let underWay: Promise<void> = Promise.resolve()
  let waiting: { input: T; done: Promise<void> } | null = null
  return (input) => {
    if (waiting) {
      waiting.input = input
      return waiting.done
    }
    const mine = { input, done: Promise.resolve() }
    waiting = mine
    mine.done = underWay.then(() => {
      waiting = null
      return work(mine.input)
    })
    underWay = mine.done.catch(() => undefined)
    return mine.done
  }
}

function filesOf({ config, maps, files, certificates }: Rendered): Files {
  return new Map([...maps, ...files, ...certificates, ['haproxy.cfg', config]])
}

// A root without CAP_SYS_RESOURCE cannot go above it, and HAProxy refuses to start when it wants more.
function hardFilesMax(): number {
  const [, hard = '1024'] =
    /^Max open files\s+\S+\s+(\S+)/m.exec(readFileIfAny('/proc/self/limits') ?? '') ?? []
  return hard === 'unlimited' ? FILES_MAX : Number(hard)
}
