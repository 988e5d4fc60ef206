import type * as sdk from '@aws-sdk/client-s3'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Operation } from '../../context.ts'
import type { S3 } from '../bodies.ts'
import { refuseUnsupported } from '../description.ts'
import { malformedXml, noSuchKey, preconditionFailed } from '../errors.ts'
import { limits } from '../limits.ts'
import { findBucket } from '../lookup.ts'
import { checkKey, checkVersion } from '../names.ts'
import { objectRow, removeObjectRow } from '../store.ts'

type Conditions = { etag?: string | undefined; modifiedAt?: Date | undefined; bytes?: number | undefined }

export function makeObjectDeletes(s3: S3) {
  /** Quiet about a key that is not there, unless conditions say otherwise. */
  const remove = (bucket: string, key: string, { etag, modifiedAt, bytes }: Conditions) => {
    const row = objectRow(s3.store, bucket, checkKey(key))
    const conditional = etag !== undefined || modifiedAt !== undefined || bytes !== undefined
    if (!row && conditional) throw noSuchKey({ Key: key })
    if (!row) return
    const failed =
      (etag !== undefined && etag !== '*' && etag.replaceAll('"', '') !== row.etag) ||
      (bytes !== undefined && bytes !== row.bytes) ||
      (modifiedAt !== undefined &&
        Math.floor(modifiedAt.getTime() / 1000) !== Math.floor(row.modifiedAt / 1000))
    if (failed) throw preconditionFailed({ Condition: 'If-Match' })
    removeObjectRow(s3, row)
  }

  const deleteObject: Operation<sdk.DeleteObjectCommandInput, sdk.DeleteObjectCommandOutput> = (
    context,
    input,
  ) => {
    const { name } = findBucket(s3, context, input)
    refuseUnsupported(input)
    checkVersion(input.VersionId)
    remove(name, input.Key ?? '', {
      etag: input.IfMatch,
      modifiedAt: input.IfMatchLastModifiedTime,
      bytes: input.IfMatchSize,
    })
    return {}
  }

  const deleteObjects: Operation<sdk.DeleteObjectsCommandInput, sdk.DeleteObjectsCommandOutput> = (
    context,
    input,
  ) => {
    const { name } = findBucket(s3, context, input)
    refuseUnsupported(input)
    const asked = input.Delete?.Objects ?? []
    if (asked.length < 1 || asked.length > limits.listEntriesMax) throw malformedXml()
    const deleted: sdk.DeletedObject[] = []
    const errors: sdk._Error[] = []
    for (const { Key, VersionId, ETag, LastModifiedTime, Size } of asked) {
      try {
        checkVersion(VersionId)
        remove(name, Key ?? '', { etag: ETag, modifiedAt: LastModifiedTime, bytes: Size })
        deleted.push({ Key, VersionId })
      } catch (error) {
        if (!(error instanceof DeclaredError)) throw error
        errors.push({ Key, VersionId, Code: error.code, Message: error.message })
      }
    }
    return { Deleted: input.Delete?.Quiet ? [] : deleted, Errors: errors }
  }

  return { deleteObject, deleteObjects }
}
