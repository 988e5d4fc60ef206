// Which Polebean this is.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Of the clone or release whose top folder is `root`. */
export const versionIn = (root: string): string =>
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version

export const version = versionIn(join(import.meta.dirname, '..'))
