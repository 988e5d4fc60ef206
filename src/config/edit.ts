// Changes of one setting in the text of the file. Only the characters of its value change, so everything else that its
// owner wrote stays as it is. What comes out is read again: it says exactly what it should, or nothing is changed.
import { isDeepStrictEqual } from 'node:util'
import { EngineError } from '../kernel/errors.ts'
import { renderValue } from './default-file.ts'
import { parseConfig, type Given } from './parse.ts'
import type { Key } from './settings.ts'

/** `text` must be whole (see sourcesOf). Throws a sentence when it is written in a way that cannot be edited here. */
export function withSetting(text: string, key: Key, value: unknown): string {
  const { given } = parseConfig(text)
  const before = given.get(key)
  const written = renderValue(key, value)
  const next = before ? replaced(text, before, written) : inserted(text, key, `${key}: ${written}`)
  return checked(next, new Map([...valuesOf(given), [key, value]]))
}

/** The same without the setting, so that its default holds. */
export function withoutSetting(text: string, key: Key): string {
  const { given } = parseConfig(text)
  const before = given.get(key)
  if (!before) return text
  const from = text.lastIndexOf('\n', before.at.key) + 1
  const end = text.indexOf('\n', before.at.value[1])
  const values = valuesOf(given)
  values.delete(key)
  return checked(text.slice(0, from) + (end === -1 ? '' : text.slice(end + 1)), values)
}

function replaced(text: string, { at: { value } }: Given, written: string): string {
  const [from, to] = value
  return text.slice(0, from) + (text[from - 1] === ':' ? ' ' : '') + written + text.slice(to)
}

/** Behind the line that is commented out, else at the end. */
function inserted(text: string, key: Key, line: string): string {
  const found = new RegExp(`^#[ \\t]*${key.replaceAll('.', '\\.')}:.*$`, 'm').exec(text)
  if (!found) return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`
  const end = found.index + found[0].length
  return `${text.slice(0, end)}\n${line}${text.slice(end) || '\n'}`
}

function checked(text: string, wanted: ReadonlyMap<Key, unknown>): string {
  const { given, problems } = parseConfig(text)
  if (problems.length > 0 || !isDeepStrictEqual(valuesOf(given), wanted))
    throw new EngineError(
      'the file is written in a way that cannot be changed by line; use: polebean config edit',
    )
  return text
}

const valuesOf = (given: ReadonlyMap<Key, Given>) =>
  new Map([...given].map(([key, { value }]): [Key, unknown] => [key, value]))
