// Packs a folder into a source bundle: .ebignore, else .gitignore, is respected; version control, virtual environments
// and installed modules never go. The same files make the same bytes, so that nothing is deployed when nothing changed.
import { createHash } from 'node:crypto'
import {
  createReadStream,
  createWriteStream,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import ignore, { type Ignore } from 'ignore'
import { ZipFile } from 'yazl'
import { Failure } from './failure.ts'

const NEVER = [
  '.git',
  '.hg',
  '.svn',
  '.elasticbeanstalk',
  'node_modules',
  '__pycache__',
  '.DS_Store',
  '*.pyc',
  '.tox',
  '.mypy_cache',
  '.pytest_cache',
]
const SUSPECT = [/^\.env(\..+)?$/, /\.pem$/, /\.key$/, /^id_(rsa|ed25519|ecdsa)$/, /^credentials(\.json)?$/]
const ENTRIES_MAX = 100_000
const BUNDLE_BYTES_MAX = 512 * 1024 * 1024
// Zip stores local time without a zone; a fixed one makes equal folders equal bytes.
const FIXED_TIME = new Date(2000, 0, 1)

export type Bundle = {
  file: string
  /** What to remove when the upload is over. */
  folder: string
  sha256Hex: string
  bytes: number
  entries: number
  /** Paths that look like secrets; they are packed, and named to the user. */
  suspects: string[]
}

/** Throws a Failure with a plain sentence when the folder cannot be a bundle. */
export async function packFolder(dir: string): Promise<Bundle> {
  const paths = listFolder(dir)
  if (paths.length === 0) throw new Failure(`${dir} holds no file to deploy`)
  if (paths.length > ENTRIES_MAX) throw new Failure(`${dir} holds more than ${ENTRIES_MAX} files`)
  const folder = mkdtempSync(join(tmpdir(), 'polebean-up-'))
  const file = join(folder, 'bundle.zip')
  const zip = new ZipFile()
  for (const path of paths) {
    const full = join(dir, path)
    const stat = lstatSync(full)
    const mode = stat.mode & 0o111 ? 0o100755 : 0o100644
    if (stat.isSymbolicLink())
      zip.addBuffer(Buffer.from(readlinkSync(full)), path, { mode: 0o120777, mtime: FIXED_TIME })
    else zip.addReadStream(createReadStream(full), path, { mode, mtime: FIXED_TIME, forceDosTimestamp: true })
  }
  zip.end()
  await pipeline(zip.outputStream, createWriteStream(file))
  const bytes = statSync(file).size
  if (bytes > BUNDLE_BYTES_MAX)
    throw new Failure(
      `the bundle of ${dir} has ${megabytes(bytes)}; Elastic Beanstalk takes at most 512 MB (name what to leave out in .ebignore)`,
    )
  const suspects = paths.filter((path) => SUSPECT.some((pattern) => pattern.test(basename(path))))
  return { file, folder, sha256Hex: await hashOf(file), bytes, entries: paths.length, suspects }
}

export const megabytes = (bytes: number): string =>
  bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`

/** Paths of the files that go into the bundle, relative and sorted. */
export function listFolder(dir: string): string[] {
  const rules = ignore().add(NEVER)
  const own = ['.ebignore', '.gitignore'].find((name) => existsSync(join(dir, name)))
  if (own) rules.add(readFileSync(join(dir, own), 'utf8'))
  return walk(dir, '', rules).sort()
}

function walk(dir: string, under: string, rules: Ignore): string[] {
  const found: string[] = []
  for (const entry of readdirSync(join(dir, under), { withFileTypes: true })) {
    const path = under === '' ? entry.name : `${under}/${entry.name}`
    if (rules.ignores(entry.isDirectory() ? `${path}/` : path)) continue
    if (entry.isDirectory()) {
      if (!isVirtualEnvironment(join(dir, path))) found.push(...walk(dir, path, rules))
    } else if (entry.isFile() || entry.isSymbolicLink()) found.push(path)
  }
  return found
}

// PEP 405: a virtual environment is a folder with a pyvenv.cfg.
const isVirtualEnvironment = (dir: string) => existsSync(join(dir, 'pyvenv.cfg'))

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
