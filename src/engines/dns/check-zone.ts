// Whether a zone can be told to a name server. Pure.
import { EngineError } from '../../kernel/errors.ts'
import { dnskeyOf, type ZoneKey } from '../../kernel/zone-key.ts'
import { type Name, type RecordSet, type Zone } from './engine.ts'
import { CHOSEN, isName, isValueOf, RECORD_TYPES } from './forms.ts'

const TTL_MAX = 2_147_483_647
/** PowerDNS adds them up in 32 bits. */
const WEIGHT_MAX = 1_000_000
const VALUES_MAX = 400
/** Each signs all: an answer must have room for it. */
const KEYS_MAX = 4

/** @throws EngineError naming the record set. */
export function checkZone({ name, recordSets, keys = [] }: Zone): void {
  if (!isName(name) || name.startsWith('*')) throw new EngineError(`'${name}' is not the name of a zone`)
  checkKeys(name, keys)
  const seen = new Set<string>()
  const names = Map.groupBy(recordSets, (set) => set.name)
  for (const set of recordSets) {
    const of = `${set.name} ${set.type}`
    const need: Need = (is, what) => {
      if (!is) throw new EngineError(`zone ${name}: ${of}: ${typeof what === 'string' ? what : what()}`)
    }
    checkSet(set, name, need)
    need(!seen.has(of), 'it is there twice')
    seen.add(of)
    // RFC 1034 §3.6.2.
    if (set.type === 'CNAME') {
      need((names.get(set.name) ?? []).length === 1, 'a name with a CNAME has nothing else')
      need(!('values' in set) || set.values.length === 1, 'a CNAME has one value')
    }
    if (set.type === 'SOA')
      need(set.name === name && 'values' in set && set.values.length === 1, 'a zone has one SOA')
  }
  for (const type of ['SOA', 'NS'] as const)
    if (!seen.has(`${name} ${type}`)) throw new EngineError(`zone ${name} has no ${type}`)
}

function checkKeys(zone: Name, keys: ZoneKey[]): void {
  const isOf = (text: string, bytes: number) =>
    /^[A-Za-z0-9+/]+={0,2}$/.test(text) && Buffer.from(text, 'base64').length === bytes
  // A secret is in no message.
  if (!keys.every(({ privateKey, publicKey }) => isOf(privateKey, 32) && isOf(publicKey, 64)))
    throw new EngineError(`zone ${zone}: a key is none of P-256`)
  if (keys.length > KEYS_MAX || new Set(keys.map(dnskeyOf)).size < keys.length)
    throw new EngineError(`zone ${zone}: it has at most ${KEYS_MAX} keys, each once`)
}

/** What is said is made only when it is: a zone has thousands of sets. */
type Need = (is: boolean, what: string | (() => string)) => void

function checkSet(set: RecordSet, zone: Name, need: Need): void {
  need(RECORD_TYPES.includes(set.type), 'the type is unknown')
  need(isName(set.name) && isIn(set.name, zone), 'the name is not one of the zone')
  need(Number.isInteger(set.ttl) && set.ttl >= 0 && set.ttl <= TTL_MAX, 'the TTL is not 0 to 2147483647')
  checkValues(set, need)
}

function checkValues(set: RecordSet, need: Need): void {
  if ('values' in set) {
    need(set.values.length > 0 && set.values.length <= VALUES_MAX, `it has 1 to ${VALUES_MAX} values`)
    need(new Set(set.values).size === set.values.length, 'a value is there twice')
    for (const value of set.values)
      need(isValueOf(set.type, value), () => `'${value.slice(0, 100)}' is not a value of ${set.type}`)
    return
  }
  const isValue = CHOSEN[set.type] ?? (() => false)
  for (const choice of [set.chosen, ...(set.inside ? [set.inside] : [])]) {
    const all = 'anyOf' in choice ? choice.anyOf : choice.weighted.flatMap(({ values }) => values)
    need(all.length > 0 && all.length <= VALUES_MAX, `it has 1 to ${VALUES_MAX} values`)
    for (const value of all)
      need(isValue(value), () => `'${value.slice(0, 100)}' is not one of a choice of ${set.type}`)
    if ('anyOf' in choice) {
      need(set.type !== 'CNAME', 'a CNAME has one value')
      continue
    }
    for (const { values, weight } of choice.weighted) {
      need(Number.isInteger(weight) && weight >= 0 && weight <= WEIGHT_MAX, `a weight is 0 to ${WEIGHT_MAX}`)
      need(values.length > 0, 'a choice has a value')
      need(set.type !== 'CNAME' || values.length === 1, 'a CNAME has one value')
    }
  }
}

const isIn = (name: Name, zone: Name) => name === zone || name.endsWith(`.${zone}`)

/** Whether a set may stand in a zone, whatever is beside it. */
export function isAnswerable(set: RecordSet, zone: Name): boolean {
  try {
    checkSet(set, zone, (is, what) => {
      if (!is) throw new EngineError(String(what))
    })
    return true
  } catch {
    return false
  }
}
