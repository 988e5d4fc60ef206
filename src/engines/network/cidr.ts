// Which range a home takes: a /16 that no route of the machine and no other home touches.
import { createHash } from 'node:crypto'
import { EngineError } from '../../kernel/errors.ts'
import { runOk } from '../../kernel/process.ts'

/**
 * A free 10.x.0.0/16. `taken` are destinations as `ip route` writes them (`10.0.0.0/8`, `192.0.2.2`); `default` is
 * ignored. `start` (any integer) spreads homes, so that two that are never up together rarely choose the same.
 */
export function chooseCidr(taken: string[], start: number): string {
  const ranges = taken.flatMap((text) => parse(text) ?? [])
  for (let index = 0; index < SECOND_BYTES.length; index++) {
    const cidr = `10.${SECOND_BYTES[(Math.abs(start) + index) % SECOND_BYTES.length]}.0.0/16`
    const range = parse(cidr)!
    if (!ranges.some((other) => range.first <= other.last && other.first <= range.last)) return cidr
  }
  throw new EngineError(`no 10.x.0.0/16 is free of this machine's routes: ${taken.join(', ')}`)
}

/** The range for a new home, chosen once and kept with it. */
export async function chooseFreeCidr(homeId: string): Promise<string> {
  return chooseCidr(await hostRoutes(), createHash('sha256').update(homeId).digest().readUInt16BE())
}

/** Destinations of all of the machine's routes, every table. */
export async function hostRoutes(): Promise<string[]> {
  const routes = JSON.parse(await runOk(['ip', '-j', '-4', 'route', 'show', 'table', 'all'])) as {
    dst?: string
  }[]
  return routes.flatMap((route) => route.dst ?? [])
}

// Left out: 10.0–10.63 (the ranges that people give to networks by hand), 96–111 and 244 (Kubernetes), 255.
const SECOND_BYTES = Array.from({ length: 180 }, (_unused, index) => index + 64).filter(
  (byte) => byte < 96 || (byte > 111 && byte < 244),
)

function parse(text: string): { first: number; last: number } | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(text)
  if (!match) return undefined
  const [a, b, c, d] = match.slice(1, 5).map(Number) as [number, number, number, number]
  const size = 2 ** (32 - Number(match[5] ?? 32))
  const first = Math.floor((a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / size) * size
  return { first, last: first + size - 1 }
}
