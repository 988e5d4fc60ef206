// Which release `upgrade` is to bring: its file or URL is named, or its version, or it is the newest of `releases.source`.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '../../config/file.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { Failure } from '../failure.ts'
import { compareVersions, isVersion } from '../release.ts'
import { downloadText } from './download.ts'
import { requireNewer } from './unpack.ts'

/** `upToDate`: a sentence that says that nothing newer is there. */
export type Found = { source: string } | { upToDate: string }

const LATEST_BYTES_MAX = 1_024

/** The setting of a home. */
export const sourceOf = (homeDir: string) => (): string | null => readConfig(homeDir).releases.source

/**
 * `now` is the version that runs; `readSource` is called only where the setting is needed. Throws a sentence when it is
 * missing then, or what is named is not newer.
 */
export async function findRelease(
  readSource: () => string | null,
  now: string,
  given?: string,
): Promise<Found> {
  if (given !== undefined && !isVersion(given)) return { source: given }
  const source = readSource()
  if (source === null)
    throw new Failure(
      `nothing says where ${given ?? 'the newest release'} lies: name its file or https URL, or where all are: ` +
        `polebean config set releases.source https://HOST/FOLDER (or a folder)`,
    )
  const version = given ?? (await latestOf(source))
  if (given === undefined && compareVersions(version, now) <= 0)
    return { upToDate: `Polebean is ${now}; ${source} has nothing newer (latest is ${version}).` }
  requireNewer(version, now)
  return { source: within(source, `polebean-${version}-linux-${process.arch}.tar.gz`) }
}

async function latestOf(source: string): Promise<string> {
  const path = within(source, 'latest')
  const version = (source.startsWith('/') ? readShort(path) : await downloadText(path)).trim()
  if (!isVersion(version))
    throw new Failure(`${path} names no version; npm run release writes it beside the releases`)
  return version
}

function readShort(path: string): string {
  try {
    if (!(statSync(path).size <= LATEST_BYTES_MAX)) throw new Failure(`${path} names no version`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`${path} cannot be read: ${reasonOf(error)}`)
  }
}

const within = (source: string, name: string) =>
  source.startsWith('/') ? join(source, name) : `${source.replace(/\/$/, '')}/${name}`
