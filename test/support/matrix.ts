// Every pair of hosts of a home, on real connections, against what the oracle expects.
import { runProgram } from './home.ts'
import type { Host } from './hosts.ts'
import { type Group, may, type Place, type Protocol } from './oracle.ts'

export type Port = readonly [Protocol, number]
export type World = {
  /** By group id, as the test granted it. */
  groups: Map<string, Group>
  /** By the name that the test gives it. */
  places: Map<string, Place>
  /** Those that run; whoever is missing answers nobody and asks nobody. */
  hosts: Map<string, Host>
}
export type Seen = { cell: string; wanted: boolean; open: boolean }

const CLOSED_AFTER_MS = 400
/** Who is to be let in has time, on a busy machine too. */
const OPEN_WITHIN_MS = 3_000

export function expected({ groups, places, hosts }: World, from: string, to: string, port: Port): boolean {
  return hosts.has(from) && hosts.has(to) && may(groups, places.get(from)!, places.get(to)!, ...port)
}

/** Whether a connection opens now (tcp), or a word is answered (udp). */
export async function probe(
  { places, hosts }: World,
  from: string,
  to: string,
  [protocol, port]: Port,
  timeoutMs = CLOSED_AFTER_MS,
): Promise<boolean> {
  const { kind, address } = places.get(from)!
  const own = kind === 'balancer' ? { from: address } : {}
  const target = places.get(to)!.address
  const order = { what: 'probe', protocol, address: target, port, timeoutMs, ...own } as const
  return (await hosts.get(from)!.ask(order)) === 'open'
}

export async function seenCells(world: World, ports: readonly Port[]): Promise<Seen[]> {
  const cells = pairsOf(world).flatMap(([from, to]) => ports.map((port) => ({ from, to, port })))
  return Promise.all(
    cells.map(async ({ from, to, port }) => {
      const wanted = expected(world, from, to, port)
      const open = await probe(world, from, to, port, wanted ? OPEN_WITHIN_MS : CLOSED_AFTER_MS)
      return { cell: `${from} → ${to} ${port.join(' ')}`, wanted, open }
    }),
  )
}

/** This machine and what is outside of it know each other without the home; balancers are one machine. */
function pairsOf({ places, hosts }: World): (readonly [string, string])[] {
  const isBeyond = (name: string) => ['outside', 'machine'].includes(places.get(name)!.kind)
  const isBalancer = (name: string) => places.get(name)!.kind === 'balancer'
  const asking = [...places.keys()].filter((name) => hosts.has(name))
  return asking.flatMap((from) =>
    [...places.keys()]
      .filter(
        (to) => to !== from && !(isBeyond(from) && isBeyond(to)) && !(isBalancer(from) && isBalancer(to)),
      )
      .map((to) => [from, to] as const),
  )
}

/** Whether an environment answers at a public socket, asked out of a namespace. */
export async function answers(
  prefix: string[],
  { address, port, name }: { address: string; port: number; name: string },
): Promise<boolean> {
  const argv = ['curl', '-s', '-o', '/dev/null', '-m', '5', '-w', '%{http_code}', '-H', `Host: ${name}`]
  return (await runProgram([...prefix, ...argv, `http://${address}:${port}/`])).stdout === '200'
}
