// Text of config.yaml → the values that it gives, or everything that is wrong with it, by line. Pure.
import { isAlias, isMap, isPair, isScalar, LineCounter, parseDocument, type Node } from 'yaml'
import { isKey, keys, rowOf, type Key } from './settings.ts'

/** `line` counts from 1. */
export type Problem = { line: number; sentence: string }
export type Given = { value: unknown; line: number }
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
      if (isKey(key)) readValue(key, value, line)
      else if (prefix === '' && keys.some((one) => one.startsWith(`${key}.`))) read(value, `${key}.`)
      else tell(line, unknownKey(key))
    }
  }
  const readValue = (key: Key, node: Node | null, line: number) => {
    const before = given.get(key)
    if (before) return tell(line, `${key} is given twice, first in line ${before.line}`)
    if (isAlias(node) || node?.anchor || node?.tag?.startsWith('!'))
      return tell(line, `${key}: anchors, aliases and tags of YAML are not read here`)
    const read = rowOf(key).type.read(node?.toJS(document) ?? null)
    if ('wrong' in read) return tell(line, `${key} ${read.wrong}`)
    given.set(key, { value: read.value, line })
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

const sayYaml = (message: string) =>
  message.startsWith('Tabs are not allowed')
    ? 'a tab cannot indent in YAML: use spaces'
    : `this is not YAML: ${message}`
