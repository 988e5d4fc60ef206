// application/x-www-form-urlencoded, as a flat list and as the tree that its dotted names mean.
import { DeclaredError } from '../../kernel/errors.ts'

export type Parameter = readonly [name: string, value: string]
export type ParameterTree = { value: string | undefined; children: Map<string, ParameterTree> | undefined }

const PARAMETERS_MAX = 10_000
const DEPTH_MAX = 32

/** Throws MalformedQueryString for escapes that are none, invalid UTF-8 and more than 10,000 parameters. */
export function readParameters(text: string): Parameter[] {
  const parameters: Parameter[] = []
  let start = 0
  while (start < text.length) {
    let end = text.indexOf('&', start)
    if (end === -1) end = text.length
    if (end > start) {
      if (parameters.length === PARAMETERS_MAX) throw malformed(`more than ${PARAMETERS_MAX} parameters`)
      const equals = text.indexOf('=', start)
      const middle = equals === -1 || equals > end ? end : equals
      parameters.push([decode(text.slice(start, middle)), decode(text.slice(middle + 1, end))])
    }
    start = end + 1
  }
  return parameters
}

export function treeOf(parameters: readonly Parameter[]): ParameterTree {
  const root: ParameterTree = { value: undefined, children: undefined }
  for (const [name, value] of parameters) {
    const parts = name.split('.')
    if (parts.length > DEPTH_MAX) throw malformed(`a parameter's name has more than ${DEPTH_MAX} parts`)
    let node = root
    for (const part of parts) node = childOf(node, part)
    node.value = value
  }
  return root
}

function childOf(node: ParameterTree, name: string): ParameterTree {
  node.children ??= new Map()
  let child = node.children.get(name)
  if (!child) {
    child = { value: undefined, children: undefined }
    node.children.set(name, child)
  }
  return child
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    throw malformed('a parameter is not percent-encoded UTF-8')
  }
}

const malformed = (reason: string) =>
  new DeclaredError('MalformedQueryString', `The query string is malformed: ${reason}`)
