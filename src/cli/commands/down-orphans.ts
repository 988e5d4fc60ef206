// `down --orphans` removes what homes left on this machine whose folder was deleted by hand. Never anything of a living one.
import { describeThings } from '../../engines/orphans/find.ts'
import { removeThings } from '../../engines/orphans/remove.ts'
import { removeClaims } from '../../home-ports.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { EXIT, Failure } from '../failure.ts'
import { findOrphans } from '../orphans.ts'
import { note, print, printJson } from '../output.ts'
import { asRoot } from '../start-server.ts'
import { confirmName } from './change.ts'

export async function downOrphans(
  homeDir: string,
  { force, json }: { force?: boolean; json?: boolean },
): Promise<void> {
  const { homes, claims } = await findOrphans(homeDir)
  const gone = [...new Set(claims.map(({ dir }) => dir))]
  const removed = { homes: homes.map(({ id }) => id), claims: gone }
  // Only root sees all of it, so root asks as well.
  if (process.getuid!() !== 0) {
    asRoot(['down', '--orphans', '--home', homeDir, ...(force ? ['--force'] : [])])
    if (json) printJson(removed)
    return
  }
  const lines = homes.map(
    (things) => `home ${things.id}${things.dir ? ` (${things.dir})` : ''}: ${describeThings(things)}`,
  )
  if (gone.length > 0) lines.push(`claims of ports by homes that are gone: ${gone.join(', ')}`)
  if (lines.length > 0 && !force) {
    note(
      `No home is left for these, and they are removed with every process in them:\n  ${lines.join('\n  ')}`,
    )
    await confirmName('orphans')
  }
  const failures: string[] = []
  for (const things of homes)
    await removeThings(things).catch((error: unknown) => void failures.push(reasonOf(error)))
  removeClaims(claims)
  if (failures.length > 0)
    throw new Failure(`not everything could be removed:\n  ${failures.join('\n  ')}`, EXIT.failed)
  if (json) return printJson(removed)
  for (const line of lines) print(`removed: ${line}`)
  if (lines.length === 0) note('There are no orphans.')
}
