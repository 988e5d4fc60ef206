import type * as sdk from '@aws-sdk/client-s3'
import type { AsyncOperation } from '../../context.ts'
import { dateOf, describeChecksum, quoted } from '../answers.ts'
import { checkSize, checksumOfBody, keepBody, type S3 } from '../bodies.ts'
import { checksumAsked, checksumMembers, parseAlgorithm } from '../checksums.ts'
import { checkRead, checkWrite } from '../conditions.ts'
import { describedBy, directive, refuseUnsupported } from '../description.ts'
import { entityTooLarge, invalidRequest, preconditionFailed } from '../errors.ts'
import { limits } from '../limits.ts'
import { findBucket, findObject } from '../lookup.ts'
import { checkKey, parseCopySource } from '../names.ts'
import { objectRow, putObjectRow, type ObjectRow } from '../store.ts'
import { parseTagging } from '../tags.ts'

/** The gateway hands in a stream that is already without its chunk framing. */
export type PutObjectInput = Omit<sdk.PutObjectCommandInput, 'Body'> & {
  Body?: AsyncIterable<Uint8Array> | undefined
}

export function makeObjectWrites(s3: S3) {
  const { store, clock } = s3

  const putObject: AsyncOperation<PutObjectInput, sdk.PutObjectCommandOutput> = async (context, input) => {
    const bucket = findBucket(s3, context, input).name
    const key = checkKey(input.Key)
    refuseUnsupported(input)
    const description = describedBy(input)
    const asked = checksumAsked(input)
    checkWrite(objectRow(store, bucket, key), key, input)
    const expected = { asked, contentMd5: input.ContentMD5, contentLength: input.ContentLength }
    return keepBody(s3, input.Body, expected, (kept) => {
      // The world went on while the body came in.
      findBucket(s3, context, input)
      checkWrite(objectRow(store, bucket, key), key, input)
      const { algorithm, value } = kept.checksum
      putObjectRow(s3, {
        ...description,
        bucket,
        key,
        bodyId: kept.id,
        bytes: kept.bytes,
        etag: kept.md5Hex,
        md5Hex: kept.md5Hex,
        sha256Hex: kept.sha256Hex,
        crc32Base64: kept.crc32Base64,
        checksumAlgorithm: algorithm,
        checksumValue: value,
        checksumType: 'FULL_OBJECT',
        parts: null,
        uploadId: null,
        modifiedAt: clock.now(),
      })
      return {
        ETag: quoted(kept.md5Hex),
        ...checksumMembers(algorithm, value),
        ChecksumType: 'FULL_OBJECT' as const,
      }
    })
  }

  /** Copies the row; both rows share the body. */
  const copyObject: AsyncOperation<sdk.CopyObjectCommandInput, sdk.CopyObjectCommandOutput> = async (
    context,
    input,
  ) => {
    const bucket = findBucket(s3, context, input).name
    const key = checkKey(input.Key)
    refuseUnsupported(input)
    const source = copySource(context, input)
    const replaced = directive('metadata', input.MetadataDirective) === 'REPLACE'
    const tagsReplaced = directive('tagging', input.TaggingDirective) === 'REPLACE'
    if (!replaced && source.bucket === bucket && source.key === key)
      throw invalidRequest(
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
      )
    const description = replaced ? { ...describedBy(input), tags: source.tags } : {}
    const algorithm = input.ChecksumAlgorithm
      ? parseAlgorithm(input.ChecksumAlgorithm)
      : (source.checksumAlgorithm ?? 'CRC32')
    const known = algorithm === source.checksumAlgorithm && source.checksumType === 'FULL_OBJECT'
    const value = known ? source.checksumValue : await checksumOfBody(s3, source, algorithm)

    return store.transaction(() => {
      findBucket(s3, context, input)
      checkWrite(objectRow(store, bucket, key), key, input)
      if (copySource(context, input).bodyId !== source.bodyId)
        throw preconditionFailed({ Condition: 'x-amz-copy-source' })
      checkSize(s3, source.bytes)
      const row: ObjectRow = {
        ...source,
        ...description,
        ...(tagsReplaced ? { tags: JSON.stringify(parseTagging(input.Tagging)) } : {}),
        bucket,
        key,
        // A copy is one object of one part, whatever its source was.
        etag: source.md5Hex,
        checksumAlgorithm: algorithm,
        checksumValue: value,
        checksumType: 'FULL_OBJECT',
        parts: null,
        uploadId: null,
        modifiedAt: clock.now(),
      }
      putObjectRow(s3, row)
      const result = {
        ETag: quoted(row.etag),
        LastModified: dateOf(row.modifiedAt),
        ...describeChecksum(row),
      }
      return { CopyObjectResult: result }
    })
  }

  const copySource = (
    context: Parameters<typeof copyObject>[0],
    input: sdk.CopyObjectCommandInput,
  ): ObjectRow => {
    const { bucket, key } = parseCopySource(input.CopySource)
    const row = findObject(s3, context, {
      Bucket: bucket,
      Key: key,
      ExpectedBucketOwner: input.ExpectedSourceBucketOwner,
    })
    checkCopySource(row, input)
    if (row.bytes > limits.objectBytesMax) throw entityTooLarge(row.bytes)
    return row
  }

  return { putObject, copyObject }
}

type CopyConditions = Pick<
  sdk.CopyObjectCommandInput,
  'CopySourceIfMatch' | 'CopySourceIfNoneMatch' | 'CopySourceIfModifiedSince' | 'CopySourceIfUnmodifiedSince'
>

/** For a copy there is no 304: what a reader has already is a failed condition too. */
export function checkCopySource(row: ObjectRow, input: CopyConditions): void {
  const verdict = checkRead(row, {
    IfMatch: input.CopySourceIfMatch,
    IfNoneMatch: input.CopySourceIfNoneMatch,
    IfModifiedSince: input.CopySourceIfModifiedSince,
    IfUnmodifiedSince: input.CopySourceIfUnmodifiedSince,
  })
  if (verdict === 'not-modified') throw preconditionFailed({ Condition: 'x-amz-copy-source-If-None-Match' })
}
