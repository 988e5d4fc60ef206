// Parameter trees → typed input, for the query and ec2 protocols.
import type { ListShape, MapShape, Shape, StructureShape } from '../model.ts'
import type { ParameterTree } from './parameters.ts'
import type { Refusals } from './refusals.ts'
import { nameOfScalar, readScalar } from './scalars.ts'

type Reader = {
  refusals: Refusals
  /** ec2 has no `.member` or `.entry` between a list's or map's name and its index. */
  alwaysFlat: boolean
}

/** Parameters that the model does not know are ignored by query, as AWS does; ec2 refuses them, as AWS does. */
export function readQueryInput(
  shape: StructureShape,
  tree: ParameterTree,
  reader: Reader,
): Record<string, unknown> {
  return readStructure(shape, tree, '', reader)
}

// What a request has besides the operation's own: its name, and the signature of a presigned one.
const ENVELOPE =
  /^(Action|Operation|Version|Timestamp|Expires|AWSAccessKeyId|Signature(Method|Version)?|X-Amz-.*)$/

function refuseUnknown(shape: StructureShape, tree: ParameterTree, path: string, { refusals }: Reader) {
  if (!refusals.unknown) return
  for (const name of tree.children?.keys() ?? [])
    if (!shape.members.some((member) => member.queryName === name) && !(path === '' && ENVELOPE.test(name)))
      throw refusals.unknown(path + name)
}

function readStructure(
  shape: StructureShape,
  tree: ParameterTree,
  path: string,
  reader: Reader,
): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  if (!tree.children) return value
  refuseUnknown(shape, tree, path, reader)
  for (const member of shape.members) {
    const child = tree.children.get(member.queryName)
    if (!child) continue
    value[member.name] = read(member.shape, child, path + member.name, member.flattened, reader)
  }
  return value
}

function read(shape: Shape, tree: ParameterTree, path: string, flattened: boolean, reader: Reader): unknown {
  switch (shape.type) {
    case 'structure':
      return readStructure(shape, tree, `${path}.`, reader)
    case 'list':
      return readList(shape, tree, path, flattened || reader.alwaysFlat, reader)
    case 'map':
      return readMap(shape, tree, path, flattened || reader.alwaysFlat, reader)
    default: {
      const beyond = tree.children?.keys().next().value
      if (beyond !== undefined && reader.refusals.unknown) throw reader.refusals.unknown(`${path}.${beyond}`)
      const text = tree.value ?? ''
      // An empty number or date is how some clients write "not given".
      if (text === '' && shape.type !== 'string' && shape.type !== 'blob') return undefined
      const scalar = readScalar(shape, text)
      if (scalar === undefined) throw reader.refusals.malformed(path, nameOfScalar(shape), text)
      return scalar
    }
  }
}

function readList(
  shape: ListShape,
  tree: ParameterTree,
  path: string,
  flat: boolean,
  reader: Reader,
): unknown[] {
  const holder = flat ? tree : tree.children?.get(shape.itemName)
  return inOrder(holder, path, reader).map((child, index) =>
    read(shape.item, child, `${path}.${index + 1}.member`, false, reader),
  )
}

function readMap(
  shape: MapShape,
  tree: ParameterTree,
  path: string,
  flat: boolean,
  reader: Reader,
): Record<string, unknown> {
  const holder = flat ? tree : tree.children?.get('entry')
  const entries = inOrder(holder, path, reader).map((entry): [string, unknown] => {
    const value = entry.children?.get(shape.valueName)
    const key = entry.children?.get(shape.keyName)?.value ?? ''
    return [key, value ? read(shape.value, value, `${path}.${key}`, false, reader) : undefined]
  })
  return Object.fromEntries(entries)
}

// Indices come in any order, from 1 on; `Tags=` alone is the empty list (clients.md §0.6).
function inOrder(holder: ParameterTree | undefined, path: string, { refusals }: Reader): ParameterTree[] {
  if (!holder?.children) return []
  const items: ParameterTree[] = []
  for (const [name, child] of holder.children) {
    const index = INDEX.test(name) ? Number(name) : 0
    if (index === 0)
      throw refusals.unreadable(`'${name.slice(0, 20)}' is not an index of ${path}; the first one is 1`)
    if (index > holder.children.size)
      throw refusals.unreadable(`${path} has an element ${index} but only ${holder.children.size} in all`)
    items[index - 1] = child
  }
  return items
}

const INDEX = /^[1-9]\d{0,4}$/
