// Which clients outside of the VPC a listener takes, by their own addresses. Pure.
import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** Ranges of one family as a map of HAProxy's, which answers `1` for an address within. */
export type ClientMaps = { 4: string; 6: string }

/** IPv4 and IPv6 apart: HAProxy looks for an IPv4 address among IPv6 ranges too, as one that is mapped. */
export function clientMaps(ranges: string[]): ClientMaps {
  const of = (wantsIpv6: boolean) => clientRanges(ranges).filter((range) => range.includes(':') === wantsIpv6)
  const lines = (list: string[]) => list.map((range) => `${range} 1\n`).join('')
  return { 4: lines(of(false)), 6: lines(of(true)) }
}

/** A listener's ranges as they are enforced: sorted, each once. */
export const clientRanges = (ranges: string[]): string[] => [...new Set(withLoopback(ranges))].sort()

/** Of `show map`: `0x55d0… 10.0.0.0/8 1`. */
export const rangesOfMap = (shown: string): string[] =>
  shown.split('\n').flatMap((line) => /^0x[0-9a-f]+ (\S+) 1$/.exec(line.trim())?.[1] ?? [])

/** What a listener's ranges mean. */
export const letsIn = (ranges: string[], address: string): boolean => holds(withLoopback(ranges), address)

// A browser asks for *.localhost at ::1 first. Whoever does is this machine, as at 127.0.0.1.
const withLoopback = (ranges: string[]): string[] =>
  holds(ranges, '127.0.0.1') ? [...ranges, '::1/128'] : ranges

/** `10.0.0.0/8`, `2001:db8::/32`. */
export function isRange(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/')
  const bitsMax = isIPv4(address) ? 32 : isIPv6(address) && !address.includes('%') ? 128 : -1
  return more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax
}

/** Whether an address lies in one of the ranges; an IPv4 one in none of IPv6. */
export function holds(ranges: string[], address: string): boolean {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  for (const range of ranges) {
    const [base = '', bits = ''] = range.split('/')
    if (isIPv6(base) === (family === 'ipv6')) list.addSubnet(base, Number(bits), family)
  }
  return list.check(address, family)
}

/** HAProxy's lines: `verb` meets whose address is not in the map of its family. */
export const refusals = (verb: string, map: string, condition: string): string[] => {
  const met = condition === '' ? verb : `${verb} if ${condition}`
  const and = condition === '' ? ' if' : ''
  return [
    `  ${met}${and} { src -m sub : } !{ src,map_ip(${map}-6.map) -m found }`,
    `  ${met}${and} !{ src -m sub : } !{ src,map_ip(${map}-4.map) -m found }`,
  ]
}
