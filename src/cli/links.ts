// Remembers which folder was deployed to which environment, in the user's own state folder (never in the application). A
// file each, since several `up` may run at once.
import { createHash } from 'node:crypto'
import { realpathSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { readFileIfAny, writeFileAtomic } from '../kernel/files.ts'
import { Failure } from './failure.ts'

/** By id, since a terminated environment's name may be another's by now. */
export type Link = { folder: string; name: string; id: string }

const folderOf = (homeId: string) =>
  join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local/state'), 'polebean', `links-${homeId}`)

const fileOf = (homeId: string, folder: string) =>
  join(folderOf(homeId), `${createHash('sha256').update(folder).digest('hex').slice(0, 32)}.json`)

function read(homeId: string, folder: string): Link | undefined {
  const file = fileOf(homeId, folder)
  try {
    const text = readFileIfAny(file)
    return text === undefined ? undefined : (JSON.parse(text) as Link)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw new Failure(`${file} cannot be read (${(error as Error).message}); remove it`)
  }
}

/** The link of this very folder. */
export const linkOf = (homeId: string, folder: string): Link | undefined => read(homeId, realpathSync(folder))

/** The link of this folder, or of the nearest one that it lies in. */
export function linkAround(homeId: string, folder: string): Link | undefined {
  for (let path = realpathSync(folder); ; path = dirname(path)) {
    const link = read(homeId, path)
    if (link || path === dirname(path)) return link
  }
}

export function linkFolder(homeId: string, folder: string, { name, id }: { name: string; id: string }): void {
  const link: Link = { folder: realpathSync(folder), name, id }
  writeFileAtomic(fileOf(homeId, link.folder), `${JSON.stringify(link)}\n`)
}

/** Of a home that is deleted. Links are the user's, not root's. */
export const forgetLinks = (homeId: string): void =>
  rmSync(folderOf(homeId), { recursive: true, force: true })
