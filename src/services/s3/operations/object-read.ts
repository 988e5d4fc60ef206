import type * as sdk from '@aws-sdk/client-s3'
import type { Readable } from 'node:stream'
import type { Operation } from '../../context.ts'
import { dateOf, describeChecksum, describeObject } from '../answers.ts'
import type { S3 } from '../bodies.ts'
import { checksumMembers } from '../checksums.ts'
import { checkRead, parseRange, partRange } from '../conditions.ts'
import { refuseUnsupported } from '../description.ts'
import { invalidRequest } from '../errors.ts'
import { limits } from '../limits.ts'
import { findObject } from '../lookup.ts'
import type { ObjectRow, PartSummary } from '../store.ts'

/** `$status` is 206 for a part of the body, and 304, without a body, for who has it already. */
export type GetObjectOutput = Omit<sdk.GetObjectCommandOutput, 'Body'> & { Body?: Readable; $status?: number }
export type HeadObjectOutput = sdk.HeadObjectCommandOutput & { $status?: number }

export function makeObjectReads(s3: S3) {
  const getObject: Operation<sdk.GetObjectCommandInput, GetObjectOutput> = (context, input) => {
    refuseUnsupported(input)
    const row = findObject(s3, context, input)
    const { answer, range } = describeRead(row, input)
    if (answer.$status === 304) return answer
    return { ...answer, Body: s3.objects.get(row.bodyId, range) }
  }

  const headObject: Operation<sdk.HeadObjectCommandInput, HeadObjectOutput> = (context, input) => {
    refuseUnsupported(input)
    return describeRead(findObject(s3, context, input), input).answer
  }

  const getObjectAttributes: Operation<
    sdk.GetObjectAttributesCommandInput,
    sdk.GetObjectAttributesCommandOutput
  > = (context, input) => {
    refuseUnsupported(input)
    const row = findObject(s3, context, input)
    const asked = (name: string) => (input.ObjectAttributes ?? []).some((attribute) => attribute === name)
    return {
      LastModified: dateOf(row.modifiedAt),
      ETag: asked('ETag') ? row.etag : undefined,
      Checksum: asked('Checksum') ? describeChecksum(row) : undefined,
      ObjectParts: asked('ObjectParts') && row.parts ? describeParts(row, row.parts, input) : undefined,
      StorageClass: asked('StorageClass') ? ('STANDARD' as const) : undefined,
      ObjectSize: asked('ObjectSize') ? row.bytes : undefined,
    }
  }

  return { getObject, headObject, getObjectAttributes }
}

type ReadInput = Omit<sdk.GetObjectCommandInput, 'Bucket' | 'Key'>

function describeRead(row: ObjectRow, input: ReadInput) {
  if (input.Range !== undefined && input.PartNumber !== undefined)
    throw invalidRequest('Cannot specify both Range header and partNumber query parameter')
  if (checkRead(row, input) === 'not-modified') {
    const { ETag, LastModified, CacheControl } = describeObject(row)
    return { answer: { $status: 304, ETag, LastModified, CacheControl }, range: undefined }
  }
  const { PartNumber } = input
  const range = PartNumber === undefined ? parseRange(input.Range, row.bytes) : partRange(row, PartNumber)
  const parts: PartSummary[] = row.parts ? JSON.parse(row.parts) : []
  const description = describeObject(row)
  const answer = {
    ...description,
    ...(input.ChecksumMode === 'ENABLED' && !range ? describeChecksum(row) : {}),
    ...(range ? { ContentRange: `bytes ${range.start}-${range.end}/${row.bytes}`, $status: 206 } : {}),
    ContentLength: range ? range.end - range.start + 1 : row.bytes,
    PartsCount: PartNumber !== undefined && parts.length > 0 ? parts.length : undefined,
    CacheControl: input.ResponseCacheControl ?? description.CacheControl,
    ContentDisposition: input.ResponseContentDisposition ?? description.ContentDisposition,
    ContentEncoding: input.ResponseContentEncoding ?? description.ContentEncoding,
    ContentLanguage: input.ResponseContentLanguage ?? description.ContentLanguage,
    ContentType: input.ResponseContentType ?? description.ContentType,
    Expires: input.ResponseExpires ?? description.Expires,
    ExpiresString: (input.ResponseExpires ?? description.Expires)?.toUTCString(),
  }
  return { answer, range }
}

function describeParts(row: ObjectRow, partsJson: string, input: sdk.GetObjectAttributesCommandInput) {
  const parts: PartSummary[] = JSON.parse(partsJson)
  const MaxParts = Math.min(input.MaxParts ?? limits.listEntriesMax, limits.listEntriesMax)
  const marker = Number(input.PartNumberMarker ?? 0)
  const behind = parts.filter((part) => part.number > marker)
  const page = behind.slice(0, MaxParts)
  return {
    TotalPartsCount: parts.length,
    PartNumberMarker: String(marker),
    NextPartNumberMarker: String(page.at(-1)?.number ?? 0),
    MaxParts,
    IsTruncated: behind.length > page.length,
    Parts: page.map((part) => ({
      PartNumber: part.number,
      Size: part.bytes,
      ...checksumMembers(row.checksumAlgorithm, part.checksum),
    })),
  }
}
