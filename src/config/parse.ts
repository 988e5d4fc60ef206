// Text of config.yaml → the values that it gives, or everything that is wrong with it, by line. Pure.
import { isAlias, isMap, isPair, isScalar, LineCounter, parseDocument, type Node } from 'yaml'
import { isKey, keys, rowOf, type Key } from './settings.ts'

/** `line` counts from 1. */
export type Problem = { line: number; sentence: string }
/** `at`: where in the text the key begins, and from where to where the value stands. */
export type Given = { value: unknown; line: number; at: { key: number; value: [number, number] } }
export type Parsed = { given: ReadonlyMap<Key, Given>; problems: Problem[] }

export function parseConfig(text: string): Parsed {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    schema: 'core',
    version: '1.2',
    uniqueKeys: false,
  })
  const lineAt = (offset: number) => lines.linePos(offset).line
  const given = new Map<Key, Given>()
  const problems: Problem[] = document.errors.map(({ pos, message }) => ({
    line: lineAt(pos[0]),
    sentence: sayYaml(message),
  }))
  if (problems.length > 0) return { given, problems }
  const tell = (line: number, sentence: string) => void problems.push({ line, sentence })

  const read = (node: unknown, prefix: string) => {
    if (node === null || (isScalar(node) && node.value === null)) return
    if (!isMap(node))
      return tell(lineAt((node as Node).range?.[0] ?? 0), 'settings are lines of the form KEY: VALUE')
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key))
        return tell(lineAt(node.range?.[0] ?? 0), 'settings are lines of the form KEY: VALUE')
      const line = lineAt(pair.key.range?.[0] ?? 0)
      const key = `${prefix}${String(pair.key.value)}`
      const value = pair.value as Node | null
      if (isKey(key)) readValue(key, value, line, pair.key.range?.[0] ?? 0)
      else if (prefix === '' && keys.some((one) => one.startsWith(`${key}.`))) read(value, `${key}.`)
      else tell(line, unknownKey(key))
    }
  }
  const readValue = (key: Key, node: Node | null, line: number, keyAt: number) => {
    const before = given.get(key)
    if (before) return tell(line, `${key} is given twice, first in line ${before.line}`)
    if (isAlias(node) || node?.anchor || node?.tag?.startsWith('!'))
      return tell(line, `${key}: anchors, aliases and tags of YAML are not read here`)
    const value: unknown = node?.toJS(document) ?? null
    const read = rowOf(key).type.read(value)
    if ('wrong' in read) return tell(line, `${key} ${read.wrong}${notThis(value)}`)
    const [from = 0, end = 0] = node?.range ?? []
    const to = from + text.slice(from, end).trimEnd().length // a list of lines ends behind its last line break
    given.set(key, { value: read.value, line, at: { key: keyAt, value: [from, to] } })
  }
  read(document.contents, '')
  return { given, problems }
}

/** `unknown setting listener.http; is listeners.http meant?` */
export function unknownKey(name: string): string {
  const near = nearest(name)
  return `there is no setting ${name}${near === undefined ? ' (polebean config get shows all)' : `; is ${near} meant?`}`
}

function nearest(name: string): Key | undefined {
  const found = keys.map((key) => ({ key, distance: distanceOf(name.toLowerCase(), key.toLowerCase()) }))
  found.sort((a, b) => a.distance - b.distance)
  const [best] = found
  return best && best.distance <= Math.max(2, best.key.length / 3) ? best.key : undefined
}

/** Letters to add, take away or exchange (Levenshtein). */
function distanceOf(a: string, b: string): number {
  if (a.length > 100) return Infinity
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [at, letter] of [...a].entries()) {
    const next = [at + 1]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (letter === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row.at(-1)!
}

const notThis = (value: unknown) => {
  const text = JSON.stringify(value)
  return text.length > VALUE_SHOWN ? '' : `, not ${text}`
}
const VALUE_SHOWN = 60

function sayYaml(message: string): string {
  if (message.startsWith('Tabs are not allowed')) return 'a tab cannot indent in YAML: use spaces'
  if (message.startsWith('Source contains multiple documents'))
    return 'a second document begins here; there is one'
  return `this is not YAML: ${message}`
}
