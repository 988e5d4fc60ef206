// CIDR blocks as AWS keeps them: bits of the host are cleared, IPv6 is written as RFC 5952 has it.
import { isIPv4, isIPv6 } from 'node:net'
import { DeclaredError } from '../../kernel/errors.ts'

/** `100.68.0.18/18` → `100.68.0.0/18`. Throws `InvalidParameterValue` for what is none. */
export function canonicalCidr(given: string | undefined, version: 4 | 6): string {
  const malformed = () =>
    new DeclaredError('InvalidParameterValue', `CIDR block ${printable(given ?? '')} is malformed`)
  const [address = '', bits = '', ...rest] = (given ?? '').split('/')
  const valid = version === 4 ? isIPv4(address) : isIPv6(address) && !address.includes('%')
  const width = version === 4 ? 32 : 128
  if (!valid || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > width) throw malformed()
  const host = BigInt(width - Number(bits))
  const network = (numberOf(address, version) >> host) << host
  return `${addressOf(network, version)}/${bits}`
}

function numberOf(address: string, version: 4 | 6): bigint {
  if (version === 4) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
  const [head = '', tail] = canonical6(address).split('::')
  const words = (text: string | undefined) => (text ? text.split(':') : [])
  const [first, last] = [words(head), words(tail)]
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0')
  return [...first, ...zeros, ...last].reduce((sum, word) => sum * 65_536n + BigInt(`0x${word}`), 0n)
}

function addressOf(number: bigint, version: 4 | 6): string {
  const parts = (count: number, size: bigint) =>
    Array.from(
      { length: count },
      (_unused, index) => (number >> (size * BigInt(count - 1 - index))) % 2n ** size,
    )
  if (version === 4) return parts(4, 8n).join('.')
  return canonical6(
    parts(8, 16n)
      .map((word) => word.toString(16))
      .join(':'),
  )
}

// The URL standard writes an IPv6 address as RFC 5952 does.
const canonical6 = (address: string) => new URL(`http://[${address}]`).hostname.slice(1, -1)

/** For an error's text: what was sent, without line breaks and the like. */
export const printable = (text: string) => text.slice(0, 100).replace(/[^\x20-\x7e]/g, '?')
