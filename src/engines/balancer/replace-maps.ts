// Maps of a running HAProxy get another content, all of them at once: each is filled beside the one in force, then all are
// put in its place (management.txt §9.3, "prepare map").
import { EngineError } from '../../kernel/errors.ts'
import { ask, tell, word } from './socket.ts'

/**
 * Of one question, with what it brings. HAProxy takes what fits into one of its buffers (16 KiB), and closes the connection without a
 * word for more (seen with 2.6).
 */
const QUESTION_BYTES_MAX = 12_000

/** Pieces that together have at most `bytesMax`, in their order; one that is longer is alone. */
export function portions(pieces: string[], bytesMax: number): string[][] {
  const all: string[][] = []
  let bytes = Infinity
  for (const piece of pieces) {
    const own = Buffer.byteLength(piece)
    if (bytes + own > bytesMax) {
      all.push([])
      bytes = 0
    }
    all.at(-1)!.push(piece)
    bytes += own
  }
  return all
}

/** `changed`: path → content. Few questions, since each costs a connection and a revoked client is let in until the last is answered. */
export async function replaceMaps(socket: string, changed: ReadonlyMap<string, string>): Promise<void> {
  const maps = [...changed].map(([path, content]) => ({ path: word(path), content, version: '' }))
  const versions: string[] = []
  for (const asked of portions(
    maps.map(({ path }) => `prepare map ${path}`),
    QUESTION_BYTES_MAX,
  )) {
    const said = await ask(socket, asked.join('; '))
    const found = [...said.matchAll(/New version created: (\d+)/g)].map(([, version]) => version!)
    if (found.length !== asked.length)
      throw new EngineError(`HAProxy, asked to prepare ${asked.length} maps: ${said.trim()}`)
    versions.push(...found)
  }
  for (const [index, map] of maps.entries()) map.version = versions[index]!
  // The portions of a map one after the other: of ends of names HAProxy takes the first that fits.
  const fill = async ({ path, content, version }: (typeof maps)[number]) => {
    for (const lines of portions(content.match(/.+\n/g) ?? [], QUESTION_BYTES_MAX))
      await tell(socket, `add map @${version} ${path} <<\n${lines.join('')}`)
  }
  await Promise.all(maps.map(fill))
  for (const commits of portions(
    maps.map(({ path, version }) => `commit map @${version} ${path}`),
    QUESTION_BYTES_MAX,
  ))
    await tell(socket, commits.join('; '))
}
