// The account's access keys, for whoever checks signatures: which are valid now, and when each was last used.
import { isStoreFailure } from '../../store/store.ts'
import type { ServiceDeps } from '../service.ts'
import { checkAccessKeyId } from './checks.ts'
import type { AccessKey } from './draw-access-key.ts'
import { invalidInput, noSuchEntity } from './errors.ts'
import { accessKeyRows, type AccessKeyRow } from './store.ts'

export type AccessKeyDescription = {
  id: string
  status: 'Active' | 'Inactive'
  /** ISO 8601, as the next ones. */
  createdAt: string
  expiresAt: string | null
  lastUsed: { at: string; service: string; region: string } | null
}

export type AccessKeys = {
  /** What requests may be signed with at this moment. */
  valid(): readonly AccessKey[]
  /** The caller's own key, or the oldest that stays: for URLs that we sign for them. */
  signingFor(accessKeyId: string): AccessKey
  /** Remembers the last use; a write at most once a minute for each key. */
  used(use: { accessKeyId: string; service: string; region: string }): void
  /** Takes the key that the home was made with, unless there are keys. */
  adopt(key: AccessKey): void
  /** Lets a key end `graceSeconds` from now. Throws NoSuchEntity, and InvalidInput when no other key would stay. */
  expire(accessKeyId: string, graceSeconds: number): AccessKeyDescription
  describe(): AccessKeyDescription[]
}

const LAST_USE_EVERY_MS = 60_000
const GRACE_SECONDS_MAX = 30 * 86_400

export function makeAccessKeys({ store, clock, log, account }: ServiceDeps): AccessKeys {
  // Asked for by every request, changed by hand: read again only when the table was written.
  let kept: AccessKeyRow[] | undefined
  store.onCommit((tables) => {
    if (tables.has('iam_access_key')) kept = undefined
  })
  const rows = () => (kept ??= accessKeyRows(store, account))
  const validRows = () => rows().filter((row) => isValid(row, clock.now()))
  const keyOf = ({ id, secret }: AccessKeyRow): AccessKey => ({ accessKeyId: id, secretAccessKey: secret })

  return {
    valid: () => validRows().map(keyOf),
    signingFor(accessKeyId) {
      const valid = validRows()
      const row =
        valid.find(({ id }) => id === accessKeyId) ??
        valid.find(({ expiresAt }) => expiresAt === null) ??
        valid[0]
      if (!row) throw new Error('the account has no valid access key')
      return keyOf(row)
    },
    used({ accessKeyId, service, region }) {
      const now = clock.now()
      const row = rows().find(({ id }) => id === accessKeyId)
      if (!row || (row.lastUsedAt !== null && Math.abs(now - row.lastUsedAt) < LAST_USE_EVERY_MS)) return
      try {
        store.update(
          'iam_access_key',
          { account, id: accessKeyId },
          { lastUsedAt: now, lastUsedService: service, lastUsedRegion: region },
        )
      } catch (error) {
        // A full disk must not refuse reads as well.
        if (!isStoreFailure(error)) throw error
      }
    },
    adopt({ accessKeyId, secretAccessKey }) {
      store.transaction(() => {
        if (accessKeyRows(store, account).length > 0) return
        store.insert('iam_access_key', newRow(account, accessKeyId, secretAccessKey, clock.now()))
      })
    },
    expire(accessKeyId, graceSeconds) {
      if (!Number.isInteger(graceSeconds) || graceSeconds < 0 || graceSeconds > GRACE_SECONDS_MAX)
        throw invalidInput(`The grace must be a number of seconds between 0 and ${GRACE_SECONDS_MAX}.`)
      const expiresAt = clock.now() + graceSeconds * 1000
      const row = store.transaction(() => {
        const found = findAccessKey(store, account, accessKeyId)
        if (isLast(accessKeyRows(store, account), found)) throw invalidInput(LAST_KEY)
        store.update('iam_access_key', { account, id: found.id }, { expiresAt })
        return { ...found, expiresAt }
      })
      log.info('an access key will end', { accessKeyId, at: new Date(expiresAt).toISOString() })
      return describe(row, clock.now())
    },
    describe: () => rows().map((row) => describe(row, clock.now())),
  }
}

/** Throws NoSuchEntity. */
export function findAccessKey(
  store: ServiceDeps['store'],
  account: string,
  given: string | undefined,
): AccessKeyRow {
  const id = checkAccessKeyId(given)
  const row = accessKeyRows(store, account).find((one) => one.id === id)
  if (!row) throw noSuchEntity(`The Access Key with id ${id} cannot be found.`)
  return row
}

/** Whether nobody could sign any more without it, now or when those that end have ended. */
export const isLast = (rows: AccessKeyRow[], { id }: AccessKeyRow): boolean =>
  !rows.some((row) => row.id !== id && row.status === 'Active' && row.expiresAt === null)

export const LAST_KEY =
  'This is the last active access key that stays; without one nobody could sign requests any more. Create another first.'

export const isValid = ({ status, expiresAt }: AccessKeyRow, nowMs: number): boolean =>
  status === 'Active' && (expiresAt === null || expiresAt > nowMs)

export const newRow = (account: string, id: string, secret: string, createdAt: number): AccessKeyRow => ({
  account,
  id,
  secret,
  status: 'Active',
  createdAt,
  expiresAt: null,
  lastUsedAt: null,
  lastUsedService: null,
  lastUsedRegion: null,
})

const describe = (row: AccessKeyRow, nowMs: number): AccessKeyDescription => ({
  id: row.id,
  status: isValid(row, nowMs) ? 'Active' : 'Inactive',
  createdAt: new Date(row.createdAt).toISOString(),
  expiresAt: row.expiresAt === null ? null : new Date(row.expiresAt).toISOString(),
  lastUsed:
    row.lastUsedAt === null
      ? null
      : {
          at: new Date(row.lastUsedAt).toISOString(),
          service: row.lastUsedService ?? '',
          region: row.lastUsedRegion ?? '',
        },
})
