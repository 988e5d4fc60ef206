import type { IamOperations } from '../../generated/iam.ts'
import type { ServiceDeps } from '../../service.ts'
import { findAccessKey, isLast, isValid, LAST_KEY, newRow } from '../access-keys.ts'
import { checkNoUser, pageOf } from '../checks.ts'
import { drawAccessKey } from '../draw-access-key.ts'
import { deleteConflict, invalidInput, limitExceeded, validationError } from '../errors.ts'
import { limits } from '../limits.ts'
import { accessKeyRows } from '../store.ts'

type Names =
  | 'createAccessKey'
  | 'listAccessKeys'
  | 'updateAccessKey'
  | 'deleteAccessKey'
  | 'getAccessKeyLastUsed'

/** Those of the account's root user, who has no UserName in any answer. */
export function makeAccessKeyOperations(deps: ServiceDeps): Pick<IamOperations, Names> {
  const { store, clock, ids, log } = deps
  return {
    createAccessKey({ account, caller }, input) {
      checkNoUser(input.UserName)
      if (accessKeyRows(store, account).length >= limits.accessKeysMax)
        throw limitExceeded('AccessKeysPerUser', limits.accessKeysMax)
      const { accessKeyId, secretAccessKey } = drawAccessKey(ids)
      const row = newRow(account, accessKeyId, secretAccessKey, clock.now())
      store.insert('iam_access_key', row)
      log.info('an access key was created', { accessKeyId, by: caller.accessKeyId })
      return {
        AccessKey: {
          UserName: undefined,
          AccessKeyId: accessKeyId,
          Status: row.status,
          SecretAccessKey: secretAccessKey,
          CreateDate: new Date(row.createdAt),
        },
      }
    },

    listAccessKeys({ account }, input) {
      checkNoUser(input.UserName)
      const rows = accessKeyRows(store, account).toSorted((one, other) => (one.id < other.id ? -1 : 1))
      const { page, paging } = pageOf(rows, (row) => row.id, input)
      return {
        AccessKeyMetadata: page.map((row) => ({
          AccessKeyId: row.id,
          Status: isValid(row, clock.now()) ? 'Active' : 'Inactive',
          CreateDate: new Date(row.createdAt),
        })),
        ...paging,
      }
    },

    updateAccessKey({ account, caller }, input) {
      checkNoUser(input.UserName)
      const row = findAccessKey(store, account, input.AccessKeyId)
      const status = input.Status
      if (status !== 'Active' && status !== 'Inactive')
        throw validationError(
          status ?? '',
          'status',
          'Member must satisfy enum value set: [Active, Inactive]',
        )
      if (status === 'Inactive' && isLast(accessKeyRows(store, account), row)) throw invalidInput(LAST_KEY)
      store.update('iam_access_key', { account, id: row.id }, { status })
      log.info('an access key was changed', { accessKeyId: row.id, status, by: caller.accessKeyId })
      return {}
    },

    deleteAccessKey({ account, caller }, input) {
      checkNoUser(input.UserName)
      const row = findAccessKey(store, account, input.AccessKeyId)
      if (isLast(accessKeyRows(store, account), row)) throw deleteConflict(LAST_KEY)
      store.remove('iam_access_key', { account, id: row.id })
      log.info('an access key was deleted', { accessKeyId: row.id, by: caller.accessKeyId })
      return {}
    },

    getAccessKeyLastUsed({ account }, input) {
      const row = findAccessKey(store, account, input.AccessKeyId)
      return {
        AccessKeyLastUsed: {
          LastUsedDate: row.lastUsedAt === null ? undefined : new Date(row.lastUsedAt),
          ServiceName: row.lastUsedService ?? 'N/A',
          Region: row.lastUsedRegion ?? 'N/A',
        },
      }
    },
  }
}
