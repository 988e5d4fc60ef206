// What an operation finds or refuses first: its bucket, its object, its upload.
import type { Context } from '../context.ts'
import type { S3 } from './bodies.ts'
import { accessDenied, noSuchBucket, noSuchKey, noSuchUpload } from './errors.ts'
import { checkKey, checkVersion, required } from './names.ts'
import { bucketRow, objectRow, uploadRow, type BucketRow, type ObjectRow, type UploadRow } from './store.ts'

export type BucketInput = { Bucket: string | undefined; ExpectedBucketOwner?: string | undefined }
export type ObjectInput = BucketInput & { Key: string | undefined; VersionId?: string | undefined }

export function findBucket(s3: S3, context: Context, input: BucketInput): BucketRow {
  const name = required(input.Bucket, 'Bucket')
  const row = bucketRow(s3.store, name)
  if (!row) throw noSuchBucket({ BucketName: name })
  const owner = input.ExpectedBucketOwner
  if (row.account !== context.account || (owner !== undefined && owner !== row.account)) throw accessDenied()
  return row
}

export function findObject(s3: S3, context: Context, input: ObjectInput): ObjectRow {
  const bucket = findBucket(s3, context, input)
  const key = checkKey(input.Key)
  checkVersion(input.VersionId)
  const row = objectRow(s3.store, bucket.name, key)
  if (!row) throw noSuchKey({ Key: key })
  return row
}

export function findUpload(
  s3: S3,
  context: Context,
  input: ObjectInput & { UploadId: string | undefined },
): UploadRow {
  const bucket = findBucket(s3, context, input)
  const id = required(input.UploadId, 'uploadId')
  const row = uploadRow(s3.store, id)
  if (!row || row.bucket !== bucket.name || row.key !== input.Key) throw noSuchUpload({ UploadId: id })
  return row
}
