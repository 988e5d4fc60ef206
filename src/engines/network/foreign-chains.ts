// Firewalls written for nft itself: chains that drop or reject what is forwarded (or comes in), and our accept at their
// head. An accept is final in its own chain only, so every such chain needs one.
import { run } from '../../kernel/process.ts'

export type Hook = 'forward' | 'input'
export type Chain = { family: string; table: string; name: string; hook: Hook }

type Rule = {
  family: string
  table: string
  chain: string
  handle: number
  comment?: string
  expr?: unknown[]
}
type Item = {
  chain?: { family: string; table: string; name: string; hook?: string; policy?: string }
  rule?: Rule
}

/** Chains with a drop or a reject in them, by policy, by a rule, or by a chain that they lead to. Pure. */
export function blockingChains(ruleset: Item[]): Chain[] {
  const rules = ruleset.flatMap(({ rule }) => rule ?? [])
  const leadsToDrop = (family: string, table: string, chain: string, seen: string[]): boolean =>
    rules
      .filter((rule) => rule.family === family && rule.table === table && rule.chain === chain)
      .some(({ expr }) => {
        const text = JSON.stringify(expr ?? [])
        if (/"(drop|reject)":/.test(text)) return true
        const targets = [...text.matchAll(/"(?:jump|goto)":\{"target":"([^"]*)"/g)].map(([, to = '']) => to)
        return targets.some((to) => !seen.includes(to) && leadsToDrop(family, table, to, [...seen, to]))
      })
  return ruleset.flatMap(({ chain }) => {
    if (!chain || (chain.hook !== 'forward' && chain.hook !== 'input')) return []
    const { family, table, name, hook, policy } = chain
    if (family !== 'ip' && family !== 'inet') return []
    if (/^pb_[a-z0-9]{6}$/.test(table)) return [] // a home's own
    return policy === 'drop' || leadsToDrop(family, table, name, [name])
      ? [{ family, table, name, hook }]
      : []
  })
}

/** Of `chains` those that have no rule with our comment. Pure. */
export const unopened = (chains: Chain[], ruleset: Item[], comment: string): Chain[] =>
  chains.filter(
    ({ family, table, name }) =>
      !ruleset.some(
        ({ rule }) =>
          rule?.comment === comment && rule.family === family && rule.table === table && rule.chain === name,
      ),
  )

export async function readRuleset(): Promise<Item[]> {
  const listed = await run(['nft', '-j', 'list', 'ruleset'], { outputBytesMax: 64 << 20 })
  if (listed.exit !== 0) return []
  return (JSON.parse(listed.stdout.toString()) as { nftables: Item[] }).nftables
}

/** All rules or none. Answers whether it could: a table may belong to a program that lets nobody else write to it. */
export async function openChain(chain: Chain, rules: string[][], comment: string): Promise<boolean> {
  const { family, table, name } = chain
  const lines = rules.map(
    (rule) => `insert rule ${family} ${table} ${name} ${rule.join(' ')} accept comment "${comment}"\n`,
  )
  return (await run(['nft', '-f', '-'], { stdin: lines.join('') })).exit === 0
}

/** Takes our rules out of it again. */
export async function closeChain(chain: Chain, comment: string): Promise<void> {
  for (const { rule } of await readRuleset())
    if (
      rule?.comment === comment &&
      rule.family === chain.family &&
      rule.table === chain.table &&
      rule.chain === chain.name
    )
      await run(['nft', 'delete', 'rule', rule.family, rule.table, rule.chain, 'handle', String(rule.handle)])
}

export const commandFor = (chain: Chain, rules: string[][]): string =>
  rules
    .map((rule) => `nft insert rule ${chain.family} ${chain.table} ${chain.name} ${rule.join(' ')} accept`)
    .join('; ')
