// Which ports of this machine's loopback a model wants, and which of them cannot be had. Pure.
import type { BalancerModel, TakenPort } from './engine.ts'

/** One port on the loopback addresses; `listenerPort` null = a load balancer's own loopback port. */
export type HostPort = {
  port: number
  listenerPort: number | null
  loadBalancers: string[]
  /** Addresses of loopback that serve this port besides, and whose they are. */
  elastic: { address: string; id: string }[]
}

/** An address and port as HAProxy writes it: `127.0.0.1:8080`, `[::1]:8080`. */
export type Bind = string

/** Where HAProxy shall listen on the host. */
export type HostAddresses = {
  /** Whether ::1 exists on the host. */
  ipv6: boolean
  /** Besides loopback, for listeners of port 80: IPv4 and IPv6 addresses, also 0.0.0.0 and ::, in their usual spelling. */
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
  const open = listenerPort === 80 ? addresses.map(bindOf) : []
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
 * Each port once. Two of the model's own wishes may meet on one port: port 80 is served first, then loopback ports, which
 * environments have for good, then other listeners. Who comes too late is in `unserved`.
 */
export function wantedPorts(
  model: BalancerModel,
  publicPort: (listenerPort: number) => number,
): { wanted: HostPort[]; unserved: TakenPort[] } {
  const wishes = [...publicWishes(model), ...loopbackWishes(model)].sort((a, b) => rankOf(a) - rankOf(b))
  const wanted = new Map<number, HostPort>()
  const unserved: TakenPort[] = []
  for (const { listenerPort, loadBalancers, elastic } of wishes) {
    const port = listenerPort === null ? loadBalancers.port : publicPort(listenerPort)
    const first = wanted.get(port)
    if (!first) wanted.set(port, { port, listenerPort, loadBalancers: loadBalancers.ids, elastic })
    else
      unserved.push(
        ...loadBalancers.ids.map((id) => ({
          id,
          listenerPort,
          port,
          reason:
            first.listenerPort === null
              ? `port ${port} already is the loopback port of ${first.loadBalancers[0]}`
              : `port ${port} already serves listener port ${first.listenerPort}`,
        })),
      )
  }
  return { wanted: [...wanted.values()], unserved }
}

type Wish = Pick<HostPort, 'listenerPort' | 'elastic'> & { loadBalancers: { port: number; ids: string[] } }

const rankOf = ({ listenerPort }: Wish) => (listenerPort === 80 ? 0 : listenerPort === null ? 1 : 2)

function publicWishes({ loadBalancers }: BalancerModel): Wish[] {
  const open = loadBalancers.filter(({ internetFacing }) => internetFacing)
  const ports = new Set(open.flatMap(({ listeners }) => listeners.map(({ port }) => port)))
  return [...ports]
    .sort((a, b) => a - b)
    .map((port) => {
      const users = open.filter(({ listeners }) => listeners.some((one) => one.port === port))
      const elastic = users.flatMap(({ id, elasticAddress: address }) =>
        address === null ? [] : { address, id },
      )
      return { listenerPort: port, loadBalancers: { port, ids: users.map(({ id }) => id) }, elastic }
    })
}

const loopbackWishes = ({ loadBalancers }: BalancerModel): Wish[] =>
  loadBalancers.flatMap(({ id, loopbackPort }) =>
    loopbackPort === null
      ? []
      : [{ listenerPort: null, loadBalancers: { port: loopbackPort, ids: [id] }, elastic: [] }],
  )

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
