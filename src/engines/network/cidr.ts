// Which range a home takes: a /16 that no route of the machine and no other home touches.
import { createHash } from 'node:crypto'
import { EngineError } from '../../kernel/errors.ts'
import { runOk } from '../../kernel/process.ts'

/**
 * A free /16: of 10.0.0.0/8, where a VPN has all of that of 172.16.0.0/12, then of 100.64.0.0/10. `taken` are destinations as `ip route` writes them (`10.0.0.0/8`, `192.0.2.2`); `default` is
 * ignored. `start` (any integer) spreads homes, so that two that are never up together rarely choose the same.
 */
export function chooseCidr(taken: string[], start: number): string {
  const ranges = taken.flatMap((text) => parse(text) ?? [])
  for (const { firstByte, secondBytes } of POOLS)
    for (let index = 0; index < secondBytes.length; index++) {
      const cidr = `${firstByte}.${secondBytes[(Math.abs(start) + index) % secondBytes.length]}.0.0/16`
      if (!ranges.some((other) => overlap(parse(cidr)!, other))) return cidr
    }
  throw new EngineError(
    `no /16 of 10.0.0.0/8, 172.16.0.0/12 and 100.64.0.0/10 is free of this machine's routes: ${taken.join(', ')}`,
  )
}

/** A route as `ip -j route show table all` tells it. */
export type HostRoute = { dst?: string; dev?: string; table?: string; type?: string }

/**
 * Routes of the host that would take packets for `cidr`, equal or narrower ones; a wider one of the main table does not,
 * while one of another table (a VPN's) is asked before ours.
 */
export function conflictsWith(cidr: string, routes: HostRoute[], uplink: string): HostRoute[] {
  const own = parse(cidr)!
  return routes.filter(({ dst = '', dev, table = 'main' }) => {
    const range = parse(dst)
    if (!range || dev === uplink || !overlap(own, range)) return false
    const isWider = range.first < own.first || range.last > own.last
    return !isWider || !['main', 'local', 'default'].includes(table)
  })
}

export function describeConflict(cidr: string, { dst, dev, table, type }: HostRoute): string {
  const words = [type, dst, dev && `dev ${dev}`, table && `table ${table}`].filter(Boolean).join(' ')
  return (
    `This machine's route ${words} overlaps the range ${cidr} of this home, so its instances cannot be reached. ` +
    `Run: ip route del ${words} (or keep the route and make another home, with POLEBEAN_HOME)`
  )
}

/** The range for a new home, chosen once and kept with it. */
export async function chooseFreeCidr(homeId: string): Promise<string> {
  return chooseCidr(await hostRoutes(), createHash('sha256').update(homeId).digest().readUInt16BE())
}

/** Destinations of all of the machine's routes, every table. */
export const hostRoutes = async (): Promise<string[]> =>
  (await readHostRoutes()).flatMap((route) => route.dst ?? [])

export async function readHostRoutes(): Promise<HostRoute[]> {
  return JSON.parse(await runOk(['ip', '-j', '-4', 'route', 'show', 'table', 'all'])) as HostRoute[]
}

// Left out: 10.0–10.63 (the ranges that people give to networks by hand), 96–111 and 244 (Kubernetes), 255.
const bytes = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_unused, index) => first + index)
const POOLS = [
  { firstByte: 10, secondBytes: [...bytes(64, 95), ...bytes(112, 243)] },
  { firstByte: 172, secondBytes: bytes(16, 31) },
  { firstByte: 100, secondBytes: bytes(64, 127) },
]

/** Whether two ranges have an address in common. */
export function overlaps(one: string, other: string): boolean {
  const [a, b] = [parse(one), parse(other)]
  return a !== undefined && b !== undefined && overlap(a, b)
}

type Addresses = { first: number; last: number }
const overlap = (one: Addresses, other: Addresses) => one.first <= other.last && other.first <= one.last

/** Undefined for what means "everything": the default route, and halves and the like that VPNs set in its place. */
function parse(text: string): Addresses | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(text)
  if (!match) return undefined
  const [a, b, c, d] = match.slice(1, 5).map(Number) as [number, number, number, number]
  if (Number(match[5] ?? 32) < 8) return undefined
  const size = 2 ** (32 - Number(match[5] ?? 32))
  const first = Math.floor((a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / size) * size
  return { first, last: first + size - 1 }
}
