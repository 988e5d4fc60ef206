// `Filters` of describe operations: every filter must match, any of its values may, `*` and `?` stand for anything.
import type { Filter } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../kernel/errors.ts'
import { unsupported } from './errors.ts'

/** AWS: 200 in a call. */
const VALUES_MAX = 200

type Values = (string | number | boolean | null | undefined)[]

/** What each filter of an operation compares with; `tag:…` and `tag-key` are answered from `tags`. */
export type FilterTable<T> = Record<string, (item: T) => Values>

export function filtered<T>(
  items: T[],
  filters: Filter[] | undefined,
  table: FilterTable<T>,
  tagsOf: (item: T) => { key: string; value: string }[],
  /** Of AWS's that are not answered here: refused as such. */
  unanswered: readonly string[] = [],
): T[] {
  const count = (filters ?? []).reduce((sum, { Values = [] }) => sum + Values.length, 0)
  if (count > VALUES_MAX)
    throw new DeclaredError(
      'FilterLimitExceeded',
      `The maximum number of filter values specified on a single call is ${VALUES_MAX}`,
    )
  const tests = (filters ?? []).map(({ Name: name, Values: wanted = [] }) => {
    const exact = new Set(wanted)
    const patterns = wanted.filter((value) => /[*?\\]/.test(value)).map(patternOf)
    const matches = (value: string) =>
      exact.has(value) || patterns.some((pattern) => matchesPattern(pattern, value))
    if (name && unanswered.includes(name)) throw unsupported(`Filters.${name}`)
    const valuesOf = valuesOfFilter(name, table, tagsOf)
    return (item: T) => valuesOf(item).some((value) => matches(String(value ?? '')))
  })
  return items.filter((item) => tests.every((test) => test(item)))
}

function valuesOfFilter<T>(
  name: string | undefined,
  table: FilterTable<T>,
  tagsOf: (item: T) => { key: string; value: string }[],
): (item: T) => Values {
  if (!name) throw new DeclaredError('InvalidParameterValue', "The filter 'null' is invalid")
  if (name === 'tag-key') return (item) => tagsOf(item).map((tag) => tag.key)
  if (name.startsWith('tag:')) {
    const key = name.slice(4)
    return (item) =>
      tagsOf(item)
        .filter((tag) => tag.key === key)
        .map((tag) => tag.value)
  }
  const valuesOf = Object.hasOwn(table, name) ? table[name] : undefined
  if (!valuesOf) throw new DeclaredError('InvalidParameterValue', `The filter '${name}' is invalid`)
  return valuesOf
}

type Pattern = (string | typeof ANY | typeof ONE)[]
const ANY = Symbol('*')
const ONE = Symbol('?')

// A backslash takes the meaning from `*`, `?` and itself.
const patternOf = (value: string): Pattern =>
  [...value.matchAll(/\\([*?\\])|([^])/gu)].map(([, escaped, plain]) =>
    escaped !== undefined ? escaped : plain === '*' ? ANY : plain === '?' ? ONE : plain!,
  )

// Not a regular expression: with many `*` one would take time without end. Here the last `*` alone is tried again.
function matchesPattern(pattern: Pattern, value: string): boolean {
  const text = [...value]
  let [at, next] = [0, 0]
  let star: { pattern: number; text: number } | undefined
  while (at < text.length) {
    const part = pattern[next]
    if (part === ANY) {
      star = { pattern: ++next, text: at }
    } else if (part === ONE || part === text[at]) {
      at++
      next++
    } else if (star) {
      at = ++star.text
      next = star.pattern
    } else return false
  }
  return pattern.slice(next).every((part) => part === ANY)
}
