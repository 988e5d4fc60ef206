// Orphans: what a home has on this machine after its folder was deleted by hand. A home is living while its home.json is
// there; of one that cannot be read nobody knows, so it is left alone.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { thingsByHome, type Facts, type Things } from '../engines/orphans/find.ts'
import { lookForThings, RUN } from '../engines/orphans/look.ts'
import { readClaims, type HomeClaims } from '../home-ports.ts'
import { readFileIfAny } from '../kernel/files.ts'

export type Orphans = { homes: Things[]; claims: HomeClaims['gone'] }

/** `homeDir`: one more folder that may be a home, beyond those that claim ports. Only root sees all. */
export async function findOrphans(homeDir: string): Promise<Orphans> {
  const claims = readClaims()
  const ids = [...claims.ids, ...idsOfTests()]
  const living = { ids: [...ids, idIn(homeDir) ?? []].flat(), damaged: claims.damaged }
  return { homes: orphansAmong(await lookForThings(), living, idIn), claims: claims.gone }
}

type Living = { ids: string[]; damaged: string[] }

/** Pure: those of no living home. `idOf`: the id in the home.json of a folder; undefined where there is none, '' unreadable. */
export function orphansAmong(
  facts: Facts,
  living: Living,
  idOf: (dir: string) => string | undefined,
): Things[] {
  return thingsByHome(facts).filter(({ id, dir }) => {
    if (living.ids.includes(id)) return false
    // Where it was is not known, and one of those is not known either.
    if (dir === undefined) return living.damaged.length === 0
    const there = idOf(dir)
    return there !== id && there !== ''
  })
}

function idIn(dir: string): string | undefined {
  try {
    const text = readFileIfAny(join(dir, 'home.json'))
    if (text === undefined) return undefined
    const { id } = JSON.parse(text) as { id?: unknown }
    return typeof id === 'string' ? id : ''
  } catch {
    return ''
  }
}

/** Tests of engines make things without a home.json, and claim them; `npm test` removes what they leave. */
function idsOfTests(): string[] {
  const folder = join(RUN, 'tests')
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap((name) => {
    try {
      return (JSON.parse(readFileIfAny(join(folder, name)) ?? '{}') as { id?: string }).id ?? []
    } catch {
      return []
    }
  })
}
