// Asks for a passphrase on the terminal, without showing it.
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { checkPassphrase } from '../backup/passphrase.ts'
import { EXIT, Failure } from './failure.ts'

/** Asked twice, since nobody sees what is typed. */
export async function askNewPassphrase(): Promise<string> {
  const first = checkPassphrase(await askPassphrase(), 'it')
  if ((await ask('The same again: ')) !== first) throw new Failure('the two differ; nothing was written')
  return first
}

export const askPassphrase = (): Promise<string> => ask('Passphrase of the backup: ')

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
      reject(new Failure('interrupted; nothing was left behind', 130))
      lines.close()
    })
    lines.once('close', () => {
      process.stderr.write('\n')
      reject(new Failure('no passphrase was given'))
    })
  })
}
