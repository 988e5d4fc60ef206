// What is in force as nftables' text: values in, one transaction out. The table is the network's (network/ruleset.ts),
// which says who may speak as whom; the chain `forward`, and all that is led to from it, is ours.
import { UPLINK } from '../network/names.ts'
import { ALLOWED, type Compiled, setOf } from './compile.ts'

const T = 'inet polebean'
const generationChain = (generation: string) => `generation_${generation}`
export const RULE_OF_GENERATION = 'return comment "of the security groups in force"'

/** Chains, sets and maps of ours that a table may hold, by their names. */
export type Present = { chains: string[]; sets: string[]; maps: string[] }

const isOurs = (name: string) =>
  /^(sg_[0-9a-f]+|(in|out)_(sg_[0-9a-f]+|\d+)|generation_[0-9a-f]+|refuse|cut|marks|ingress|egress)$/.test(
    name,
  )
/** Of releases that had fixed rules. */
const isFormer = (name: string) => name === 'instances' || name === 'ports'

/** Everything anew, whatever of ours the table holds. */
export function wholeRules(state: Compiled, generation: string, present: Present): string {
  const chains = present.chains.filter(isOurs)
  const sets = present.sets.filter((name) => isOurs(name) || isFormer(name))
  const maps = present.maps.filter(isOurs)
  const { groups, combinations, marks, cut } = state
  return text([
    // Rules lead to chains and sets, maps lead to chains: in this order nothing that goes is still in use.
    `flush chain ${T} forward`,
    ...chains.map((name) => `flush chain ${T} ${name}`),
    ...maps.map((name) => `delete map ${T} ${name}`),
    ...sets.map((name) => `delete set ${T} ${name}`),
    ...chains.map((name) => `delete chain ${T} ${name}`),
    `add set ${T} cut { type ipv4_addr; }`,
    `add map ${T} marks { type ipv4_addr : mark; }`,
    `add map ${T} egress { type mark : verdict; }`,
    `add map ${T} ingress { type mark : verdict; }`,
    ...elements('add', 'cut', [...cut]),
    ...[...groups.keys()].flatMap(declareGroup),
    ...[...groups].flatMap(([id, { addresses }]) => elements('add', setOf(id), [...addresses])),
    ...[...groups].flatMap(([id, { ingress, egress }]) => [
      ...fill(`in_${setOf(id)}`, ingress),
      ...fill(`out_${setOf(id)}`, egress),
    ]),
    ...[...combinations].flatMap(([mark, ids]) => addCombination(mark, ids)),
    ...elements(
      'add',
      'marks',
      [...marks].map(([address, mark]) => `${address} : ${mark}`),
    ),
    `add chain ${T} refuse`,
    ...fill('refuse', REFUSE),
    ...fill('forward', forwardLines(cut.size > 0)),
    ...markGeneration(generation),
  ])
}

/** From one state to another. It fails whole when the table does not hold the state of generation `from`. */
export function changeRules(before: Compiled, after: Compiled, from: string, to: string): string {
  const added = [...after.groups.keys()].filter((id) => !before.groups.has(id))
  const removed = [...before.groups.keys()].filter((id) => !after.groups.has(id))
  const newCombinations = [...after.combinations].filter(([mark]) => !before.combinations.has(mark))
  const oldCombinations = [...before.combinations].filter(([mark]) => !after.combinations.has(mark))
  const moved = [...after.marks].filter(([address, mark]) => before.marks.get(address) !== mark)
  const left = [...before.marks].filter(([address, mark]) => after.marks.get(address) !== mark)
  return text([
    `flush chain ${T} ${generationChain(from)}`,
    `delete chain ${T} ${generationChain(from)}`,
    ...added.flatMap(declareGroup),
    ...[...after.groups].flatMap(([id, group]) => {
      const former = before.groups.get(id)
      return [
        ...difference(setOf(id), former?.addresses ?? new Set(), group.addresses),
        ...refill(`in_${setOf(id)}`, former?.ingress ?? [], group.ingress),
        ...refill(`out_${setOf(id)}`, former?.egress ?? [], group.egress),
      ]
    }),
    ...newCombinations.flatMap(([mark, ids]) => addCombination(mark, ids)),
    ...elements(
      'delete',
      'marks',
      left.map(([address]) => address),
    ),
    ...elements(
      'add',
      'marks',
      moved.map(([address, mark]) => `${address} : ${mark}`),
    ),
    ...difference('cut', before.cut, after.cut),
    ...refill('forward', forwardLines(before.cut.size > 0), forwardLines(after.cut.size > 0)),
    ...oldCombinations.flatMap(([mark]) => [
      ...['in', 'out'].flatMap((way) => [
        `delete element ${T} ${way}gress { ${mark} }`.replace('outgress', 'egress'),
        `flush chain ${T} ${way}_${mark}`,
        `delete chain ${T} ${way}_${mark}`,
      ]),
    ]),
    ...removed.flatMap((id) => [
      ...['in', 'out'].flatMap((way) => [
        `flush chain ${T} ${way}_${setOf(id)}`,
        `delete chain ${T} ${way}_${setOf(id)}`,
      ]),
      `delete set ${T} ${setOf(id)}`,
    ]),
    ...markGeneration(to),
  ])
}

/** Of `nft list chains` or of one chain: the generation in force. A table that was flushed has only the name left. */
export const readGeneration = (listed: string): string | null =>
  /chain generation_([0-9a-f]{16}) \{[^}]*return/.exec(listed)?.[1] ?? null

export const GENERATION_CHAIN = generationChain

/** What the chain `forward` holds; `cuts`: somebody's connections end with their rule. */
export function forwardLines(cuts: boolean): string[] {
  return [
    `oifname "${UPLINK}" tcp flags syn tcp option maxseg size set rt mtu`,
    ...(cuts
      ? [
          // Connections of these are asked again with each packet, by the addresses and ports of their first one.
          'ct state established ct original ip saddr != @cut ct original ip daddr != @cut accept',
          'ct state related accept',
          // An answer to a ping has another type; its question is asked about.
          'ct state established ct direction reply meta l4proto icmp accept',
        ]
      : ['ct state established,related accept']),
    'ct state invalid drop',
    `iifname "b*" oifname "${UPLINK}" ip daddr != @closed accept`,
    `iifname "${UPLINK}" ct direction original drop`,
    // HAProxy, for clients outside: it has asked the instance's groups about them.
    'ct original ip saddr @edges meta l4proto tcp accept',
    'meta mark set 0',
    'meta mark set ct original ip saddr map @marks',
    'meta mark vmap @egress',
    `meta mark != ${ALLOWED} goto refuse`,
    // Outside of the VPC there is no other end. Balancers have no business there.
    'ct original ip daddr != @closed ct original ip saddr != @balancers accept',
    'meta mark set 0',
    'meta mark set ct original ip daddr map @marks',
    'meta mark vmap @ingress',
    'goto refuse',
  ]
}

export const REFUSE = ['ct state established meta l4proto tcp reject with tcp reset', 'drop']

const declareGroup = (id: string): string[] => [
  `add set ${T} ${setOf(id)} { type ipv4_addr; }`,
  `add chain ${T} in_${setOf(id)}`,
  `add chain ${T} out_${setOf(id)}`,
]

const addCombination = (mark: number, ids: string[]): string[] => [
  ...['in', 'out'].flatMap((way) => [
    `add chain ${T} ${way}_${mark}`,
    ...fill(
      `${way}_${mark}`,
      ids.map((id) => `jump ${way}_${setOf(id)}`),
    ),
  ]),
  // Not goto: from there nothing comes back to `refuse`, and a connection that is cut would be told nothing.
  `add element ${T} ingress { ${mark} : jump in_${mark} }`,
  `add element ${T} egress { ${mark} : jump out_${mark} }`,
]

const markGeneration = (generation: string): string[] => [
  `add chain ${T} ${generationChain(generation)}`,
  ...fill(generationChain(generation), [RULE_OF_GENERATION]),
]

const fill = (chain: string, lines: string[]): string[] =>
  lines.map((line) => `add rule ${T} ${chain} ${line}`)

const refill = (chain: string, before: string[], after: string[]): string[] =>
  before.join('\n') === after.join('\n') ? [] : [`flush chain ${T} ${chain}`, ...fill(chain, after)]

const difference = (set: string, before: ReadonlySet<string>, after: ReadonlySet<string>): string[] => [
  ...elements(
    'delete',
    set,
    [...before].filter((one) => !after.has(one)),
  ),
  ...elements(
    'add',
    set,
    [...after].filter((one) => !before.has(one)),
  ),
]

const elements = (verb: 'add' | 'delete', set: string, list: string[]): string[] =>
  list.length > 0 ? [`${verb} element ${T} ${set} { ${list.join(', ')} }`] : []

const text = (lines: string[]): string => lines.join('\n') + '\n'
