// Which ports of this machine's loopback a model wants, and which of them cannot be had. Pure.
import { ownPortsOf } from './own-ports.ts'
import type { BalancerModel, Listener, TakenPort } from './engine.ts'

/** One port on the loopback addresses; `listenerPort` null = a load balancer's own loopback port. */
export type HostPort = {
  port: number
  listenerPort: number | null
  tls: boolean
  /** Of one network load balancer alone. */
  network: boolean
  loadBalancers: string[]
  /** Addresses of loopback that serve this port besides, and whose they are. */
  elastic: { address: string; id: string }[]
}

/** Where a listener port is served on this machine, whose port for HTTP is `httpPort`: 8080 goes with 8443. */
export function publicPortOf(httpPort: number, listenerPort: number): number {
  if (httpPort === 80) return listenerPort
  const httpsPort = httpPort + 363 <= 65_535 ? httpPort + 363 : httpPort - 363
  return listenerPort === 80 ? httpPort : listenerPort === 443 ? httpsPort : listenerPort
}

/** An address and port as HAProxy writes it: `127.0.0.1:8080`, `[::1]:8080`. */
export type Bind = string

/** Where HAProxy shall listen on the host. */
export type HostAddresses = {
  /** Whether ::1 exists on the host. */
  ipv6: boolean
  /** Besides loopback, for listeners of ports 80 and 443: IPv4 and IPv6 addresses, also 0.0.0.0 and ::, in their usual spelling. */
  public: readonly string[]
}

/**
 * What one port of the model wants. A socket on all addresses of a family takes the place of that on loopback, which could
 * not be had beside it; when another program is in its way (`leftOut`), at least loopback is wanted.
 */
export function bindsOf(
  { port, listenerPort, elastic }: Pick<HostPort, 'port' | 'listenerPort' | 'elastic'>,
  { ipv6, public: addresses }: HostAddresses,
  leftOut: Pick<ReadonlySet<Bind>, 'has'> = new Set(),
): Bind[] {
  const bindOf = (address: string) => `${address.includes(':') ? `[${address}]` : address}:${port}`
  const open = listenerPort === 80 || listenerPort === 443 ? addresses.map(bindOf) : []
  const loopback = ['127.0.0.1', ...(ipv6 ? ['::1'] : [])].map(bindOf)
  const others = elastic.map(({ address }) => bindOf(address))
  const isCovered = (bind: Bind) => open.some((other) => other === wildcardOf(bind) && !leftOut.has(other))
  return [...new Set([...loopback, ...open, ...others])].filter(
    (bind) => isWildcard(bind) || !isCovered(bind),
  )
}

/** Whether it stands for all addresses of its family. */
export const isWildcard = (bind: Bind): boolean => bind === wildcardOf(bind)

/** Of an address the one that stands for all of its family, on the same port. */
function wildcardOf(bind: Bind): Bind {
  const port = bind.slice(bind.lastIndexOf(':'))
  return (bind.startsWith('[') ? '[::]' : '0.0.0.0') + port
}

/**
 * Each port once. Two of the model's own wishes may meet on one port: ports 80 and 443 are served first, then loopback ports,
 * which environments have for good, then other listeners. Who comes too late, or does not speak what the port speaks, is in
 * `unserved`.
 */
export function wantedPorts(
  model: BalancerModel,
  publicPort: (listenerPort: number) => number,
): { wanted: HostPort[]; unserved: TakenPort[] } {
  const listening = publicWishes(model)
  const wishes = [...listening.wishes, ...loopbackWishes(model)].sort((a, b) => rankOf(a) - rankOf(b))
  const wanted = new Map<number, HostPort>()
  const unserved: TakenPort[] = listening.plain.map(({ id, port: listenerPort }) => ({
    ...{ id, listenerPort, port: publicPort(listenerPort) },
    reason: `port ${publicPort(listenerPort)} serves ${listenerPort === 80 ? 'HTTP' : 'HTTPS'}`,
  }))
  for (const { listenerPort, tls, network, loadBalancers, elastic } of wishes) {
    const port = listenerPort === null ? loadBalancers.port : publicPort(listenerPort)
    const first = wanted.get(port)
    if (!first)
      wanted.set(port, { port, listenerPort, tls, network, loadBalancers: loadBalancers.ids, elastic })
    else
      unserved.push(
        ...loadBalancers.ids.map((id) => ({
          id,
          listenerPort,
          port,
          reason:
            first.listenerPort === null
              ? `port ${port} already is the loopback port of ${first.loadBalancers[0]}`
              : network || first.network
                ? `port ${port} already serves ${first.network ? first.loadBalancers[0] : 'HTTP'}`
                : `port ${port} already serves listener port ${first.listenerPort}`,
        })),
      )
  }
  return { wanted: [...wanted.values()], unserved }
}

type Wish = Pick<HostPort, 'listenerPort' | 'tls' | 'network' | 'elastic'> & {
  loadBalancers: { port: number; ids: string[] }
}

const rankOf = ({ listenerPort }: Wish) =>
  listenerPort === 80 || listenerPort === 443 ? 0 : listenerPort === null ? 1 : 2

/** Whether a load balancer's listener speaks what its public port does: HTTPS, once one there does, and never at port 80. */
export function isServedPublicly(model: BalancerModel, { port, tls }: Listener): boolean {
  return (tls !== undefined) === speaksTls(model, port)
}

/** Whether somebody is served by HTTP at port 80 of this machine: there challenges are answered. */
export const hasPublicHttp = (model: BalancerModel): boolean =>
  model.loadBalancers.some(
    ({ internetFacing, isNetwork, listeners }) =>
      internetFacing && !isNetwork && listeners.some(({ port, tls }) => port === 80 && tls === undefined),
  )

const speaksTls = ({ loadBalancers }: BalancerModel, port: number) =>
  port !== 80 &&
  loadBalancers.some(
    ({ internetFacing, isNetwork, listeners }) =>
      internetFacing &&
      !isNetwork &&
      listeners.some((listener) => listener.port === port && listener.tls !== undefined),
  )

function publicWishes(model: BalancerModel): { wishes: Wish[]; plain: { id: string; port: number }[] } {
  const facing = model.loadBalancers.filter(({ internetFacing }) => internetFacing)
  const open = facing.filter(({ isNetwork }) => !isNetwork)
  // After those of HTTP, which share their ports.
  const alone = facing
    .filter(({ isNetwork }) => isNetwork)
    .flatMap(({ id, listeners }) =>
      listeners.map(({ port }): Wish => ({
        ...{ listenerPort: port, tls: false, network: true, loadBalancers: { port, ids: [id] }, elastic: [] },
      })),
    )
  const ports = new Set(open.flatMap(({ listeners }) => listeners.map(({ port }) => port)))
  const plain: { id: string; port: number }[] = []
  const wishes = [...ports]
    .sort((a, b) => a - b)
    .map((port): Wish => {
      const users = open.filter(({ id, listeners }) => {
        const listener = listeners.find((one) => one.port === port)
        if (!listener) return false
        const isServed = isServedPublicly(model, listener)
        if (!isServed) plain.push({ id, port })
        return isServed
      })
      const elastic = users.flatMap(({ id, elasticAddress: address }) =>
        address === null ? [] : { address, id },
      )
      const tls = speaksTls(model, port)
      return {
        listenerPort: port,
        tls,
        network: false,
        loadBalancers: { port, ids: users.map(({ id }) => id) },
        elastic,
      }
    })
  return { wishes: [...wishes, ...alone], plain }
}

const loopbackWishes = ({ loadBalancers }: BalancerModel): Wish[] =>
  loadBalancers.flatMap((loadBalancer) => {
    const { id } = loadBalancer
    return ownPortsOf(loadBalancer).map(({ port, listener }) => ({
      listenerPort: null,
      tls: listener?.tls !== undefined,
      network: false,
      loadBalancers: { port, ids: [id] },
      elastic: [],
    }))
  })

/** A socket that listens, as `ss -Hltnp` shows it. */
export type Listening = { bind: string; holders: { name: string; pid: number }[] }

/** `LISTEN 0 511 127.0.0.1:18003 0.0.0.0:* users:(("node",pid=12,fd=18))` */
export function parseListening(text: string): Listening[] {
  return text.split('\n').flatMap((line) => {
    const [, , , local] = line.trim().split(/\s+/)
    if (!local) return []
    const holders = [...line.matchAll(/\("([^"]*)",pid=(\d+)/g)].map(([, name = '', pid]) => ({
      name,
      pid: Number(pid),
    }))
    return [{ bind: local.replace(/%[^:\]]*/, ''), holders }]
  })
}

/** The sockets that keep somebody from listening at `bind`. `*` listens on both families; all addresses are each of them. */
export function holdersOf(bind: Bind, listening: Listening[]): Listening[] {
  const port = bind.slice(bind.lastIndexOf(':'))
  const any = wildcardOf(bind)
  return listening.filter(({ bind: other }) =>
    bind === any
      ? other === `*${port}` || wildcardOf(other) === any
      : [bind, any, `*${port}`].includes(other),
  )
}

/** `port 8080 is taken by nginx (pid 12)`; of one address only: `[::1]:8080 is taken by …`. */
export function describeTaken(
  { wanted, unserved }: ReturnType<typeof wantedPorts>,
  leftOut: ReadonlyMap<Bind, string>,
  addresses: HostAddresses,
): TakenPort[] {
  const taken = wanted.flatMap((wish) => {
    const { port, listenerPort, loadBalancers, elastic } = wish
    const binds = bindsOf(wish, addresses, leftOut)
    const missing = binds.filter((bind) => leftOut.has(bind))
    const ownerOf = (bind: Bind) => elastic.find(({ address }) => bind === `${address}:${port}`)?.id
    const [first] = missing.filter((bind) => ownerOf(bind) === undefined)
    const what = missing.length === binds.length ? `port ${port}` : first
    const ofAll =
      first === undefined ? [] : loadBalancers.map((id) => ({ id, reason: `${what} ${leftOut.get(first)}` }))
    const ofOne = missing.flatMap((bind) => {
      const id = ownerOf(bind)
      return id === undefined ? [] : { id, reason: `${bind} ${leftOut.get(bind)}` }
    })
    return [...ofAll, ...ofOne].map(({ id, reason }) => ({ id, listenerPort, port, reason }))
  })
  return [...taken, ...unserved]
}
