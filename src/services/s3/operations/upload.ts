// Multipart uploads: begin, complete, abort, list. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
import type * as sdk from '@aws-sdk/client-s3'
import { createHash } from 'node:crypto'
import type { AsyncOperation, Context, Operation } from '../../context.ts'
import { dateOf, ownerOf, quoted } from '../answers.ts'
import { checkSize, checksumOfBody, underNewId, type S3 } from '../bodies.ts'
import {
  checksumAsked,
  checksumMembers,
  checksumTypeFor,
  compositeChecksum,
  parseAlgorithm,
  verifyChecksum,
} from '../checksums.ts'
import { checkWrite } from '../conditions.ts'
import { describedBy, refuseUnsupported } from '../description.ts'
import { invalidArgument, invalidRequest, malformedXml, noSuchUpload } from '../errors.ts'
import { limits } from '../limits.ts'
import { listPage, type Bound } from '../listing.ts'
import { findBucket, findUpload } from '../lookup.ts'
import { checkKey } from '../names.ts'
import { choosePart } from '../parts.ts'
import {
  objectRow,
  partRows,
  putObjectRow,
  removeUploadRow,
  type ObjectRow,
  type PartRow,
  type PartSummary,
  type UploadRow,
} from '../store.ts'
import { encoder } from './object-list.ts'

type CompleteInput = sdk.CompleteMultipartUploadCommandInput

export function makeUploadOperations(s3: S3) {
  const { store, clock } = s3

  const createMultipartUpload: Operation<
    sdk.CreateMultipartUploadCommandInput,
    sdk.CreateMultipartUploadCommandOutput
  > = (context, input) => {
    const bucket = findBucket(s3, context, input).name
    const key = checkKey(input.Key)
    refuseUnsupported(input)
    const algorithm = input.ChecksumAlgorithm ? parseAlgorithm(input.ChecksumAlgorithm) : null
    if (!algorithm && input.ChecksumType)
      throw invalidRequest(
        'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
      )
    const upload: UploadRow = {
      ...describedBy(input),
      id: s3.ids.lower('', 48),
      bucket,
      key,
      checksumAlgorithm: algorithm,
      checksumType: algorithm ? checksumTypeFor(algorithm, input.ChecksumType) : 'FULL_OBJECT',
      createdAt: clock.now(),
    }
    store.insert('s3_upload', upload)
    return {
      Bucket: bucket,
      Key: key,
      UploadId: upload.id,
      ...(algorithm ? { ChecksumAlgorithm: algorithm, ChecksumType: upload.checksumType } : {}),
    }
  }

  /** Joins the chosen parts into a new body, then swaps rows. Repeated after it succeeded, it answers the same again. */
  const completeMultipartUpload: AsyncOperation<
    CompleteInput,
    sdk.CompleteMultipartUploadCommandOutput
  > = async (context, input) => {
    refuseUnsupported(input)
    const done = completedBefore(context, input)
    if (done) return describeCompleted(context, done)
    const upload = findUpload(s3, context, input)
    const chosen = chooseParts(upload, input)
    const bytes = chosen.reduce((sum, part) => sum + part.bytes, 0)
    if (input.MpuObjectSize !== undefined && input.MpuObjectSize !== bytes)
      throw invalidRequest(
        `The provided 'x-amz-mp-object-size' header value ${input.MpuObjectSize} does not match what was computed: ${bytes}`,
      )
    checkSize(s3, bytes, limits.homeBytesMax)
    checkWrite(objectRow(store, upload.bucket, upload.key), upload.key, input)

    return underNewId(s3, async (id) => {
      const joined = await s3.objects.join(
        id,
        chosen.map((part) => part.bodyId),
      )
      const { sha256Hex, crc32Base64 } = joined
      const checksum = await checksumOf(upload, chosen, input, { bodyId: id, sha256Hex, crc32Base64 })
      return store.transaction(() => {
        const raced = completedBefore(context, input)
        if (raced) return describeCompleted(context, raced)
        const unchanged = chooseParts(findUpload(s3, context, input), input)
        if (unchanged.some((part, index) => part.bodyId !== chosen[index]?.bodyId))
          throw noSuchUpload({ UploadId: upload.id })
        checkWrite(objectRow(store, upload.bucket, upload.key), upload.key, input)
        const { checksumAlgorithm: algorithm } = upload
        const row: ObjectRow = {
          bucket: upload.bucket,
          key: upload.key,
          contentType: upload.contentType,
          headers: upload.headers,
          metadata: upload.metadata,
          tags: upload.tags,
          bodyId: id,
          bytes: joined.bytes,
          etag: multipartEtag(chosen),
          md5Hex: joined.md5Hex,
          sha256Hex,
          crc32Base64,
          checksumAlgorithm: algorithm ?? 'CRC32',
          checksumValue: checksum,
          checksumType: upload.checksumType,
          parts: JSON.stringify(chosen.map((part) => summaryOf(part, upload))),
          uploadId: upload.id,
          modifiedAt: clock.now(),
        }
        putObjectRow(s3, row)
        removeUploadRow(s3, upload.id)
        return describeCompleted(context, row)
      })
    })
  }

  const completedBefore = (context: Context, input: CompleteInput): ObjectRow | undefined => {
    const { name } = findBucket(s3, context, input)
    const row = objectRow(store, name, input.Key ?? '')
    return row?.uploadId && row.uploadId === input.UploadId ? row : undefined
  }

  const chooseParts = (upload: UploadRow, input: CompleteInput): PartRow[] => {
    const asked = input.MultipartUpload?.Parts ?? []
    if (asked.length === 0 || asked.length > limits.partsMax) throw malformedXml()
    const kept = new Map(partRows(store, upload.id).map((part) => [part.number, part]))
    return asked.map((one, index) => choosePart(upload, kept, asked, index, one))
  }

  const checksumOf = async (
    upload: UploadRow,
    parts: PartRow[],
    input: CompleteInput,
    body: Parameters<typeof checksumOfBody>[1],
  ): Promise<string> => {
    const algorithm = upload.checksumAlgorithm ?? 'CRC32'
    if (upload.checksumType === 'COMPOSITE')
      return compositeChecksum(
        algorithm,
        parts.map((part) => part.checksumValue),
      )
    const value = await checksumOfBody(s3, body, algorithm)
    const asked = checksumAsked(input)
    if (asked.expected !== undefined && asked.algorithm === algorithm) verifyChecksum(asked, value)
    return value
  }

  const abortMultipartUpload: Operation<
    sdk.AbortMultipartUploadCommandInput,
    sdk.AbortMultipartUploadCommandOutput
  > = (context, input) => {
    removeUploadRow(s3, findUpload(s3, context, input).id)
    return {}
  }

  const listMultipartUploads: Operation<
    sdk.ListMultipartUploadsCommandInput,
    sdk.ListMultipartUploadsCommandOutput
  > = (context, input) => {
    const { name } = findBucket(s3, context, input)
    const encode = encoder(input.EncodingType)
    const asked = input.MaxUploads ?? limits.listEntriesMax
    if (asked < 0)
      throw invalidArgument(
        'Argument max-uploads must be an integer between 0 and 2147483647',
        'max-uploads',
        String(asked),
      )
    const entriesMax = Math.min(asked, limits.listEntriesMax)
    const { KeyMarker = '', UploadIdMarker = '', Prefix = '', Delimiter = '' } = input
    // Keys repeat here, so a bound may name one of the uploads of its key.
    const read = ({ key, id, included }: Bound, limit: number) =>
      store.all<UploadRow>(
        `select * from s3_upload where bucket = :name
         and (key > :key or (key = :key and (:included or id > :id))) order by key, id limit :limit`,
        { name, key, id, included, limit },
      )
    const page = listPage(read, {
      prefix: Prefix,
      delimiter: Delimiter,
      after: KeyMarker,
      afterId: UploadIdMarker || undefined,
      entriesMax,
    })
    const last = page.items.at(-1)
    return {
      Bucket: name,
      KeyMarker: encode(KeyMarker),
      UploadIdMarker,
      NextKeyMarker: page.truncated ? encode(page.last) : undefined,
      NextUploadIdMarker: page.truncated && last?.key === page.last ? last.id : undefined,
      Prefix: encode(Prefix),
      Delimiter: Delimiter ? encode(Delimiter) : undefined,
      EncodingType: input.EncodingType ? ('url' as const) : undefined,
      MaxUploads: entriesMax,
      IsTruncated: page.truncated,
      CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
      Uploads: page.items.map((row) => ({
        UploadId: row.id,
        Key: encode(row.key),
        Initiated: dateOf(row.createdAt),
        StorageClass: 'STANDARD' as const,
        Owner: ownerOf(context),
        Initiator: ownerOf(context),
        ChecksumAlgorithm: row.checksumAlgorithm ?? undefined,
        ChecksumType: row.checksumAlgorithm ? row.checksumType : undefined,
      })),
    }
  }

  return { createMultipartUpload, completeMultipartUpload, abortMultipartUpload, listMultipartUploads }
}

const describeCompleted = (context: Context, row: ObjectRow) => ({
  Location: `${context.endpoint}/${row.bucket}/${row.key.split('/').map(encodeURIComponent).join('/')}`,
  Bucket: row.bucket,
  Key: row.key,
  ETag: quoted(row.etag),
  ...checksumMembers(row.checksumAlgorithm, row.checksumValue),
  ChecksumType: row.checksumType ?? undefined,
})

/** The MD5 of the parts' MD5s, and how many there are. */
function multipartEtag(parts: PartRow[]): string {
  const md5 = createHash('md5')
  for (const part of parts) md5.update(Buffer.from(part.etag, 'hex'))
  return `${md5.digest('hex')}-${parts.length}`
}

const summaryOf = (part: PartRow, upload: UploadRow): PartSummary => ({
  number: part.number,
  bytes: part.bytes,
  checksum: upload.checksumAlgorithm ? part.checksumValue : null,
})
