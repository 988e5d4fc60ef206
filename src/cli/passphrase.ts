// A passphrase comes from a file or a terminal: arguments and environments are everybody's to read.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { reasonOf } from '../kernel/errors.ts'
import { EXIT, Failure } from './failure.ts'

const CHARACTERS_MIN = 8

/** The first line of the file. Throws a Failure. */
export function readPassphrase(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Failure(`the passphrase cannot be read: ${reasonOf(error)}`)
  }
  return checked(text.split(/\r?\n/)[0] ?? '', `the first line of ${file}`)
}

/** Asked twice, not shown. */
export async function askNewPassphrase(): Promise<string> {
  const first = checked(await ask('Passphrase of the backup: '), 'the passphrase')
  if ((await ask('The same again: ')) !== first) throw new Failure('the two differ; nothing was written')
  return first
}

export const askPassphrase = (): Promise<string> => ask('Passphrase of the backup: ')

function checked(passphrase: string, what: string): string {
  if (passphrase.length >= CHARACTERS_MIN) return passphrase
  throw new Failure(`${what} has fewer than ${CHARACTERS_MIN} characters; nothing was written`)
}

function ask(question: string): Promise<string> {
  if (!process.stdin.isTTY)
    throw new Failure('this needs --passphrase-file when nobody can be asked', EXIT.usage)
  process.stderr.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  return new Promise((resolve, reject) => {
    lines.once('line', (line) => {
      resolve(line)
      lines.close()
    })
    lines.once('SIGINT', () => {
      lines.close()
      reject(new Failure('interrupted', 130))
    })
    lines.once('close', () => {
      process.stderr.write('\n')
      reject(new Failure('no passphrase was given'))
    })
  })
}
