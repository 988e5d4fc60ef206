// `backup`: the server takes the moment and streams it, or this command does when no server runs. What is sealed is sealed
// here, so that the passphrase goes nowhere.
import { createWriteStream } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { checkDestination, writeBackup } from '../../backup/destination.ts'
import { backupOfStopped } from '../../backup/make.ts'
import { readPassphrase } from '../../backup/passphrase.ts'
import { checkFolder, type BackupsStatus } from '../../backup/scheduled.ts'
import { seal } from '../../backup/seal.ts'
import { megabytes } from '../../backup/unpack.ts'
import { readHome } from '../../home.ts'
import { systemClock } from '../../kernel/clock.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { systemRandom } from '../../kernel/random.ts'
import { openApi, type Api } from '../client.ts'
import { EXIT, Failure } from '../failure.ts'
import { interruption } from '../interruption.ts'
import { note, print, printJson, printTable, UNREAD } from '../output.ts'
import { askNewPassphrase } from '../passphrase.ts'
import { answers } from '../start-server.ts'

type Options = {
  json?: boolean
  force?: boolean
  encrypt?: boolean
  passphraseFile?: string
  every?: string
  keep?: string
  list?: boolean
}

export async function backup(homeDir: string, file: string | undefined, options: Options): Promise<void> {
  if (options.list) return list(homeDir, options)
  if (options.every !== undefined) return schedule(homeDir, file, options.every, options)
  if (options.keep !== undefined) throw new Failure('--keep belongs to --every', EXIT.usage)
  if (file === undefined)
    throw new Failure('backup needs the name of a file, or - for standard output', EXIT.usage)
  const signal = interruption()
  if (file !== '-') checkDestination(file, options.force === true)
  else if (process.stdout.isTTY) throw new Failure('a backup is not for a terminal; name a file', EXIT.usage)
  const passphrase = await passphraseOf(options, signal)
  const { stream, homeId } = await open(homeDir)
  const content = passphrase === undefined ? stream : seal(stream, passphrase, systemRandom)
  try {
    if (file === '-') return await writeOut(content, signal)
    const bytes = await writeBackup(content, file, { force: options.force === true, signal })
    if (options.json) return printJson({ file, bytes, home: homeId, sealed: passphrase !== undefined })
    print(`${file}: ${megabytes(bytes)}, all of the home ${homeId} (${homeDir}).`)
    note(
      passphrase === undefined
        ? 'Whoever reads it has its access keys and environment properties.'
        : 'Without its passphrase nobody can restore it, you neither.',
    )
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw isLost(error)
      ? new Failure(`the server ended before the backup was whole: ${reasonOf(error)}`)
      : error
  } finally {
    stream.destroy()
  }
}

/** Not by process.stdout: a reader that goes would end us before what was staged is removed. */
async function writeOut(content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  try {
    await pipeline(content, createWriteStream('-', { fd: 1 }), { signal })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    process.exitCode = UNREAD
  }
}

const isLost = (error: unknown) =>
  ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')

async function passphraseOf(
  { encrypt, passphraseFile }: Options,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (passphraseFile !== undefined) return readPassphrase(passphraseFile)
  return encrypt ? askNewPassphrase(signal) : undefined
}

async function open(homeDir: string): Promise<{ stream: Readable; homeId: string }> {
  const home = readHome(homeDir)
  if (!home) throw new Failure(`there is no Polebean home in ${homeDir}`)
  if (await answers(homeDir))
    return { stream: await openApi(homeDir).stream('/polebean/backup'), homeId: home.id }
  if (process.getuid!() !== 0)
    throw new Failure(`Polebean (home ${homeDir}) is not running, and only root can read it then; use sudo`)
  return { stream: backupOfStopped(home, systemClock.now()), homeId: home.id }
}

/** The settings are those of config.yaml: `polebean config get` shows them, too. */
async function schedule(
  homeDir: string,
  folder: string | undefined,
  every: string,
  { keep, passphraseFile, encrypt, json }: Options,
): Promise<void> {
  const { set, unset } = await import('./config.ts')
  if (encrypt) throw new Failure('the server cannot be asked: use --passphrase-file', EXIT.usage)
  if (every === 'off') {
    await unset(homeDir, 'backup.folder', {})
    return json ? printJson({ folder: null }) : note('The server makes no more backups by itself.')
  }
  if (folder === undefined) throw new Failure('--every needs the folder for the backups', EXIT.usage)
  const path = resolve(folder)
  checkFolder(path, homeDir)
  await set(homeDir, 'backup.every', every, {})
  if (keep !== undefined) await set(homeDir, 'backup.keep', keep, {})
  if (passphraseFile === undefined) await unset(homeDir, 'backup.passphraseFile', {})
  else await set(homeDir, 'backup.passphraseFile', resolve(passphraseFile), {})
  await set(homeDir, 'backup.folder', path, {})
  if (json) printJson({ folder: path })
}

/** Null of a server that cannot say. */
export const readBackups = async (api: Api): Promise<BackupsStatus | null> =>
  (JSON.parse(await api.get('/polebean/status')) as { backups: BackupsStatus | null }).backups

async function list(homeDir: string, { json }: Options): Promise<void> {
  const status = await readBackups(openApi(homeDir))
  const { schedule: wanted = null, last = null, files = [] } = status ?? {}
  if (json) return printJson(status)
  if (!wanted) return print('The server makes no backups by itself (backup --every 24h --keep 7 FOLDER).')
  printTable(
    ['TIME (UTC)', 'SIZE', 'FILE'],
    files.map(({ name, at, bytes }) => [
      new Date(at).toISOString().slice(0, 16).replace('T', ' '),
      megabytes(bytes),
      join(wanted.folder, name),
    ]),
  )
  if (last?.failure) throw new Failure(`the last one failed: ${last.failure}`)
}
