// Asks for a passphrase on the terminal, without showing it.
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { checkPassphrase } from '../backup/passphrase.ts'
import { EXIT, Failure } from './failure.ts'

/** Asked twice, since nobody sees what is typed. Rejects when `signal` is aborted. */
export async function askNewPassphrase(signal: AbortSignal): Promise<string> {
  const first = checkPassphrase(await askPassphrase(signal), 'it')
  if ((await ask('The same again: ', signal)) !== first)
    throw new Failure('the two differ; nothing was written')
  return first
}

export const askPassphrase = (signal: AbortSignal): Promise<string> =>
  ask('Passphrase of the backup: ', signal)

function ask(question: string, signal: AbortSignal): Promise<string> {
  if (!process.stdin.isTTY)
    throw new Failure('this needs --passphrase-file when nobody can be asked', EXIT.usage)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true, signal })
  // Only now: before, the terminal would show what is typed.
  process.stderr.write(question)
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
      reject(signal.aborted ? signal.reason : new Failure('no passphrase was given'))
    })
  })
}
