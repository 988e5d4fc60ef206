// What this copy of Polebean is: a release in a folder of its own beside others, or a clone.
import { readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readFileIfAny } from '../kernel/files.ts'
import { versionIn } from '../version.ts'
import { Failure } from './failure.ts'

/** release.json, in the top folder of a release; a clone has none. */
export type Release = {
  version: string
  /** The commit it was built from, 40 hexadecimal digits. */
  commit: string
  arch: string
  /** Of the Node inside, as `process.versions.node` says it. */
  node: string
}

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** Throws when release.json is damaged. */
export function readRelease(root = ROOT): Release | undefined {
  const text = readFileIfAny(join(root, 'release.json'))
  if (text === undefined) return undefined
  const { version, commit, arch, node } = JSON.parse(text) as Partial<Release>
  if (!version || !isVersion(version) || !commit || !arch || !node)
    throw new Failure(`${root}/release.json names no release`)
  return { version, commit, arch, node }
}

export const isVersion = (text: string): boolean => /^\d{1,6}\.\d{1,6}\.\d{1,6}$/.test(text)

/** Negative when `one` is older than `other`. Both are versions. */
export function compareVersions(one: string, other: string): number {
  const [ours, theirs] = [one, other].map((text) => text.split('.').map(Number))
  return [0, 1, 2].map((part) => ours![part]! - theirs![part]!).find((step) => step !== 0) ?? 0
}

/** For `--version`: version, where it comes from, and its Node. */
export function describeVersion(root = ROOT): string {
  const release = readRelease(root)
  const from = release ? `commit ${release.commit.slice(0, 12)}` : 'a clone'
  return `polebean ${versionIn(root)} (${from}, Node ${process.versions.node})`
}

/** What scripts of users may call: it stays where it is when a release is replaced. */
export function programPath(root = ROOT): string {
  const current = join(dirname(root), 'current')
  const link = readRelease(root) && linkTarget(current) !== undefined
  return join(link ? current : root, 'bin/polebean')
}

/** How this copy is started, for sentences that tell users what to do. */
export const startCommand = (): string => (readRelease() ? 'polebean start' : 'npm run up')

/** The same of `up`. */
export const upCommand = (): string => (readRelease() ? 'polebean up' : 'npm run up --')

/** Throws a sentence for a home in the folder of our own code: it would go with the clone or the release. */
export function checkPlace(homeDir: string, root = ROOT): void {
  // Of a release also its siblings: they are replaced as it is.
  const ours = readRelease(root) ? dirname(root) : root
  const home = join(realPath(homeDir), '/')
  if (home.startsWith(join(realPath(ours), '/')))
    throw new Failure(
      `a home cannot be in ${ours}, where Polebean's own code lies and is replaced; name a folder elsewhere with --home or POLEBEAN_HOME`,
    )
}

/** The folder itself need not be there yet. */
function realPath(path: string): string {
  const full = resolve(path)
  if (full === '/') return full
  try {
    return realpathSync(full)
  } catch {
    return join(realPath(dirname(full)), basename(full))
  }
}

/** Where a link leads, as it is written; undefined when there is no link. */
export function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (['ENOENT', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
