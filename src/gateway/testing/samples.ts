// Sample values made from the AWS SDK's own schemas, not from our tables: the SDK is the oracle of round trips.

export type SdkSchema = number | string | SdkSchema[] | (() => SdkSchema) | Record<string, unknown>
type Path = { name: string; seen: SdkSchema[]; inHeader: boolean }

/** A value of a structure with every member set; members that would recurse for ever are left out. */
export function sampleOf(schema: SdkSchema): Record<string, unknown> {
  return (sample(schema, { name: '', seen: [], inHeader: false }) ?? {}) as Record<string, unknown>
}

function sample(given: SdkSchema, path: Path): unknown {
  const schema = typeof given === 'function' ? given() : given
  if (schema === 'unit') return undefined
  if (typeof schema === 'number') return simpleSample(schema, path)
  if (!Array.isArray(schema)) throw new Error('unknown schema')
  if (schema.length === 2)
    return sample(schema[0]!, { ...path, inHeader: path.inHeader || isHeader(schema[1]!) })
  const kind = schema[0]
  if (kind === 0) return sample(schema[4]!, path)
  if (path.seen.includes(schema)) return undefined
  const inner = { ...path, seen: [...path.seen, schema] }
  if (kind === 1) return listOf((index) => sample(schema[4]!, { ...inner, name: `${path.name}${index}` }))
  if (kind === 2) return mapOf((key) => sample(schema[5]!, { ...inner, name: `${path.name}${key}` }))
  const names = schema[4] as string[]
  const members = (schema[5] as SdkSchema[]).map((member, index): [string, unknown] => [
    names[index]!,
    sample(member, { ...inner, name: names[index]! }),
  ])
  const known = members.filter((member) => member[1] !== undefined)
  // Of a union (4) one member is set.
  return Object.fromEntries(kind === 4 ? known.slice(0, 1) : known)
}

function simpleSample(schema: number, path: Path): unknown {
  if (schema >= 128) return mapOf((key) => simpleSample(schema & 63, { ...path, name: path.name + key }))
  if (schema >= 64)
    return listOf((index) => simpleSample(schema & 63, { ...path, name: `${path.name}${index}` }))
  switch (schema) {
    case 0:
      return path.inHeader ? `text of ${path.name}` : `te&xt <of> "${path.name}" ü + % é 日本 ' =;`
    case 1:
      return path.name.length * 7
    case 2:
      return path.name.length % 2 === 0
    case 4:
    case 5:
      return new Date(path.inHeader ? 1_700_000_000_000 : 1_700_000_000_123)
    case 6:
    case 7:
      return new Date(1_700_000_000_000)
    case 21:
      return new Uint8Array(Buffer.from(`bytes of ${path.name}\0\u00ff`))
    case 42:
      return Buffer.from(`stream of ${path.name}`)
    default:
      throw new Error(`no sample of schema ${schema}`)
  }
}

const isHeader = (traits: SdkSchema) =>
  typeof traits === 'object' && ('httpHeader' in traits || 'httpPrefixHeaders' in traits)

function listOf(item: (index: number) => unknown): unknown[] | undefined {
  const items = [item(1), item(2)]
  return items.includes(undefined) ? undefined : items
}

function mapOf(value: (key: string) => unknown): Record<string, unknown> | undefined {
  const values = { 'key-a': value('a'), 'key-b': value('b') }
  return values['key-a'] === undefined ? undefined : values
}
