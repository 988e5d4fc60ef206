// Versions lie beside each other, `current` and `previous` are links; what is made here is noted in the machine's ledger.
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { note } from '../../../tools/setup/ledger.mjs'
import { LEDGER } from '../../service/ledger.ts'
import { Failure } from '../failure.ts'
import { compareVersions, isVersion, linkTarget, readRelease, ROOT, type Release } from '../release.ts'

export type Installation = {
  prefix: string
  /** The release that `current` leads to. */
  current: Release
  /** The version that `--rollback` goes back to. */
  previous: string | undefined
}

/** Of the code that runs. Throws a sentence in a clone, or when install.sh did not make the links. */
export function findInstallation(root = ROOT): Installation {
  if (!readRelease(root))
    throw new Failure(`${root} is a clone, not a release; upgrade it with: git pull, npm run up`)
  const prefix = dirname(root)
  const current = linkTarget(join(prefix, 'current'))
  const release = current === undefined ? undefined : readRelease(join(prefix, current))
  if (!release || release.version !== current)
    throw new Failure(`${prefix}/current does not lead to a release; install one with install.sh`)
  const previous = linkTarget(join(prefix, 'previous'))
  return {
    prefix,
    current: release,
    previous: previous !== undefined && isVersion(previous) ? previous : undefined,
  }
}

/** Points a link to a version, or removes it: at once, so that whoever follows it meanwhile finds either. */
export function pointTo(prefix: string, link: 'current' | 'previous', version: string | undefined): void {
  const path = join(prefix, link)
  if (version === undefined) return rmSync(path, { force: true })
  if (linkTarget(path) === undefined) noteDeed({ deed: 'make link', path, to: version })
  const beside = join(prefix, `.${link}.new`)
  rmSync(beside, { force: true })
  symlinkSync(version, beside)
  renameSync(beside, path)
  syncFolder(prefix)
}

/**
 * Deletes every release below `prefix` that is none of `kept`, and answers their versions, oldest first. Only what install.sh
 * or `upgrade` made: a folder (no link to one) that has the name of a version, with a release.json that says the same.
 */
export function removeOtherReleases(prefix: string, kept: string[]): string[] {
  const others = readdirSync(prefix, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isVersion(entry.name) && !kept.includes(entry.name))
    .map(({ name }) => name)
    .filter((name) => isReleaseOf(join(prefix, name), name))
    .sort(compareVersions)
  for (const version of others) {
    const path = join(prefix, version)
    rmSync(path, { recursive: true, force: true })
    // After the deed, other than elsewhere: what is left of a folder after a crash must still be known.
    noteDeed({ deed: 'remove folder', path })
  }
  return others
}

function isReleaseOf(dir: string, version: string): boolean {
  try {
    return readRelease(dir)?.version === version
  } catch {
    return false
  }
}

/** A rename is on disk only when its folder is. */
export function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  fsyncSync(fd)
  closeSync(fd)
}

/** Throws a sentence when `bytes` are not free where `folder` lies. */
export function requireRoom(folder: string, bytes: number, what: string): void {
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  const mega = (size: number) => `${Math.ceil(size / 1e6)} MB`
  if (free < bytes)
    throw new Failure(
      `${folder}: ${what} needs ${mega(bytes)}, and ${mega(free)} are free; nothing was changed`,
    )
}

/** Called before the deed: a line of setup's ledger, to which install.sh writes as well. */
export const noteDeed = (entry: { deed: string; path: string; to?: string }): void =>
  note(process.env['POLEBEAN_LEDGER'] ?? LEDGER, entry)
