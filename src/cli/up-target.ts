// Which environment `up` deploys a folder to: the one that this very folder was deployed to before, the one that is
// named, or a new one that is called like the folder. Never one that belongs to somebody else.
import { basename } from 'node:path'
import type { Environment } from './environments.ts'
import { EXIT, Failure } from './failure.ts'
import { linkOf } from './links.ts'

/** `there` is missing when it is to be made. */
export type Aim = { name: string; there: Environment | undefined }

/** Throws a Failure that says what to do when the folder's name is taken. */
export function aimOf(all: Environment[], homeId: string, dir: string, named: string | undefined): Aim {
  const link = linkOf(homeId, dir)
  const name = named ?? link?.name ?? nameOf(dir)
  const there = all.find((one) => one.name === name)
  if (!there || named !== undefined || link?.id === there.id) return { name, there }
  throw new Failure(
    `there is an environment ${name} (application ${there.application}) already, and it was not made from ${dir}. ` +
      `To deploy over it: polebean up ${dir} --name ${name}; to make another one, give it another name.`,
    EXIT.usage,
  )
}

/** AWS: 4 to 40 characters, letters, digits and dashes, not first or last a dash. */
export function nameOf(dir: string): string {
  const cleaned = basename(dir)
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 36)
    .replace(/-+$/, '')
  return cleaned.length >= 4 ? cleaned : `${cleaned || 'app'}-env`
}
