// Remembers which folder was deployed to which environment, in the user's own state folder (never in the application).
import { realpathSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { readFileIfAny, writeFileAtomic } from '../kernel/files.ts'
import { Failure } from './failure.ts'

/** By id, since a terminated environment's name may be another's by now. */
export type Link = { folder: string; name: string; id: string }
type Links = Record<string, { name: string; id: string }>

const fileOf = (homeId: string) =>
  join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local/state'), 'polebean', `links-${homeId}.json`)

function readLinks(homeId: string): Links {
  try {
    return JSON.parse(readFileIfAny(fileOf(homeId)) ?? '{}') as Links
  } catch (error) {
    throw new Failure(`${fileOf(homeId)} cannot be read (${(error as Error).message}); remove it`)
  }
}

/** The link of this very folder. */
export function linkOf(homeId: string, folder: string): Link | undefined {
  const path = realpathSync(folder)
  const link = readLinks(homeId)[path]
  return link && { folder: path, ...link }
}

/** The link of this folder, or of the nearest one that it lies in. */
export function linkAround(homeId: string, folder: string): Link | undefined {
  const links = readLinks(homeId)
  for (let path = realpathSync(folder); ; path = dirname(path)) {
    const link = links[path]
    if (link) return { folder: path, ...link }
    if (path === dirname(path)) return undefined
  }
}

export function linkFolder(homeId: string, folder: string, { name, id }: { name: string; id: string }): void {
  const links = { ...readLinks(homeId), [realpathSync(folder)]: { name, id } }
  writeFileAtomic(fileOf(homeId), `${JSON.stringify(links, null, 2)}\n`)
}

/** Of a home that is deleted. Links are the user's, not root's. */
export const forgetLinks = (homeId: string): void => rmSync(fileOf(homeId), { force: true })
