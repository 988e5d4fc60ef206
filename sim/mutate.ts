// Loads the simulator once more, on a product with one seeded bug: modules of a mutant carry its number in their URL,
// and the source of the one that has the bug is changed on its way in. Nothing in the product knows of it.
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Mutant } from './mutants.ts'

const ROOT = new URL('../', import.meta.url)
const QUERY = /[?&]mutant=(\d+)$/

export const sourceOf = ({ file }: Mutant) => readFileSync(fileURLToPath(new URL(file, ROOT)), 'utf8')

const hunted: Mutant[] = []

/** How often the expression that is replaced occurs. */
export const occurrences = (mutant: Mutant) => sourceOf(mutant).split(mutant.find).length - 1

/** Where the mutant was caught, e.g. `seed 7: …`, or undefined when it survives. */
export async function hunt(mutant: Mutant, seedsMax: number): Promise<string | undefined> {
  const number = hunted.push(mutant) - 1
  const load = <T>(name: string): Promise<T> => import(`./${name}?mutant=${number}`) as Promise<T>
  const trial = await trialOf(mutant, load)
  for (let seed = 1; seed <= seedsMax; seed++) {
    const wrong = await trial(seed).catch((error: unknown) => [String(error)])
    if (wrong.length > 0) return `${mutant.by} ${seed}: ${wrong[0]}`
  }
  return undefined
}

type Load = <T>(name: string) => Promise<T>
type Trial = (seed: number) => Promise<string[]>

async function trialOf({ by }: Mutant, load: Load): Promise<Trial> {
  if (by === 'seeds') {
    const { play } = await load<typeof import('./play.ts')>('play.ts')
    return async (seed) => (await play(seed)).wrong
  }
  if (by === 'identity') return (await load<typeof import('./identity.ts')>('identity.ts')).sleepThrough
  if (by === 'days') {
    const { liveDays } = await load<typeof import('./days.ts')>('days.ts')
    return async (seed) => (await liveDays(seed, 1)).wrong
  }
  if (by === 'scaling') return (await load<typeof import('./scaling.ts')>('scaling.ts')).scale
  const { dieAt, SWEEPS, terminateAt } = await load<typeof import('./sweep.ts')>('sweep.ts')
  const [kind, name = ''] = by.split(': ')
  const sweep = SWEEPS[name]
  if (!sweep) throw new Error(`there is no ${by}`)
  return (gate) => (kind === 'terminate' ? terminateAt(sweep, gate) : dieAt(sweep, gate, gate % 2 === 0))
}

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    const number = QUERY.exec(context.parentURL ?? '')?.[1]
    const isOurs = resolved.url.startsWith(ROOT.href) && !resolved.url.includes('/node_modules/')
    if (number === undefined || !isOurs || QUERY.test(resolved.url)) return resolved
    return { ...resolved, url: `${resolved.url}?mutant=${number}` }
  },
  load(url, context, next) {
    const number = QUERY.exec(url)?.[1]
    const mutant = number === undefined ? undefined : hunted[Number(number)]
    const loaded = next(url, context)
    if (!mutant || pathToFileURL(fileURLToPath(url)).href !== new URL(mutant.file, ROOT).href) return loaded
    return { ...loaded, source: sourceOf(mutant).replace(mutant.find, () => mutant.replace) }
  },
})
