// Remembers which folder was deployed to which environment, in the user's own state folder (never in the application).
import { rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { readFileIfAny, writeFileAtomic } from '../kernel/files.ts'

type Links = Record<string, string>

const fileOf = (homeId: string) =>
  join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local/state'), 'polebean', `links-${homeId}.json`)

const readLinks = (homeId: string): Links => JSON.parse(readFileIfAny(fileOf(homeId)) ?? '{}') as Links

export const linkedEnvironment = (homeId: string, folder: string): string | undefined =>
  readLinks(homeId)[folder]

export function linkEnvironment(homeId: string, folder: string, environment: string): void {
  writeFileAtomic(
    fileOf(homeId),
    `${JSON.stringify({ ...readLinks(homeId), [folder]: environment }, null, 2)}\n`,
  )
}

/** Of a home that is deleted. Links are the user's, not root's. */
export const forgetLinks = (homeId: string): void => rmSync(fileOf(homeId), { force: true })
