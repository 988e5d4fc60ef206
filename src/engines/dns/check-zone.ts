// Whether a zone can be told to a name server. Pure.
import { isIPv4, isIPv6 } from 'node:net'
import { EngineError } from '../../kernel/errors.ts'
import { type Name, RECORD_TYPES, type RecordSet, type RecordType, type Zone } from './engine.ts'

const TTL_MAX = 2_147_483_647
const WEIGHT_MAX = 255
/** RFC 1035 §2.3.4. */
const NAME_LENGTH_MAX = 255
const VALUES_MAX = 400

/** @throws EngineError naming the record set. */
export function checkZone({ name, recordSets }: Zone): void {
  if (!isName(name) || name.startsWith('*')) throw new EngineError(`'${name}' is not the name of a zone`)
  const seen = new Set<string>()
  const names = Map.groupBy(recordSets, (set) => set.name)
  for (const set of recordSets) {
    const of = `${set.name} ${set.type}`
    const need = (is: boolean, what: string) => {
      if (!is) throw new EngineError(`zone ${name}: ${of}: ${what}`)
    }
    need(RECORD_TYPES.includes(set.type), 'the type is unknown')
    need(isName(set.name) && isIn(set.name, name), 'the name is not one of the zone')
    need(Number.isInteger(set.ttl) && set.ttl >= 0 && set.ttl <= TTL_MAX, 'the TTL is not 0 to 2147483647')
    need(!seen.has(of), 'it is there twice')
    seen.add(of)
    checkValues(set, need)
    // RFC 1034 §3.6.2.
    if (set.type === 'CNAME') {
      need((names.get(set.name) ?? []).length === 1, 'a name with a CNAME has nothing else')
      need('values' in set && set.values.length === 1, 'a CNAME has one value')
    }
    if (set.type === 'SOA')
      need(set.name === name && 'values' in set && set.values.length === 1, 'a zone has one SOA')
  }
  for (const type of ['SOA', 'NS'] as const)
    if (!seen.has(`${name} ${type}`)) throw new EngineError(`zone ${name} has no ${type}`)
}

function checkValues(set: RecordSet, need: (is: boolean, what: string) => void): void {
  if ('values' in set) {
    need(set.values.length > 0 && set.values.length <= VALUES_MAX, `it has 1 to ${VALUES_MAX} values`)
    need(new Set(set.values).size === set.values.length, 'a value is there twice')
    for (const value of set.values)
      need(FORMS[set.type](value), `'${value.slice(0, 100)}' is not a value of ${set.type}`)
    return
  }
  const isAddress = set.type === 'A' ? isIPv4 : set.type === 'AAAA' ? isIPv6 : () => false
  const addresses = 'weighted' in set ? set.weighted.map(({ value }) => value) : set.anyOf
  need(addresses.length > 0 && addresses.length <= VALUES_MAX, `it has 1 to ${VALUES_MAX} values`)
  for (const address of addresses)
    need(isAddress(address), `'${address.slice(0, 100)}' is not an address of ${set.type}`)
  if ('weighted' in set)
    for (const { weight } of set.weighted)
      need(Number.isInteger(weight) && weight >= 0 && weight <= WEIGHT_MAX, 'a weight is 0 to 255')
}

/** Labels of up to 63 characters; an asterisk is one alone, and the first (RFC 4592). */
export const isName = (name: string): boolean =>
  name.length <= NAME_LENGTH_MAX - 2 &&
  /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/.test(name)

const isIn = (name: Name, zone: Name) => name === zone || name.endsWith(`.${zone}`)

const isTarget = (text: string) =>
  /\.$/.test(text) && (text === '.' || isName(text.slice(0, -1).toLowerCase()))
const isNumber = (text: string, most: number) => /^(0|[1-9]\d{0,9})$/.test(text) && Number(text) <= most
const words = (text: string, count: number): string[] | undefined => {
  const all = text.split(' ')
  return all.length === count ? all : undefined
}

/** RFC 1035 §3.3.14: strings in quotes of up to 255 bytes, with a backslash before a quote or a backslash, or three decimal digits. */
const isTexts = (text: string): boolean => {
  const strings = text.match(/^"(?:[^"\\]|\\["\\]|\\[0-2]\d\d)*"(?: "(?:[^"\\]|\\["\\]|\\[0-2]\d\d)*")*$/)
  if (!strings || !/^[ -~]*$/.test(text) || text.length > 16_000) return false
  const parts = [...text.matchAll(/"((?:[^"\\]|\\["\\]|\\[0-2]\d\d)*)"/g)].map(([, part = '']) => part)
  return parts.every(
    (part) =>
      part.replaceAll(/\\(\d{3}|.)/g, 'x').length <= 255 &&
      [...part.matchAll(/\\(\d{3})/g)].every(([, code]) => Number(code) <= 255),
  )
}

const FORMS: Record<RecordType, (value: string) => boolean> = {
  A: isIPv4,
  AAAA: (value) => isIPv6(value) && !value.includes('%'),
  CNAME: isTarget,
  NS: isTarget,
  PTR: isTarget,
  TXT: isTexts,
  MX: (value) => {
    const [preference = '', exchange = ''] = words(value, 2) ?? []
    return isNumber(preference, 65_535) && isTarget(exchange)
  },
  SRV: (value) => {
    const [priority = '', weight = '', port = '', target = ''] = words(value, 4) ?? []
    return [priority, weight, port].every((one) => isNumber(one, 65_535)) && isTarget(target)
  },
  CAA: (value) => {
    const [, flags = '', tag = '', text = ''] = /^(\d+) ([a-z0-9]{1,15}) (".*")$/.exec(value) ?? []
    return isNumber(flags, 255) && tag !== '' && isTexts(text) && !text.includes('" "')
  },
  SOA: (value) => {
    const [primary = '', mailbox = '', ...numbers] = words(value, 7) ?? []
    return isTarget(primary) && isTarget(mailbox) && numbers.every((one) => isNumber(one, 4_294_967_295))
  },
}
