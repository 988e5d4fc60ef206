// Makes requests for a fuzz: half of them recipes, some with one thing wrong; half from nothing but the model. Names come
// from what was answered before, so that they speak of what is there.
import type { Member, OperationModel, Shape } from '../src/gateway/model.ts'
import { modelOf, type ServiceName } from '../src/gateway/models.ts'
import { seededRandom } from '../src/kernel/random.ts'
import { jsonRecipes } from './fuzz-recipes-json.ts'
import { queryRecipes, restRecipes } from './fuzz-recipes.ts'

export type FuzzRequest = { method: string; path: string; headers: Record<string, string>; body: string }
type Pair = [name: string, value: string]

const RUBBISH = [
  ...['', ' ', '0', '1', '-1', '2.5', '1e9', '4294967296', '9007199254740993', 'NaN', 'true', 'null'],
  ...['__proto__', 'constructor', 'toString', 'a.b', '*', '%', "'; drop table x; --", '\0', '\r\n', 'ü日本'],
  ...[
    '{"a":',
    '[]',
    '{"Statement":[]}',
    '<a>',
    '&',
    '/',
    '//',
    '../../etc/passwd',
    '10.0.0.0/8',
    '0.0.0.0/0',
  ],
  ...['arn:aws:', 'arn:aws:iam::aws:policy/X', 'i-0123456789abcdef0', 'us-west-2a', 'a'.repeat(300)],
  ...['aws:autoscaling:asg', 'MinSize', 'tag:Name', 'instance-id', '2026-01-01T00:00:00Z', '-1:0', '\ufffd'],
]
const NUMBERS = ['0', '1', '2', '5', '80', '100', '1000']
const ODD_NUMBERS = [
  '-1',
  '2.5',
  '1e2',
  '65536',
  '2147483648',
  '9007199254740991',
  '9007199254740993',
  '00',
  '+1',
]
/** Of each element the newest values: those of what has ended go. */
const VALUES_MAX = 12
const EVERYTHING_MAX = 500

export type Fuzz = ReturnType<typeof makeFuzz>

/** `known`: element → value, what is there before the first answer. */
export function makeFuzz(seed: number, first: Record<string, string>) {
  const random = seededRandom(seed)
  const below = (max: number) => Math.floor(random.next() * max)
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!
  const keyOf = (name: string) => name.toLowerCase().replace(/s$/, '')
  const known = new Map(Object.entries(first).map(([name, value]) => [keyOf(name), [value]]))
  const everything = Object.values(first)

  function filled(recipe: string): string {
    return recipe.replace(/\{(\w+)\}/g, (_whole, name: string) => {
      if (name === 'n') return String(1 + below(4))
      const subnets = known.get('subnetid') ?? []
      if (name === 'subneta' || name === 'subnetb') return subnets[name === 'subneta' ? 0 : 1] ?? ''
      const values = known.get(keyOf(name))
      return values ? pick(values) : ''
    })
  }

  function text(name: string): string {
    const values = known.get(keyOf(name)) ?? known.get(/(?:name|id|arn)$/.exec(keyOf(name))?.[0] ?? '')
    const die = below(10)
    if (values && die < 6) return pick(values)
    return pick(die < 7 ? everything : RUBBISH)
  }

  function scalar(shape: Shape, name: string): string {
    if (shape.type === 'integer' && below(6) > 0) return pick(below(2) > 0 ? NUMBERS : ODD_NUMBERS)
    if (shape.type === 'boolean' && below(4) > 0) return pick(['true', 'false'])
    return text(name)
  }

  const chosen = (members: readonly Member[], depth: number) =>
    members.filter((member) =>
      member.required ? below(20) > 0 : below(3 + depth + members.length / 4) === 0,
    )

  /** One member in the form of the query or ec2 protocol. */
  function parameters(shape: Shape, path: string, name: string, ec2: boolean, depth: number): Pair[] {
    if (depth > 4) return []
    if (shape.type === 'structure')
      return chosen(shape.members, depth).flatMap((member) =>
        parameters(member.shape, `${path}.${member.queryName}`, member.name, ec2, depth + 1),
      )
    if (shape.type === 'list')
      return Array.from({ length: below(3) }, (_none, index) => index + 1).flatMap((index) =>
        parameters(shape.item, `${path}.${ec2 ? '' : 'member.'}${index}`, name, ec2, depth + 1),
      )
    if (shape.type === 'map')
      return [
        [`${path}.entry.1.${shape.keyName}`, text('key')],
        [`${path}.entry.1.${shape.valueName}`, text('value')],
      ]
    return [[path, scalar(shape, name)]]
  }

  function xml(shape: Shape, name: string, depth: number): string {
    if (depth > 5) return ''
    if (shape.type === 'structure')
      return chosen(shape.members, 0)
        .map(
          (member) => `<${member.xmlName}>${xml(member.shape, member.name, depth + 1)}</${member.xmlName}>`,
        )
        .join('')
    if (shape.type === 'list')
      return Array.from({ length: below(3) }, () => xml(shape.item, name, depth + 1))
        .map((item) => `<${shape.itemName}>${item}</${shape.itemName}>`)
        .join('')
    return shape.type === 'map' ? '' : escape(scalar(shape, name))
  }

  const wildPairs = (service: ServiceName, { input }: OperationModel): Pair[] =>
    chosen(input?.members ?? [], 0).flatMap((member) =>
      parameters(member.shape, member.queryName, member.name, service === 'ec2', 1),
    )

  function queryPairs(service: ServiceName, operation: OperationModel): Pair[] {
    const recipes = queryRecipes[operation.name]
    if (!recipes || below(2) === 0) return wildPairs(service, operation)
    const pairs = [...new URLSearchParams(filled(pick(recipes)))]
    const at = below(pairs.length)
    const wrong = below(6)
    if (wrong === 0) pairs.splice(at, 1)
    if (wrong === 1 && pairs[at])
      pairs[at][1] = /^\d+$/.test(pairs[at][1]) ? pick(ODD_NUMBERS) : text(pairs[at][0])
    if (wrong === 2) pairs.push(...wildPairs(service, operation).slice(0, 2))
    return pairs
  }

  function value(shape: Shape, name: string, depth: number): unknown {
    if (depth > 5 || below(30) === 0) return text(name)
    if (shape.type === 'structure')
      return Object.fromEntries(
        chosen(shape.members, depth).map((member) => [
          member.name,
          value(member.shape, member.name, depth + 1),
        ]),
      )
    if (shape.type === 'list')
      return Array.from({ length: below(3) }, () => value(shape.item, name, depth + 1))
    if (shape.type === 'map') return { [text('key')]: value(shape.value, name, depth + 1) }
    const written = scalar(shape, name)
    if (shape.type === 'integer' && Number.isFinite(Number(written))) return Number(written)
    return shape.type === 'boolean' ? written === 'true' : written
  }

  function jsonRequest(service: ServiceName, { name, input }: OperationModel): FuzzRequest {
    const recipes = jsonRecipes[name]
    const body =
      !recipes || below(2) === 0
        ? JSON.stringify(input ? value(input, name, 0) : {})
        : filled(JSON.stringify(pick(recipes)))
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `${modelOf(service).target}.${name}`,
    }
    return { method: 'POST', path: '/', headers, body: below(30) === 0 ? body.slice(1) : body }
  }

  function restRequest(operation: OperationModel): FuzzRequest {
    const { method } = operation.http!
    const recipes = restRecipes[operation.name]
    if (!recipes || below(2) === 0) return wildRest(operation)
    const [path, headers = {}, body = ''] = pick(recipes)
    const wild = wildRest(operation)
    const wrong = below(6)
    return {
      method,
      path: wrong === 0 ? wild.path : filled(path),
      headers: {
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, filled(value)])),
        ...(wrong === 1 && wild.headers),
      },
      body: wrong === 2 ? wild.body : filled(body),
    }
  }

  function wildRest({ http, input }: OperationModel): FuzzRequest {
    const [path = '', fixed = ''] = http!.uri.split('?')
    const query = fixed === '' ? [] : fixed.split('&')
    const headers: Record<string, string> = {}
    let body = ''
    let unbound = ''
    for (const { name, shape, xmlName, http: binding } of chosen(input?.members ?? [], 0)) {
      if (!binding) unbound += `<${xmlName}>${xml(shape, name, 0)}</${xmlName}>`
      else if (binding?.in === 'query')
        query.push(`${binding.name}=${encodeURIComponent(scalar(shape, name))}`)
      else if (binding?.in === 'header') headers[binding.name] = ascii(scalar(shape, name))
      else if (binding?.in === 'prefix-headers') headers[`${binding.name}a`] = ascii(text(name))
      else if (binding?.in === 'payload')
        body = shape.type === 'structure' ? `<${xmlName}>${xml(shape, name, 0)}</${xmlName}>` : text('body')
    }
    const bucket = input?.members.some((member) => member.name === 'Bucket') ? `/${encoded('Bucket')}` : ''
    const target = bucket + path.replaceAll(/\{(\w+)\+?\}/g, (_whole, label: string) => encoded(label))
    if (unbound !== '' && input) body = `<${input.xmlName}>${unbound}</${input.xmlName}>`
    const url = query.length > 0 ? `${target}?${query.join('&')}` : target
    return { method: http!.method, path: url, headers, body }
  }
  const encoded = (name: string) => encodeURIComponent(text(name))

  return {
    below,
    shuffled: <T>(items: readonly T[]): T[] =>
      items
        .map((item) => ({ item, at: random.next() }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ item }) => item),
    request(service: ServiceName, operation: OperationModel): FuzzRequest {
      if (operation.http) return restRequest(operation)
      if (modelOf(service).protocol === 'json') return jsonRequest(service, operation)
      const named: Pair[] = [
        ['Action', operation.name],
        ['Version', modelOf(service).version],
      ]
      const body = new URLSearchParams([...named, ...queryPairs(service, operation)]).toString()
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      return { method: 'POST', path: '/', headers, body }
    },
    /** Learns the names in an answer. */
    harvest(answer: string): void {
      const elements = /<(\w+)>([^<]{1,300})</g
      const members = /"(\w+)":"([^"\\]{1,300})"/g
      for (const [, name = '', raw = ''] of answer.matchAll(answer.startsWith('{') ? members : elements)) {
        if (/^(?:Message|Code|RequestId|HostId|Resource|__type)$/i.test(name)) continue
        const found = raw.replaceAll('&quot;', '"').replaceAll('&amp;', '&')
        const values = known.get(keyOf(name)) ?? []
        if (values.includes(found)) continue
        known.set(keyOf(name), [...values, found].slice(-VALUES_MAX))
        if (everything.length < EVERYTHING_MAX) everything.push(found)
        else everything[below(EVERYTHING_MAX)] = found
      }
    },
  }
}

const ascii = (value: string) => value.replace(/[^\t\u0020-\u007e]/g, '?').trim()
const escape = (value: string) => value.replace(/[&<>\r]/g, (character) => `&#${character.charCodeAt(0)};`)
