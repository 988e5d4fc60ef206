// A service's model as the protocols need it, read from the generated tables.
//
// Format of a table: `otherNames` are the operations without shapes, `otherRoutes` how requests for them look, where that
// is not in their names. `operations` maps a name to [input, output] or, for rest-xml, [input, output, method, uri, status].
// `shapes` maps a name to
//   ["s", required, members, xmlName]   structure or union; the first `required` members are required;
//                                       a member is [name, target] or [name, target, traits]
//   ["l", target, itemXmlName]          list
//   ["m", key, value, keyXmlName, valueXmlName]   map
// A target is the name of a shape, or `$s` string, `$n` integer, `$d` double, `$b` boolean, `$B` blob, `$S` streaming blob,
// `$t` timestamp (`$t5` date-time, `$t6` http-date, `$t7` epoch seconds), prefixed with `[` for a list and `{` for a map of it.
// Traits: x xmlName, q ec2QueryName, f flattened, a xmlAttribute, n xmlNamespace, l label, h header, Q query, A any query,
// P prefix of headers, p payload.

export type TimestampFormat = 'default' | 'date-time' | 'http-date' | 'epoch-seconds'
export type SimpleShape =
  | { type: 'string' | 'integer' | 'double' | 'boolean' | 'blob' | 'stream' }
  | { type: 'timestamp'; format: TimestampFormat }
export type ListShape = { type: 'list'; item: Shape; itemName: string; open: string; close: string }
export type MapShape = { type: 'map'; key: Shape; value: Shape; keyName: string; valueName: string }
export type StructureShape = { type: 'structure'; name: string; xmlName: string; members: Member[] }
export type Shape = SimpleShape | ListShape | MapShape | StructureShape

export type Member = {
  name: string
  shape: Shape
  required: boolean
  /** Name of the element, in input and output. */
  xmlName: string
  /** `<xmlName>` and `</xmlName>`, made once. */
  open: string
  close: string
  /** Name of the parameter in the query and ec2 protocols. */
  queryName: string
  flattened: boolean
  attribute: boolean
  namespace: readonly [prefix: string, uri: string] | undefined
  http: HttpBinding | undefined
}
export type HttpBinding =
  | { in: 'label' | 'payload' | 'any-query' }
  | { in: 'header' | 'query' | 'prefix-headers'; name: string }

export type OperationModel = {
  name: string
  input: StructureShape | undefined
  output: StructureShape | undefined
  http: { method: string; uri: string; status: number } | undefined
}
export type ServiceModel = {
  service: string
  protocol: 'query' | 'ec2' | 'rest-xml' | 'json'
  version: string
  xmlns: string
  /** Of json: what stands before the operation's name in X-Amz-Target. */
  target: string
  /** Of json: it is asked by query and CBOR as well, and its errors have the code of query too. */
  queryCompatible: boolean
  /** Every operation that AWS has, whether or not its shapes are known here. */
  has(operation: string): boolean
  /** Of rest-xml: how requests for operations look whose shapes are not known here. */
  otherRoutes: { name: string; method: string; uri: string; hasBucket: boolean }[]
  /** Names of the operations whose shapes are known. */
  operationNames: string[]
  operation(name: string): OperationModel | undefined
  /** The code on the wire and the HTTP status of an error, given its shape's name or its code. */
  error(codeOrShape: string): { code: string; status: number; shape: string } | undefined
}

type Traits = Partial<Record<'x' | 'q' | 'h' | 'Q' | 'P', string>> &
  Partial<Record<'f' | 'a' | 'l' | 'p' | 'A', 1>> & { n?: [string, string] }
type MemberText = [name: string, target: string, traits?: Traits]
type ShapeText =
  | ['s', number, MemberText[], string]
  | ['l', string, string]
  | ['m', string, string, string, string]
type TableText = {
  service: string
  protocol: ServiceModel['protocol']
  version: string
  xmlns: string
  target?: string
  queryCompatible?: true
  otherNames: string
  otherRoutes: Record<string, [method: string, uri: string, hasBucket: boolean]>
  errors: Record<string, [string, number]>
  operations: Record<string, [string | null, string | null, string?, string?, number?]>
  shapes: Record<string, ShapeText>
}

/** Reads a generated table. Shapes are linked when an operation is first asked for. */
export function readModel(text: string): ServiceModel {
  const table = JSON.parse(text) as TableText
  const shapes = new Map<string, Shape>()
  const operations = new Map<string, OperationModel>()
  const otherNames = new Set(table.otherNames.split(' '))
  const errors = Object.entries(table.errors).map(([shape, [code, status]]) => ({ shape, code, status }))
  // Of several shapes of one code the one that is named as it is.
  const byCode = new Map(errors.map((one) => [one.code, one]))
  for (const one of errors) if (one.shape === one.code) byCode.set(one.code, one)
  const byShape = new Map(errors.map((one) => [one.shape, one]))

  function link(target: string): Shape {
    const known = shapes.get(target)
    if (known) return known
    if (target.startsWith('[')) return keep(target, listShape(link(target.slice(1)), ''))
    if (target.startsWith('{'))
      return keep(target, {
        type: 'map',
        key: stringShape,
        value: link(target.slice(1)),
        keyName: 'key',
        valueName: 'value',
      })
    if (target.startsWith('$')) return simpleShape(target)
    return linkNamed(target)
  }

  // A shape is kept before its members are linked, since shapes may contain themselves.
  function linkNamed(name: string): Shape {
    const given = table.shapes[name]
    if (!given) throw new Error(`${table.service}: the table has no shape ${name}`)
    if (given[0] === 'l') {
      const list = keep(name, listShape(stringShape, given[2]))
      list.item = link(given[1])
      return list
    }
    if (given[0] === 'm') {
      const map: MapShape = {
        type: 'map',
        key: stringShape,
        value: stringShape,
        keyName: given[3] || 'key',
        valueName: given[4] || 'value',
      }
      keep(name, map)
      map.key = link(given[1])
      map.value = link(given[2])
      return map
    }
    const structure: StructureShape = { type: 'structure', name, xmlName: given[3] || name, members: [] }
    keep(name, structure)
    for (const [index, member] of given[2].entries())
      structure.members.push(memberOf(member, index < given[1]))
    return structure
  }

  function keep<S extends Shape>(name: string, shape: S): S {
    shapes.set(name, shape)
    return shape
  }

  function memberOf([name, target, traits = {}]: MemberText, required: boolean): Member {
    const xmlName = traits.x ?? name
    const attributes = traits.n ? ` xmlns:${traits.n[0]}="${traits.n[1]}"` : ''
    return {
      name,
      shape: link(target),
      required,
      xmlName,
      open: `<${xmlName}${attributes}>`,
      close: `</${xmlName}>`,
      queryName: table.protocol === 'ec2' ? (traits.q ?? upperFirst(xmlName)) : xmlName,
      flattened: traits.f === 1,
      attribute: traits.a === 1,
      namespace: traits.n,
      http: bindingOf(traits),
    }
  }

  function operation(name: string): OperationModel | undefined {
    const known = operations.get(name)
    if (known) return known
    if (!Object.hasOwn(table.operations, name)) return undefined
    const [input, output, method, uri, status] = table.operations[name]!
    const made: OperationModel = {
      name,
      input: input === null ? undefined : structureOf(link(input)),
      output: output === null ? undefined : structureOf(link(output)),
      http: method === undefined ? undefined : { method, uri: uri ?? '/', status: status ?? 200 },
    }
    operations.set(name, made)
    return made
  }

  return {
    service: table.service,
    protocol: table.protocol,
    version: table.version,
    xmlns: table.xmlns,
    target: table.target ?? '',
    queryCompatible: table.queryCompatible ?? false,
    has: (name) => Object.hasOwn(table.operations, name) || otherNames.has(name),
    otherRoutes: Object.entries(table.otherRoutes).map(([name, [method, uri, hasBucket]]) => ({
      name,
      method,
      uri,
      hasBucket,
    })),
    operationNames: Object.keys(table.operations),
    operation,
    error: (codeOrShape) => byShape.get(codeOrShape) ?? byCode.get(codeOrShape),
  }
}

const stringShape: SimpleShape = { type: 'string' }
const simpleShapes: Record<string, SimpleShape> = {
  $s: stringShape,
  $n: { type: 'integer' },
  $d: { type: 'double' },
  $b: { type: 'boolean' },
  $B: { type: 'blob' },
  $S: { type: 'stream' },
  $t: { type: 'timestamp', format: 'default' },
  $t5: { type: 'timestamp', format: 'date-time' },
  $t6: { type: 'timestamp', format: 'http-date' },
  $t7: { type: 'timestamp', format: 'epoch-seconds' },
}

function simpleShape(target: string): SimpleShape {
  const shape = simpleShapes[target]
  if (!shape) throw new Error(`no simple shape ${target}`)
  return shape
}

const listShape = (item: Shape, name: string): ListShape => {
  const itemName = name || 'member'
  return { type: 'list', item, itemName, open: `<${itemName}>`, close: `</${itemName}>` }
}

function structureOf(shape: Shape): StructureShape {
  if (shape.type !== 'structure') throw new Error('an operation takes and answers structures')
  return shape
}

function bindingOf(traits: Traits): HttpBinding | undefined {
  if (traits.l) return { in: 'label' }
  if (traits.p) return { in: 'payload' }
  if (traits.A) return { in: 'any-query' }
  if (traits.h !== undefined) return { in: 'header', name: traits.h.toLowerCase() }
  if (traits.Q !== undefined) return { in: 'query', name: traits.Q }
  if (traits.P !== undefined) return { in: 'prefix-headers', name: traits.P.toLowerCase() }
  return undefined
}

const upperFirst = (text: string) => text[0]!.toUpperCase() + text.slice(1)
