// `Filters` of describe operations: every filter must match, any of its values may, `*` and `?` stand for anything.
import type { Filter } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../kernel/errors.ts'

type Values = (string | number | boolean | null | undefined)[]

/** What each filter of an operation compares with; `tag:…` and `tag-key` are answered from `tags`. */
export type FilterTable<T> = Record<string, (item: T) => Values>

export function filtered<T>(
  items: T[],
  filters: Filter[] | undefined,
  table: FilterTable<T>,
  tagsOf: (item: T) => { key: string; value: string }[],
): T[] {
  const tests = (filters ?? []).map(({ Name: name = '', Values: wanted = [] }) => {
    const exact = new Set(wanted)
    const patterns = wanted.filter((value) => /[*?]/.test(value)).map(patternOf)
    const matches = (value: string) => exact.has(value) || patterns.some((pattern) => pattern.test(value))
    const valuesOf = valuesOfFilter(name, table, tagsOf)
    return (item: T) => valuesOf(item).some((value) => matches(String(value ?? '')))
  })
  return items.filter((item) => tests.every((test) => test(item)))
}

function valuesOfFilter<T>(
  name: string,
  table: FilterTable<T>,
  tagsOf: (item: T) => { key: string; value: string }[],
): (item: T) => Values {
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

const patternOf = (value: string) =>
  new RegExp(
    `^${value
      .replace(/[\\^$+.()|[\]{}]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    's',
  )
