import type * as sdk from '@aws-sdk/client-s3'
import type { Context, Operation } from '../../context.ts'
import { dateOf, ownerOf, quoted } from '../answers.ts'
import type { S3 } from '../bodies.ts'
import type { Algorithm, ChecksumType } from '../checksums.ts'
import { invalidArgument } from '../errors.ts'
import { limits } from '../limits.ts'
import { listPage, urlEncode, type Bound } from '../listing.ts'
import { findBucket, type BucketInput } from '../lookup.ts'

type Listed = {
  key: string
  bytes: number
  etag: string
  modifiedAt: number
  checksumAlgorithm: Algorithm | null
  checksumType: ChecksumType | null
}
type ListInput = BucketInput & {
  Prefix?: string | undefined
  Delimiter?: string | undefined
  MaxKeys?: number | undefined
  EncodingType?: string | undefined
}

export function makeObjectListings(s3: S3) {
  const read = (bucket: string) => (from: Bound, limit: number) =>
    s3.store.all<Listed>(
      `select key, bytes, etag, modified_at, checksum_algorithm, checksum_type from s3_object
       where bucket = :bucket and key ${from.included ? '>=' : '>'} :from order by key limit :limit`,
      { bucket, from: from.key, limit },
    )

  /** The part that the three listings share. */
  const list = (context: Context, input: ListInput, after: string) => {
    const { name } = findBucket(s3, context, input)
    const encode = encoder(input.EncodingType)
    const maxKeys = input.MaxKeys ?? limits.listEntriesMax
    if (!Number.isInteger(maxKeys) || maxKeys < 0 || maxKeys > 2147483647)
      throw invalidArgument(
        'Argument maxKeys must be an integer between 0 and 2147483647',
        'maxKeys',
        String(maxKeys),
      )
    const MaxKeys = Math.min(maxKeys, limits.listEntriesMax)
    const options = {
      prefix: input.Prefix ?? '',
      delimiter: input.Delimiter ?? '',
      after,
      entriesMax: MaxKeys,
    }
    const page = listPage(read(name), options)
    const answer = {
      Name: name,
      Prefix: encode(input.Prefix ?? ''),
      Delimiter: input.Delimiter ? encode(input.Delimiter) : undefined,
      MaxKeys,
      IsTruncated: page.truncated,
      EncodingType: input.EncodingType ? ('url' as const) : undefined,
      CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
    }
    return { page, answer, encode }
  }

  const describe = (row: Listed, encode: (text: string) => string) => ({
    Key: encode(row.key),
    LastModified: dateOf(row.modifiedAt),
    ETag: quoted(row.etag),
    ChecksumAlgorithm: row.checksumAlgorithm ? [row.checksumAlgorithm] : undefined,
    ChecksumType: row.checksumType ?? undefined,
    Size: row.bytes,
    StorageClass: 'STANDARD' as const,
  })

  const listObjects: Operation<sdk.ListObjectsCommandInput, sdk.ListObjectsCommandOutput> = (
    context,
    input,
  ) => {
    const { page, answer, encode } = list(context, input, input.Marker ?? '')
    return {
      ...answer,
      Marker: encode(input.Marker ?? ''),
      // Without a delimiter the last key is the marker (API reference, ListObjects, NextMarker).
      NextMarker: page.truncated && input.Delimiter ? encode(page.last) : undefined,
      Contents: page.items.map((row) => ({ ...describe(row, encode), Owner: ownerOf(context) })),
    }
  }

  const listObjectsV2: Operation<sdk.ListObjectsV2CommandInput, sdk.ListObjectsV2CommandOutput> = (
    context,
    input,
  ) => {
    const token = input.ContinuationToken
    const { page, answer, encode } = list(
      context,
      input,
      token ? keyOfToken(token) : (input.StartAfter ?? ''),
    )
    return {
      ...answer,
      KeyCount: page.items.length + page.prefixes.length,
      ContinuationToken: token,
      NextContinuationToken: page.truncated ? tokenOfKey(page.last) : undefined,
      StartAfter: input.StartAfter ? encode(input.StartAfter) : undefined,
      Contents: page.items.map((row) => ({
        ...describe(row, encode),
        ...(input.FetchOwner ? { Owner: ownerOf(context) } : {}),
      })),
    }
  }

  /** Every object is its only version, `null`, as in a bucket that never had versioning (tools that empty buckets ask). */
  const listObjectVersions: Operation<
    sdk.ListObjectVersionsCommandInput,
    sdk.ListObjectVersionsCommandOutput
  > = (context, input) => {
    const { page, answer, encode } = list(context, input, input.KeyMarker ?? '')
    return {
      ...answer,
      KeyMarker: encode(input.KeyMarker ?? ''),
      VersionIdMarker: input.VersionIdMarker ?? '',
      NextKeyMarker: page.truncated ? encode(page.last) : undefined,
      NextVersionIdMarker: page.truncated && page.items.at(-1)?.key === page.last ? 'null' : undefined,
      Versions: page.items.map((row) => ({
        ...describe(row, encode),
        VersionId: 'null',
        IsLatest: true,
        Owner: ownerOf(context),
      })),
    }
  }

  return { listObjects, listObjectsV2, listObjectVersions }
}

export function encoder(encodingType: string | undefined): (text: string) => string {
  if (encodingType === undefined) return (text) => text
  if (encodingType === 'url') return urlEncode
  throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', encodingType)
}

// The token says which version of its form it has, so that it may change.
const tokenOfKey = (key: string) => Buffer.from(`1${key}`).toString('base64')

function keyOfToken(token: string): string {
  const text = Buffer.from(token, 'base64').toString()
  if (!text.startsWith('1') || text === '1')
    throw invalidArgument('The continuation token provided is incorrect', 'continuation-token', token)
  return text.slice(1)
}
