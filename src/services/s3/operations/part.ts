import type * as sdk from '@aws-sdk/client-s3'
import type { AsyncOperation, Context, Operation } from '../../context.ts'
import { dateOf, ownerOf, quoted } from '../answers.ts'
import { keepBody, type KeptBody, type S3 } from '../bodies.ts'
import { checksumAsked, checksumMembers, type Asked } from '../checksums.ts'
import { copyRange } from '../conditions.ts'
import { refuseUnsupported } from '../description.ts'
import { entityTooLarge, invalidArgument, invalidRequest } from '../errors.ts'
import { limits } from '../limits.ts'
import { findObject, findUpload } from '../lookup.ts'
import { parseCopySource } from '../names.ts'
import { discardBody, partRows, type PartRow, type UploadRow } from '../store.ts'
import { checkCopySource } from './object-write.ts'

export type UploadPartInput = Omit<sdk.UploadPartCommandInput, 'Body'> & {
  Body?: AsyncIterable<Uint8Array> | undefined
}

export function makePartOperations(s3: S3) {
  const { store, clock } = s3

  const uploadPart: AsyncOperation<UploadPartInput, sdk.UploadPartCommandOutput> = async (context, input) => {
    refuseUnsupported(input)
    const number = checkPartNumber(input.PartNumber)
    const upload = findUpload(s3, context, input)
    const asked = askedOf(upload, checksumAsked(input))
    const expected = { asked, contentMd5: input.ContentMD5, contentLength: input.ContentLength }
    return keepBody(s3, input.Body, expected, (kept) => {
      putPart(context, input, number, kept)
      return { ETag: quoted(kept.md5Hex), ...checksumMembers(kept.checksum.algorithm, kept.checksum.value) }
    })
  }

  const uploadPartCopy: AsyncOperation<
    sdk.UploadPartCopyCommandInput,
    sdk.UploadPartCopyCommandOutput
  > = async (context, input) => {
    refuseUnsupported(input)
    const number = checkPartNumber(input.PartNumber)
    const upload = findUpload(s3, context, input)
    const { bucket, key } = parseCopySource(input.CopySource)
    const source = findObject(s3, context, {
      Bucket: bucket,
      Key: key,
      ExpectedBucketOwner: input.ExpectedSourceBucketOwner,
    })
    checkCopySource(source, input)
    const range = copyRange(input.CopySourceRange, source.bytes)
    const bytes = range ? range.end - range.start + 1 : source.bytes
    if (bytes > limits.objectBytesMax) throw entityTooLarge(bytes)
    const asked = { algorithm: upload.checksumAlgorithm ?? 'CRC32', expected: undefined }
    return keepBody(s3, s3.objects.get(source.bodyId, range), { asked }, (kept) => {
      putPart(context, input, number, kept)
      const { algorithm, value } = kept.checksum
      const result = { ETag: quoted(kept.md5Hex), LastModified: dateOf(clock.now()) }
      return {
        CopyPartResult: { ...result, ...(upload.checksumAlgorithm ? checksumMembers(algorithm, value) : {}) },
      }
    })
  }

  /** A part of the same number is replaced. */
  const putPart = (
    context: Context,
    input: Parameters<typeof findUpload>[2],
    number: number,
    kept: KeptBody,
  ): void => {
    const upload = findUpload(s3, context, input)
    const before = partRows(store, upload.id).find((part) => part.number === number)
    if (before) discardBody(s3, before.bodyId)
    const row: PartRow = {
      uploadId: upload.id,
      number,
      bodyId: kept.id,
      bytes: kept.bytes,
      etag: kept.md5Hex,
      checksumValue: kept.checksum.value,
      modifiedAt: clock.now(),
    }
    store.put('s3_part', row)
  }

  const listParts: Operation<sdk.ListPartsCommandInput, sdk.ListPartsCommandOutput> = (context, input) => {
    const upload = findUpload(s3, context, input)
    const asked = input.MaxParts ?? limits.listEntriesMax
    if (asked < 0)
      throw invalidArgument(
        'Argument max-parts must be an integer between 0 and 2147483647',
        'max-parts',
        String(asked),
      )
    const MaxParts = Math.min(asked, limits.listEntriesMax)
    const marker = Number(input.PartNumberMarker ?? 0)
    const behind = partRows(store, upload.id).filter((part) => part.number > marker)
    const page = behind.slice(0, MaxParts)
    const owner = ownerOf(context)
    return {
      Bucket: upload.bucket,
      Key: upload.key,
      UploadId: upload.id,
      PartNumberMarker: String(marker),
      NextPartNumberMarker: String(page.at(-1)?.number ?? 0),
      MaxParts,
      IsTruncated: behind.length > page.length,
      Initiator: owner,
      Owner: owner,
      StorageClass: 'STANDARD' as const,
      ChecksumAlgorithm: upload.checksumAlgorithm ?? undefined,
      ChecksumType: upload.checksumAlgorithm ? upload.checksumType : undefined,
      Parts: page.map((part) => ({
        PartNumber: part.number,
        LastModified: dateOf(part.modifiedAt),
        ETag: quoted(part.etag),
        Size: part.bytes,
        ...checksumMembers(upload.checksumAlgorithm, part.checksumValue),
      })),
    }
  }

  return { uploadPart, uploadPartCopy, listParts }
}

function checkPartNumber(number: number | undefined): number {
  if (number !== undefined && Number.isInteger(number) && number >= 1 && number <= limits.partsMax)
    return number
  throw invalidArgument(
    `Part number must be an integer between 1 and ${limits.partsMax}, inclusive`,
    'partNumber',
    String(number),
  )
}

/** A part's checksum is of the upload's algorithm, unless the upload named none: then it is only verified. */
function askedOf(upload: UploadRow, asked: Asked): Asked {
  const algorithm = upload.checksumAlgorithm
  if (algorithm === null || asked.algorithm === algorithm) return asked
  if (asked.expected === undefined) return { algorithm, expected: undefined }
  throw invalidRequest(
    `Checksum Type mismatch occurred, expected checksum Type: ${algorithm.toLowerCase()}, actual checksum Type: ${asked.algorithm.toLowerCase()}`,
  )
}
