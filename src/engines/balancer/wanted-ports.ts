// Which ports of this machine's loopback a model wants, and which of them cannot be had. Pure.
import type { BalancerModel, TakenPort } from './engine.ts'

/** One port on the loopback addresses; `listenerPort` null = a load balancer's own loopback port. */
export type HostPort = { port: number; listenerPort: number | null; loadBalancers: string[] }

/** An address and port as HAProxy writes it: `127.0.0.1:8080`, `[::1]:8080`. */
export type Bind = string

export const bindsOf = (port: number, ipv6: boolean): Bind[] => [
  `127.0.0.1:${port}`,
  ...(ipv6 ? [`[::1]:${port}`] : []),
]

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
  for (const { listenerPort, loadBalancers } of wishes) {
    const port = listenerPort === null ? loadBalancers.port : publicPort(listenerPort)
    const first = wanted.get(port)
    if (!first) wanted.set(port, { port, listenerPort, loadBalancers: loadBalancers.ids })
    else
      unserved.push(
        ...loadBalancers.ids.map((loadBalancerId) => ({
          loadBalancerId,
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

type Wish = { listenerPort: number | null; loadBalancers: { port: number; ids: string[] } }

const rankOf = ({ listenerPort }: Wish) => (listenerPort === 80 ? 0 : listenerPort === null ? 1 : 2)

function publicWishes({ loadBalancers }: BalancerModel): Wish[] {
  const open = loadBalancers.filter(({ internetFacing }) => internetFacing)
  const ports = new Set(open.flatMap(({ listeners }) => listeners.map(({ port }) => port)))
  return [...ports]
    .sort((a, b) => a - b)
    .map((port) => {
      const users = open.filter(({ listeners }) => listeners.some((one) => one.port === port))
      return { listenerPort: port, loadBalancers: { port, ids: users.map(({ id }) => id) } }
    })
}

const loopbackWishes = ({ loadBalancers }: BalancerModel): Wish[] =>
  loadBalancers.flatMap(({ id, loopbackPort }) =>
    loopbackPort === null ? [] : [{ listenerPort: null, loadBalancers: { port: loopbackPort, ids: [id] } }],
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

/** The socket that keeps somebody from listening at `bind`. `*` listens on both families. */
export function holderOf(bind: Bind, listening: Listening[]): Listening | undefined {
  const port = bind.slice(bind.lastIndexOf(':'))
  const any = bind.startsWith('[') ? '[::]' : '0.0.0.0'
  return listening.find(({ bind: other }) => [bind, `${any}${port}`, `*${port}`].includes(other))
}

/** `port 8080 is taken by nginx (pid 12)`; of one family only: `[::1]:8080 is taken by …`. */
export function describeTaken(
  { wanted, unserved }: ReturnType<typeof wantedPorts>,
  leftOut: ReadonlyMap<Bind, string>,
  ipv6: boolean,
): TakenPort[] {
  const taken = wanted.flatMap(({ port, listenerPort, loadBalancers }) => {
    const binds = bindsOf(port, ipv6)
    const missing = binds.filter((bind) => leftOut.has(bind))
    const [first] = missing
    if (first === undefined) return []
    const what = missing.length === binds.length ? `port ${port}` : first
    const reason = `${what} ${leftOut.get(first)}`
    return loadBalancers.map((loadBalancerId) => ({ loadBalancerId, listenerPort, port, reason }))
  })
  return [...taken, ...unserved]
}
