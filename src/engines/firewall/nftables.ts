// The firewall on nftables, in the router's namespace, through which every packet of the home passes (design §4).
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import { run } from '../../kernel/process.ts'
import { makeTurns } from '../../kernel/turns.ts'
import { hasNamespace, inNamespace, nft } from '../network/ip.ts'
import { checkModel } from './check-model.ts'
import { type Compiled, compile } from './compile.ts'
import { type FirewallEngine, type FirewallInForce, type FirewallModel, generationOf } from './engine.ts'
import { NOTHING_IN_FORCE } from './in-force.ts'
import { readRuleset } from './read-ruleset.ts'
import { changeRules, GENERATION_CHAIN, type Present, readGeneration, wholeRules } from './ruleset.ts'

/** What the firewall needs of the network; `Router` is one. */
export type FirewallNetwork = {
  names: { router: string }
  /** The table is there, its chain `forward` drops by policy, its other parts are right. */
  ensureTable(): Promise<void>
}

export type NftablesDeps = { clock: Pick<Clock, 'monotonic'>; network: FirewallNetwork }

export function makeNftables({ clock, network }: NftablesDeps): FirewallEngine {
  const inTurn = makeTurns()
  const namespace = network.names.router
  /** What this life knows to be in the table, unless somebody else was at it. */
  let known: { state: Compiled; generation: string; wholeAt: number } | undefined

  const list = async (...words: string[]): Promise<string> => {
    const argv = inNamespace(namespace, ['nft', '--terse', ...words]) // sets without their elements
    const { exit, stdout } = await run(argv, { outputBytesMax: LISTING_BYTES_MAX })
    return exit === 0 ? stdout.toString() : '' // no such table, or no such namespace
  }

  const applied = async (): Promise<string | null> => {
    // Of one chain, while we know which: a table of many groups has many.
    const chain =
      known &&
      readGeneration(await list('list', 'chain', 'inet', 'polebean', GENERATION_CHAIN(known.generation)))
    return chain ?? readGeneration(await list('list', 'table', 'inet', 'polebean'))
  }

  const replace = async (model: FirewallModel, generation: string) => {
    await network.ensureTable()
    const state = compile(model)
    await nft(namespace, wholeRules(state, generation, await readPresent()))
    known = { state, generation, wholeAt: clock.monotonic() }
  }

  const readPresent = async (): Promise<Present> => {
    const text = await list('--json', 'list', 'table', 'inet', 'polebean')
    if (text === '') throw new EngineError('the table of the router is not there')
    const { nftables } = JSON.parse(text) as { nftables: Record<string, { name?: string } | undefined>[] }
    const names = (kind: string) => nftables.flatMap((one) => one[kind]?.name ?? [])
    return { chains: names('chain'), sets: names('set'), maps: names('map') }
  }

  const apply = async (model: FirewallModel) => {
    checkModel(model)
    const generation = generationOf(model)
    if (!known || clock.monotonic() - known.wholeAt > WHOLE_EVERY_MS) return replace(model, generation)
    if (known.generation === generation) {
      if ((await applied()) !== generation) await replace(model, generation)
      return
    }
    const state = compile(model, known.state)
    try {
      await nft(namespace, changeRules(known.state, state, known.generation, generation))
    } catch {
      return replace(model, generation) // somebody else was at the table, or it is gone
    }
    known = { ...known, state, generation }
  }

  // Numbers, since the names of protocols are those of the machine. Not in turn: it is one look, and who looks may be another.
  const inForce = async (): Promise<FirewallInForce> => {
    if (!hasNamespace(namespace)) return NOTHING_IN_FORCE
    const words = ['nft', '--numeric', '--json', 'list', 'table', 'inet', 'polebean']
    const { exit, stdout, stderr, truncated } = await run(inNamespace(namespace, words), {
      outputBytesMax: LISTING_BYTES_MAX,
    })
    if (exit === 0 && !truncated) return readRuleset(stdout.toString())
    if (/No such file or directory/.test(stderr.toString())) return NOTHING_IN_FORCE // no such table
    throw new EngineError(
      `the rules in force cannot be read: ${stderr.toString().trim() || 'they are too many'}`,
    )
  }

  return {
    apply: (model) => inTurn('', () => apply(model)),
    applied: () => inTurn('', applied),
    inForce,
  }
}

/** Of thousands of groups. */
const LISTING_BYTES_MAX = 64 << 20
/** Should somebody have changed a part of the table, it is right again after so long. */
const WHOLE_EVERY_MS = 5 * 60_000
