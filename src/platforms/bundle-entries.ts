// What a source bundle may hold, judged by its central directory alone: nothing is unpacked on this side.
// The sandbox that unpacks checks again (assets/unpack.py), because a zip file may lie about itself.
import { posix } from 'node:path'

export type BundleEntry = {
  /** Path as in the archive; folders end in `/`. */
  path: string
  kind: 'file' | 'folder' | 'link' | 'other'
  bytes: number
  compressedBytes: number
  encrypted: boolean
  /** Deflate or stored; anything else cannot be unpacked. */
  readable: boolean
  /** Where a symbolic link leads, as written in it. */
  target?: string
}

export const BUNDLE_LIMITS = {
  /** AWS: "Not exceed 512 MB", developer guide, applications-sourcebundle. */
  archiveBytes: 512 << 20,
  unpackedBytes: 2 * 1024 ** 3,
  entries: 100_000,
  pathBytes: 1024,
  nameBytes: 255,
  /** Of all paths together: the directory is held in memory, compared and sorted. */
  pathBytesTotal: 16 << 20,
  links: 10_000,
  /** An entry is a bomb when it is both: this much larger than its packed form, and this large. */
  ratio: 100,
  ratioBytes: 100 << 20,
}

/** What is wrong with one entry whatever the others are, as a plain sentence that names it. */
export const entryProblem = (entry: BundleEntry): string | undefined =>
  nameProblem(entry) ?? contentProblem(entry)

/** What is wrong with entries that are right one by one: all that can be said before anything is read. */
export function problemOf(entries: BundleEntry[]): string | undefined {
  const own = entries.filter((entry) => !isFinderDebris(entry.path))
  if (own.length === 0) return 'The bundle is empty.'
  return totalProblem(entries) ?? duplicateProblem(entries) ?? parentFolderProblem(own)
}

/** macOS's Finder adds resource forks that no application wants. */
export const isFinderDebris = (path: string) =>
  path.startsWith('__MACOSX/') || posix.basename(path) === '.DS_Store'

function nameProblem({ path }: BundleEntry): string | undefined {
  const shown = show(path)
  if (path === '' || /\p{Cc}|\ufffd/u.test(path))
    return `The name of the entry ${shown} has characters that no file may have.`
  if (path.includes('\\'))
    return `The entry ${shown} is written with backslashes: make the zip file with forward slashes.`
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return `The entry ${shown} has an absolute path.`
  const names = path.split('/')
  if (path.endsWith('/')) names.pop()
  if (names.includes('..')) return `The entry ${shown} leads out of the bundle.`
  if (names.includes('.') || names.includes(''))
    return `The entry ${shown} has an empty name or a dot in its path.`
  const tooLong = names.some((name) => Buffer.byteLength(name) > BUNDLE_LIMITS.nameBytes)
  if (tooLong || Buffer.byteLength(path) > BUNDLE_LIMITS.pathBytes)
    return `The name of the entry ${shown} is too long.`
  return undefined
}

function contentProblem(entry: BundleEntry): string | undefined {
  const shown = show(entry.path)
  if (entry.encrypted) return `The entry ${shown} is encrypted.`
  if (!entry.readable) return `The entry ${shown} is packed by a method other than deflate.`
  if (entry.kind === 'other') return `The entry ${shown} is neither a file, a folder nor a link.`
  const ratio = entry.bytes / Math.max(1, entry.compressedBytes)
  if (entry.bytes > BUNDLE_LIMITS.ratioBytes && ratio > BUNDLE_LIMITS.ratio) {
    return `The entry ${shown} would unpack to ${Math.round(ratio)} times its size (${mebibytes(entry.bytes)} MB).`
  }
  return undefined
}

function totalProblem(entries: BundleEntry[]): string | undefined {
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  const links = entries.filter(({ kind }) => kind === 'link').length
  if (links > BUNDLE_LIMITS.links)
    return `The bundle holds ${links} links; at most ${BUNDLE_LIMITS.links} are allowed.`
  if (bytes <= BUNDLE_LIMITS.unpackedBytes) return undefined
  return `The bundle would unpack to ${mebibytes(bytes)} MB; at most ${mebibytes(BUNDLE_LIMITS.unpackedBytes)} MB are allowed.`
}

// Two entries of one path are a disagreement between whoever checks and whoever unpacks; so are two that become one
// path when a file system normalises Unicode, and a file that is also a folder.
function duplicateProblem(entries: BundleEntry[]): string | undefined {
  const seen = new Map<string, BundleEntry>()
  for (const entry of entries) {
    const key = withoutSlash(entry.path).normalize('NFC')
    const before = seen.get(key)
    if (before) {
      const same = withoutSlash(before.path) === withoutSlash(entry.path)
      return same
        ? `The bundle holds the entry ${show(entry.path)} twice.`
        : `The bundle holds two entries that differ only in their Unicode form: ${show(entry.path)}.`
    }
    seen.set(key, entry)
  }
  return underFileProblem(seen)
}

// Sorted, a path comes after all that are its beginnings: the files among those wait on a stack while that is so. One
// walk is enough, however deep the paths are.
function underFileProblem(seen: Map<string, BundleEntry>): string | undefined {
  const files: string[] = []
  for (const key of [...seen.keys()].sort()) {
    while (files.length > 0 && !key.startsWith(files.at(-1) ?? '')) files.pop()
    const above = files.find((file) => key[file.length] === '/')
    if (above !== undefined)
      return `The entry ${show(seen.get(key)?.path ?? key)} lies under ${show(above)}, which is not a folder.`
    if (seen.get(key)?.kind !== 'folder') files.push(key)
  }
  return undefined
}

/** Where links lead, once their targets were read. `..` may stand only at the start of a target: after a name it could
 *  climb out through another link. */
export function linkProblem(entries: BundleEntry[]): string | undefined {
  for (const { kind, path, target = '' } of entries) {
    if (kind !== 'link') continue
    const resolved = posix.join(posix.dirname(withoutSlash(path)), target)
    const climbs = /^(\.\.(\/|$))*/.exec(target)?.[0] ?? ''
    const climbsLater = target.slice(climbs.length).split('/').includes('..')
    const leaves = resolved === '..' || resolved.startsWith('../') || posix.isAbsolute(target)
    if (target === '' || leaves || climbsLater)
      return `The link ${show(path)} leads out of the bundle (to ${show(target)}).`
  }
  return undefined
}

// AWS: "Not include a parent folder or top-level directory", applications-sourcebundle.
function parentFolderProblem(entries: BundleEntry[]): string | undefined {
  const [top = ''] = entries[0]?.path.split('/') ?? []
  if (top.startsWith('.') || !entries.every((entry) => entry.path.startsWith(`${top}/`))) return undefined
  return (
    `The bundle holds one folder, ${show(`${top}/`)}, and nothing beside it: ` +
    'zip the content of the folder, not the folder itself (zip -r ../app.zip . inside it).'
  )
}

const withoutSlash = (path: string) => path.replace(/\/$/, '')

const mebibytes = (bytes: number) => Math.round(bytes / (1 << 20)).toLocaleString('en')

// Printable whatever is in it: it goes into events and terminals.
const show = (path: string) => {
  const printable = path.replace(
    /[^\x20-\x7e\u00a0-\u024f]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return `'${printable.length > 120 ? `${printable.slice(0, 117)}…` : printable}'`
}
