// A passphrase in a file: arguments and environments are everybody's to read.
import { readFileSync, statSync } from 'node:fs'
import { EngineError, reasonOf } from '../kernel/errors.ts'

const CHARACTERS_MIN = 8

/** The first line of the file; `strict` refuses one that others may read. Throws a sentence without the passphrase. */
export function readPassphrase(file: string, { strict = false } = {}): string {
  let text: string
  try {
    if (strict && (statSync(file).mode & 0o077) !== 0)
      throw new EngineError(`${file} holds a passphrase and others may read it; chmod 600 ${file}`)
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof EngineError) throw error
    throw new EngineError(`the passphrase cannot be read: ${reasonOf(error)}`, { cause: error })
  }
  return checkPassphrase(text.split(/\r?\n/)[0] ?? '', `the first line of ${file}`)
}

/** Throws a sentence when it is too short to keep anybody out. */
export function checkPassphrase(passphrase: string, what: string): string {
  if (passphrase.length >= CHARACTERS_MIN) return passphrase
  throw new EngineError(`${what} has fewer than ${CHARACTERS_MIN} characters, so it is no passphrase`)
}
