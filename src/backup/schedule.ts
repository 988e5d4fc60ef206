// When the server's own backup is due, and which of the older ones go. Pure, and tested as tables.

export type Schedule = { folder: string; everyMs: number; keep: number; passphraseFile: string | null }

/** The one row of the table: how the last one went. */
export type LastRun = {
  startedAt: number
  folder: string
  /** Null while it runs, or when it was broken off. */
  endedAt: number | null
  /** Of the last that was whole. */
  file: string | null
  fileAt: number | null
  failure: string | null
}

/** One that failed is tried again after an hour: a disk may be back. */
export const RETRY_MS = 60 * 60_000

/** Why one is due now, or null. */
export function dueNow(
  { everyMs, folder }: Pick<Schedule, 'everyMs' | 'folder'>,
  last: LastRun | undefined,
  now: number,
): 'first' | 'again' | 'time' | null {
  if (last?.folder !== folder) return 'first'
  const passedMs = now - last.startedAt
  // A clock that was set back must not put it off for years.
  if (passedMs < 0 || passedMs >= everyMs) return 'time'
  const isWhole = last.endedAt !== null && last.failure === null
  return !isWhole && passedMs >= Math.min(RETRY_MS, everyMs) ? 'again' : null
}

/** `polebean-<id>-20261126T151500Z.tar.zst`, with `.sealed` when a passphrase is around it. */
export function backupName(homeId: string, at: number, sealed: boolean): string {
  const stamp = new Date(at).toISOString().replace(/\.\d+|[-:]/g, '')
  return `polebean-${homeId}-${stamp}.tar.zst${sealed ? '.sealed' : ''}`
}

export type NamedBackup = { name: string; at: number; sealed: boolean }

/** Those of `names` that the server of that home gave, the newest first. */
export function backupsAmong(names: string[], homeId: string): NamedBackup[] {
  const pattern = new RegExp(
    `^polebean-${homeId}-(\\d{4})(\\d\\d)(\\d\\d)T(\\d\\d)(\\d\\d)(\\d\\d)Z\\.tar\\.zst(\\.sealed)?$`,
  )
  return names
    .flatMap((name): NamedBackup[] => {
      const [, year, month, day, hour, minute, second, sealed] = pattern.exec(name) ?? []
      if (year === undefined) return []
      const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
      return Number.isNaN(at) ? [] : [{ name, at, sealed: sealed !== undefined }]
    })
    .sort((a, b) => b.at - a.at || (a.name < b.name ? 1 : -1))
}

/** The names to delete, so that `keep` stay. The one just made stays, whatever the clock says of it. */
export const surplus = (names: string[], homeId: string, keep: number, made: string): string[] =>
  backupsAmong(
    names.filter((name) => name !== made),
    homeId,
  )
    .slice(keep - 1)
    .map(({ name }) => name)
