// What is in force, read from nftables' own listing of the table. Pure; the other direction is ruleset.ts. Whatever it does
// not know is told as strange: somebody else was at the table, and a rule too many may let in anybody.
import type { FirewallInForce, FirewallRule, GroupInForce } from './engine.ts'
import { sortGroups } from './in-force.ts'
import { type Expression, ruleOfText, ruleText } from './rule-text.ts'
import { forwardLines, REFUSE, RULE_OF_GENERATION } from './ruleset.ts'

type Chain = { name: string; hook?: string; policy?: string }
type Set = { name: string; elem?: unknown[] }
type Listed = {
  chain?: Chain
  set?: Set
  map?: Set
  rule?: { chain: string; expr: Expression[]; comment?: string }
}

const GROUP = /^sg_[0-9a-f]+$/
/** Chains at a hook: the table's own, and no other. */
const HOOKS: { [chain: string]: { hook: string; policy: string } } = {
  prerouting: { hook: 'prerouting', policy: 'accept' },
  flows: { hook: 'prerouting', policy: 'accept' },
  forward: { hook: 'forward', policy: 'drop' },
  input: { hook: 'input', policy: 'drop' },
}
/** Filled by the groups, and where the kernel can count. */
const MAY_BE_EMPTY = ['forward', 'flows']

/** `listed`: of `nft --numeric --json list table`. Throws a SyntaxError when it is no such text. */
export function readRuleset(listed: string): FirewallInForce {
  const all = (JSON.parse(listed) as { nftables: Listed[] }).nftables
  const chains = new Map(all.flatMap(({ chain }) => (chain ? [[chain.name, chain]] : [])))
  const lines = new Map([...chains.keys()].map((name) => [name, [] as string[]]))
  for (const { rule } of all) if (rule) lines.get(rule.chain)?.push(ruleText(rule.expr, rule.comment))
  const elementsOf = (kind: 'set' | 'map') =>
    new Map(all.flatMap((one) => (one[kind] ? [[one[kind].name, one[kind].elem ?? []]] : [])))
  const table = { chains, lines, sets: elementsOf('set'), maps: elementsOf('map'), strange: [] as string[] }

  const generations = [...lines].flatMap(([name, own]) =>
    name.startsWith('generation_') && own.includes(RULE_OF_GENERATION)
      ? name.slice('generation_'.length)
      : [],
  )
  const generation = generations[0] ?? null
  if (generations.length > 1)
    table.strange.push(`${generations.length} states of the groups claim to be in force.`)
  checkHooks(table)
  const groups = generation === null ? [] : readGroups(table)
  const cut = (table.sets.get('cut') ?? []).map(String).sort()
  if (generation === null) compareLines(table, 'forward', [], lines.get('forward') ?? [])
  else {
    compareLines(table, 'forward', forwardLines(cut.length > 0), lines.get('forward') ?? [])
    compareLines(table, 'refuse', REFUSE, lines.get('refuse') ?? [])
    checkMembers(table, groups)
  }
  return {
    generation,
    groups: sortGroups(groups),
    cut: generation === null ? [] : cut,
    closed: (table.sets.get('closed') ?? []).map(rangeText),
    strange: table.strange,
  }
}

function rangeText(element: unknown): string {
  if (typeof element === 'string') return `${element}/32`
  const { prefix, range } = element as { prefix?: { addr: string; len: number }; range?: [string, string] }
  return prefix ? `${prefix.addr}/${prefix.len}` : (range ?? []).join('-')
}

type Table = {
  chains: Map<string, Chain>
  lines: Map<string, string[]>
  sets: Map<string, unknown[]>
  maps: Map<string, unknown[]>
  strange: string[]
}

function checkHooks({ chains, lines, strange }: Table) {
  for (const [name, { hook, policy }] of Object.entries(HOOKS)) {
    const chain = chains.get(name)
    if (!chain) strange.push(`The chain ${name} of the table is missing.`)
    else if (chain.hook !== hook || chain.policy !== policy)
      strange.push(`The chain ${name} has the policy ${chain.policy ?? 'none'} instead of ${policy}.`)
    else if (!MAY_BE_EMPTY.includes(name) && lines.get(name)?.length === 0)
      strange.push(`The chain ${name} of the table has no rules.`)
  }
  for (const { name, hook } of chains.values())
    if (hook !== undefined && !(name in HOOKS))
      strange.push(`The chain ${name} of the table is not Polebean’s.`)
}

function readGroups({ sets, lines, strange }: Table): GroupInForce[] {
  return [...sets.keys()]
    .filter((name) => GROUP.test(name))
    .map((set) => {
      const id = set.replace('_', '-')
      const read = (way: 'ingress' | 'egress', chain: string) => {
        const own = lines.get(chain)
        if (!own)
          strange.push(
            `The chain ${chain} is missing: ${id} lets nobody ${way === 'ingress' ? 'in' : 'out'}.`,
          )
        return (own ?? []).flatMap((line): FirewallRule[] => {
          const rule = ruleOfText(line, way)
          if (!rule) strange.push(`A rule in the chain ${chain} is not Polebean’s: ${line}`)
          return rule ? [rule] : []
        })
      }
      const addresses = (sets.get(set) ?? []).map(String)
      return { id, addresses, ingress: read('ingress', `in_${set}`), egress: read('egress', `out_${set}`) }
    })
}

/** That members are led to the rules of their groups, and nobody to those of other ones. */
function checkMembers({ maps, lines, strange }: Table, groups: GroupInForce[]) {
  const marks = new Map((maps.get('marks') ?? []).map((one) => one as [string, number]))
  const ways = [
    ['egress', 'out'],
    ['ingress', 'in'],
  ] as const
  const groupsOf = new Map<string, string>()
  for (const { id, addresses } of groups)
    for (const address of addresses)
      groupsOf.set(address, [groupsOf.get(address) ?? [], id].flat().sort().join(' '))
  for (const [map, prefix] of ways) {
    const chainOf = new Map((maps.get(map) ?? []).map((one) => one as [number, Expression]))
    const led = (mark: number) => {
      const target = ruleText([chainOf.get(mark) ?? {}])
      const own = lines.get(`${prefix}_${mark}`)
      if (target !== `jump ${prefix}_${mark}` || !own) return undefined
      return own.map(
        (line) => new RegExp(`^jump ${prefix}_(sg_[0-9a-f]+)$`).exec(line)?.[1]?.replace('_', '-') ?? line,
      )
    }
    for (const address of new Set([...marks.keys(), ...groupsOf.keys()])) {
      const mark = marks.get(address)
      const found = (mark === undefined ? undefined : led(mark))?.toSorted().join(' ')
      const wanted = groupsOf.get(address)
      if (found !== wanted)
        strange.push(
          `For ${address} the ${map} rules of ${found || 'no group'} are asked, and it is a member of ${wanted ?? 'none'}.`,
        )
    }
  }
}

/** What is missing, what is too much, and an order that is not ours. */
function compareLines({ strange }: Table, chain: string, wanted: string[], found: string[]) {
  const left = [...wanted]
  found.forEach((line, index) => {
    const at = left.indexOf(line)
    if (at === -1) strange.push(`Rule ${index + 1} of the chain ${chain} is not Polebean’s: ${line}`)
    else left.splice(at, 1)
  })
  for (const line of left) strange.push(`A rule of the chain ${chain} is missing: ${line}`)
  if (left.length === 0 && wanted.length === found.length && wanted.join('\n') !== found.join('\n'))
    strange.push(`The rules of the chain ${chain} are not in Polebean’s order.`)
}
