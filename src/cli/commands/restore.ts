// `restore`: a home out of a backup, on a machine or in a folder that has none. It starts nothing.
import { createReadStream } from 'node:fs'
import { readPassphrase } from '../../backup/passphrase.ts'
import { checkPlace, restore as restoreHome } from '../../backup/restore.ts'
import { invokingUser } from '../../home.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { systemRandom } from '../../kernel/random.ts'
import { EXIT, Failure } from '../failure.ts'
import { interruption } from '../interruption.ts'
import { note, print, printJson } from '../output.ts'
import { askPassphrase } from '../passphrase.ts'

type Options = { json?: boolean; passphraseFile?: string; apiPort?: string; httpPort?: string }

export async function restore(homeDir: string, file: string, options: Options): Promise<void> {
  if (process.getuid!() !== 0)
    throw new Failure('restore needs root (a home is root’s); use sudo', EXIT.usage)
  const ports = {
    ...portOf('api', options.apiPort),
    ...portOf('http', options.httpPort),
  }
  checkPlace(homeDir)
  const { passphraseFile } = options
  const signal = interruption()
  const source = file === '-' ? process.stdin : await opened(file)
  const name = file === '-' ? 'the backup' : file
  const { home, manifest } = await restoreHome({
    source,
    file: name,
    dir: homeDir,
    passphrase: async () =>
      passphraseFile === undefined ? askPassphrase(signal) : readPassphrase(passphraseFile),
    random: systemRandom,
    owner: invokingUser(),
    ports,
    signal,
  }).catch((error: unknown) => {
    throw signal.aborted ? signal.reason : error
  })
  const { createdAt, files, missing } = manifest
  if (options.json) return printJson({ home: homeDir, id: home.id, createdAt, files: files.length, missing })
  print(`${homeDir} is the home ${home.id} as it was at ${createdAt} (${files.length} files, all checked).`)
  if (missing.length > 0)
    note(
      `${missing.length} bodies of objects were lost before the backup was made: ${missing.slice(0, 5).join(', ')}`,
    )
  note(
    'Start it with: polebean start. Dependencies are built again, which takes as long as it did the first time.',
  )
}

function portOf(kind: 'api' | 'http', text: string | undefined): { api?: number; http?: number } {
  if (text === undefined) return {}
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Failure(`--${kind}-port must be a port, not '${text}'`, EXIT.usage)
  return { [kind]: port }
}

function opened(file: string): Promise<NodeJS.ReadableStream & AsyncIterable<Buffer>> {
  return new Promise((resolve, reject) => {
    const stream = createReadStream(file, { highWaterMark: 256 * 1024 })
    stream.once('open', () => resolve(stream))
    stream.once('error', (error) => reject(new Failure(`${file} cannot be read: ${reasonOf(error)}`)))
  })
}
