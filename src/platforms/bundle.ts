// Reads what a source bundle says about itself: names, sizes, and the few small files that decide how it is built.
// Runs in the control plane on hostile input, so it only reads the central directory and, when nothing is wrong with that,
// bounded texts; unpacking happens in a sandbox (assets/unpack.py).
import { stat } from 'node:fs/promises'
import { getFileNameLowLevel, openPromise, type Entry, type ZipFile } from 'yauzl'
import { reasonOf } from '../kernel/errors.ts'
import {
  BUNDLE_LIMITS,
  entryProblem,
  isFinderDebris,
  linkProblem,
  problemOf,
  type BundleEntry,
} from './bundle-entries.ts'

/** Plain JSON, so that it can be kept in a row beside the version. */
export type BundleListing = {
  kind: 'bundle'
  entries: number
  unpackedBytes: number
  /** First level, sorted; folders end in `/`. */
  topLevel: string[]
  /** Content of those of TEXTS that the bundle holds, by name. */
  texts: Record<string, string>
  /** What AWS would act on and we do not yet: `.ebextensions/01.config`, `Buildfile`, … The service must not ignore it. */
  unsupported: string[]
}

export type BundleProblem = { kind: 'problem'; problem: string }

const TEXTS = [
  'requirements.txt',
  'Pipfile',
  'Pipfile.lock',
  'Procfile',
  'package.json',
  'package-lock.json',
  'npm-shrinkwrap.json',
  '.npmrc',
]
const TEXT_BYTES_MAX = 8 << 20
const TEXT_BYTES_TOTAL = 16 << 20
const LINK_BYTES_MAX = 4096
const TOP_LEVEL_MAX = 10_000

/** Rejects only when the file cannot be read at all or the signal says so; what is wrong with its content is a `problem`. */
export async function inspectBundle(
  path: string,
  signal = new AbortController().signal,
): Promise<BundleListing | BundleProblem> {
  const { size } = await stat(path)
  if (size > BUNDLE_LIMITS.archiveBytes) return problem('The bundle is larger than 512 MB.')
  let zip: ZipFile | undefined
  try {
    zip = await openPromise(path, { lazyEntries: true, autoClose: false, decodeStrings: false })
    return await inspect(zip, signal)
  } catch (error) {
    if (signal.aborted) throw error
    return problem(`The bundle is not a zip file that can be read: ${reasonOf(error)}.`)
  } finally {
    zip?.close()
  }
}

const problem = (sentence: string): BundleProblem => ({ kind: 'problem', problem: sentence })

type Listed = { entry: BundleEntry; raw: Entry }

async function inspect(zip: ZipFile, signal: AbortSignal): Promise<BundleListing | BundleProblem> {
  if (zip.entryCount > BUNDLE_LIMITS.entries) {
    return problem(
      `The bundle holds ${zip.entryCount} entries; at most ${BUNDLE_LIMITS.entries} are allowed.`,
    )
  }
  const listed: Listed[] = []
  let pathBytes = 0
  for await (const raw of zip.eachEntry()) {
    signal.throwIfAborted()
    const entry = describeEntry(raw)
    if (entry.path === './') continue // the bundle itself: the eb client writes it
    const found = entryProblem(entry)
    if (found) return problem(found)
    pathBytes += raw.fileNameRaw.length
    if (pathBytes > BUNDLE_LIMITS.pathBytesTotal)
      return problem('The names in the bundle are longer than 16 MB together.')
    listed.push({ entry, raw })
  }
  const entries = listed.map(({ entry }) => entry)
  const found = problemOf(entries)
  if (found) return problem(found)

  const read = (raw: Entry, bytesMax: number) => readText(zip, raw, bytesMax, signal)
  for (const { entry, raw } of listed)
    if (entry.kind === 'link') entry.target = await read(raw, LINK_BYTES_MAX)
  const lost = linkProblem(entries)
  if (lost) return problem(lost)

  const texts = listed.filter(({ entry }) => entry.kind === 'file' && TEXTS.includes(entry.path))
  if (texts.reduce((sum, { entry }) => sum + entry.bytes, 0) > TEXT_BYTES_TOTAL)
    return problem(`The files ${TEXTS.join(', ')} are larger than 16 MB together.`)
  const contents: Record<string, string> = {}
  for (const { entry, raw } of texts) contents[entry.path] = await read(raw, TEXT_BYTES_MAX)
  return listingOf(entries, contents)
}

const UNIX = 3
const FILE_TYPE_MASK = 0o170000
const KINDS = new Map<number, BundleEntry['kind']>([
  [0, 'file'],
  [0o100000, 'file'],
  [0o040000, 'folder'],
  [0o120000, 'link'],
])

// External attributes: the upper half is a Unix mode when the archive was made on Unix (APPNOTE 4.4.2, 4.4.15).
function describeEntry(raw: Entry): BundleEntry {
  const path = nameOf(raw)
  const mode = raw.versionMadeBy >> 8 === UNIX ? raw.externalFileAttributes >>> 16 : 0
  return {
    path,
    kind: path.endsWith('/') ? 'folder' : (KINDS.get(mode & FILE_TYPE_MASK) ?? 'other'),
    bytes: raw.uncompressedSize,
    compressedBytes: raw.compressedSize,
    encrypted: raw.isEncrypted(),
    readable: raw.compressionMethod === 0 || raw.compressionMethod === 8,
  }
}

// Many tools write UTF-8 without the flag that says so.
function nameOf(raw: Entry): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(raw.fileNameRaw)
  } catch {
    return getFileNameLowLevel(raw.generalPurposeBitFlag, raw.fileNameRaw, [], true)
  }
}

async function readText(zip: ZipFile, raw: Entry, bytesMax: number, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  if (raw.uncompressedSize > bytesMax) throw new Error(`${nameOf(raw)} is larger than ${bytesMax} bytes`)
  const chunks: Buffer[] = []
  for await (const chunk of await zip.openReadStreamPromise(raw)) {
    signal.throwIfAborted()
    chunks.push(Buffer.from(chunk))
  }
  return Buffer.concat(chunks).toString()
}

function listingOf(entries: BundleEntry[], texts: Record<string, string>): BundleListing {
  const own = entries.filter((entry) => !isFinderDebris(entry.path))
  const topLevel = [...new Set(own.map(({ path }) => /^[^/]+\/?/.exec(path)?.[0] ?? path))].sort()
  return {
    kind: 'bundle',
    entries: own.length,
    unpackedBytes: own.reduce((sum, entry) => sum + entry.bytes, 0),
    topLevel: topLevel.slice(0, TOP_LEVEL_MAX),
    texts,
    unsupported: own
      .filter((entry) => entry.kind !== 'folder' && isUnsupported(entry.path))
      .map(({ path }) => path),
  }
}

// AWS reads `.ebextensions/*.config` of the first level only.
const isUnsupported = (path: string) =>
  /^\.ebextensions\/[^/]+\.config$/.test(path) ||
  path.startsWith('.platform/') ||
  ['Buildfile', 'cron.yaml', 'env.yaml'].includes(path)
