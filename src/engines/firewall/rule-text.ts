// Rules of nftables' JSON (libnftables-json(5)) as the lines that ruleset.ts and compile.ts write. Pure. What those never
// write comes out as JSON, so that it equals no line of theirs.
import { type FirewallRule, protocolOf } from './engine.ts'

export type Expression = { [kind: string]: unknown }

/** Listed with `--numeric`: what has names differs from system to system (/etc/protocols). */
export const ruleText = (expressions: Expression[], comment?: string): string =>
  [
    ...expressions.map((one) => expressionText(one) ?? JSON.stringify(one)),
    ...(comment === undefined ? [] : [`comment ${JSON.stringify(comment)}`]),
  ].join(' ')

function expressionText(one: Expression): string | undefined {
  const [kind = '', value] = Object.entries(one)[0] ?? []
  const of = value as { [key: string]: unknown }
  switch (kind) {
    case 'accept':
    case 'drop':
    case 'return':
      return kind
    case 'jump':
    case 'goto':
      return `${kind} ${String(of['target'])}`
    case 'reject':
      return of?.['type'] === 'tcp reset' ? 'reject with tcp reset' : undefined
    case 'match':
      return matchText(of)
    case 'vmap': {
      const key = leftText(of['key'])
      return key && `${key} vmap ${String(of['data'])}`
    }
    case 'mangle':
      return mangleText(of)
    default:
      return undefined
  }
}

function matchText({ op, left, right }: { [key: string]: unknown }): string | undefined {
  const what = leftText(left)
  const to = what && rightText(what, right)
  if (!to || !['==', 'in', '!='].includes(String(op))) return undefined
  return `${what} ${op === '!=' ? '!= ' : ''}${to}`
}

function mangleText({ key, value }: { [key: string]: unknown }): string | undefined {
  const what = leftText(key)
  if (what === 'meta mark') {
    if (typeof value === 'number') return `meta mark set ${value}`
    const { map } = (value ?? {}) as { map?: { key: unknown; data: unknown } }
    const from = map && leftText(map.key)
    return from && `meta mark set ${from} map ${String(map.data)}`
  }
  const { rt } = (value ?? {}) as { rt?: { key: string } }
  return what === 'tcp option maxseg size' && rt ? `${what} set rt ${rt.key}` : undefined
}

function leftText(left: unknown): string | undefined {
  const [kind = '', value] = Object.entries((left ?? {}) as Expression)[0] ?? []
  const of = (value ?? {}) as { [key: string]: string | undefined }
  if (kind === 'ct') return of['dir'] ? `ct ${of['dir']} ${of['key']}` : `ct ${of['key']}`
  if (kind === 'meta') return /^[io]ifname$/.test(of['key'] ?? '') ? of['key'] : `meta ${of['key']}`
  if (kind === 'payload' && of['protocol']) return `${of['protocol']} ${of['field']}`
  if (kind === 'tcp option') return `tcp option ${of['name']} ${of['field']}`
  return undefined
}

const STATES: [number, string][] = [
  [1, 'invalid'],
  [2, 'established'],
  [4, 'related'],
]

function rightText(left: string, right: unknown): string | undefined {
  if (Array.isArray(right) || typeof right === 'number' || typeof right === 'string') {
    const list = Array.isArray(right) ? right : [right]
    if (left === 'ct state') {
      const bits = list.reduce<number>((sum, one) => sum | Number(one), 0)
      const names = STATES.flatMap(([bit, name]) => (bits & bit ? name : []))
      return bits > 7 || bits === 0 || Number.isNaN(bits) ? undefined : names.join(',')
    }
    if (list.length !== 1) return undefined
    const [one] = list as (string | number)[]
    if (left === 'meta l4proto') return protocolOf(String(one))
    if (left === 'ct direction') return one === 0 ? 'original' : one === 1 ? 'reply' : undefined
    if (left === 'tcp flags') return one === 2 ? 'syn' : undefined
    return /^[io]ifname$/.test(left) ? JSON.stringify(one) : String(one)
  }
  const { prefix, range } = (right ?? {}) as {
    prefix?: { addr: string; len: number }
    range?: (string | number)[]
  }
  if (prefix) return `${prefix.addr}/${prefix.len}`
  return range && range.join('-')
}

const RULE =
  /^(?:ct original ip (saddr|daddr) (\S+) )?(?:meta l4proto (\w+)(?: ct original proto-dst (\d+)(?:-(\d+))?)? |icmp type (\d+)(?: icmp code (\d+))? )?(accept|meta mark set 4294967295 return) comment "(sgr-[0-9a-f]{8,17})"$/

/** A line of a group's chain → the rule that it carries; undefined when it is none of ours. */
export function ruleOfText(line: string, way: 'ingress' | 'egress'): FirewallRule | undefined {
  const [, end, peer, protocol, from, to, type, code, verdict, id = ''] = RULE.exec(line) ?? []
  const isIngress = way === 'ingress'
  if ((verdict === 'accept') !== isIngress || verdict === undefined) return undefined
  if (end !== undefined && end !== (isIngress ? 'saddr' : 'daddr')) return undefined
  const number = (text: string | undefined) => (text === undefined ? null : Number(text))
  const numbers = type === undefined ? [number(from), number(to ?? from)] : [number(type), number(code)]
  return {
    id,
    protocol: type === undefined ? (protocol ?? '-1') : 'icmp',
    fromPort: numbers[0]!,
    toPort: numbers[1]!,
    peer:
      peer === undefined
        ? { cidr4: '0.0.0.0/0' }
        : peer.startsWith('@')
          ? { group: peer.slice(1).replace('_', '-') }
          : { cidr4: peer.includes('/') ? peer : `${peer}/32` },
  }
}
