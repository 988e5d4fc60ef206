// What a backup is: a POSIX tar of the home's files below their own names, compressed with zstd. The manifest comes first,
// the digests (`SHA256SUMS`, as sha256sum writes them) last, so that it is written in one pass; docs/decisions/009.
import { EngineError } from '../kernel/errors.ts'

export const FORMAT = 1
export const KIND = 'polebean-backup'
export const MANIFEST = 'polebean-backup.json'
export const SUMS = 'SHA256SUMS'
export const DATABASE = 'polebean.db'

/** A file of a home, by its path in it. */
export type FileEntry = { path: string; bytes: number; mode: number }

export type Manifest = {
  kind: typeof KIND
  format: number
  /** Of the Polebean that made it. */
  version: string
  home: { id: string }
  /** ISO 8601, UTC. */
  createdAt: string
  files: FileEntry[]
  /** Bodies of objects that rows name and that were not on the disk any more. */
  missing: string[]
}

export const MANIFEST_BYTES_MAX = 256 * 2 ** 20
const FILES_MAX = 2_000_000

/** What may lie in a home and be in a backup: files at its top, bodies of objects. No folder up, no absolute path. */
const PATH = /^(?:[A-Za-z0-9][A-Za-z0-9_.-]{0,90}|objects\/[0-9a-f]{2}\/[0-9a-f]{8,64})$/

export const isPath = (path: string): boolean =>
  PATH.test(path) && !path.endsWith('.new') && path !== MANIFEST && path !== SUMS

export const NOT_OURS = 'is not a backup of Polebean'

/** @throws EngineError a sentence about `file` when it is no manifest, or one of a newer Polebean. */
export function parseManifest(bytes: Uint8Array, file: string): Manifest {
  const value = parsed(bytes, file)
  if (value['kind'] !== KIND) throw new EngineError(`${file} ${NOT_OURS}`)
  if (typeof value['format'] === 'number' && value['format'] > FORMAT)
    throw new EngineError(
      `${file} was made by a newer Polebean (${String(value['version'])}, format ${value['format']}; this one knows ${FORMAT})`,
    )
  const manifest = value as Manifest
  const bad = problemOf(manifest)
  if (bad !== undefined) throw new EngineError(`${file} is damaged: its manifest ${bad}`)
  return manifest
}

function parsed(bytes: Uint8Array, file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // told below
  }
  throw new EngineError(`${file} is damaged: its manifest cannot be read`)
}

function problemOf({ format, home, createdAt, files, missing }: Manifest): string | undefined {
  if (format !== FORMAT) return `has the format ${String(format)}`
  if (!/^[a-z0-9]{6}$/.test(home?.id ?? '')) return 'names no home'
  if (Number.isNaN(Date.parse(createdAt))) return 'has no time'
  if (!Array.isArray(files) || !Array.isArray(missing) || files.length > FILES_MAX) return 'lists no files'
  const seen = new Set<string>()
  for (const { path, bytes, mode } of files) {
    if (typeof path !== 'string' || !isPath(path)) return `names ${JSON.stringify(path)}`
    if (seen.has(path)) return `names ${path} twice`
    if (!Number.isSafeInteger(bytes) || bytes < 0) return `gives ${path} ${String(bytes)} bytes`
    if (!Number.isInteger(mode) || mode < 0 || mode > 0o777) return `gives ${path} no mode`
    seen.add(path)
  }
  for (const path of ['home.json', 'credentials.json', DATABASE]) if (!seen.has(path)) return `has no ${path}`
  return undefined
}
