// Rows → members of answers.
import { createHash } from 'node:crypto'
import type { Context } from '../context.ts'
import { checksumMembers } from './checksums.ts'
import type { ContentHeaders } from './description.ts'
import type { ObjectRow } from './store.ts'

export const quoted = (etag: string) => `"${etag}"`

/** S3 keeps whole seconds; HTTP's dates have no others, so a listing and a HEAD agree. */
export const dateOf = (ms: number) => new Date(Math.floor(ms / 1000) * 1000)

/** The canonical user id: 64 hexadecimal digits that stand for the account. */
export const ownerOf = ({ account }: Context) => ({
  DisplayName: 'polebean',
  ID: createHash('sha256').update(`polebean ${account}`).digest('hex'),
})

export function describeObject(row: ObjectRow) {
  const headers: ContentHeaders = JSON.parse(row.headers)
  const tags: unknown[] = JSON.parse(row.tags)
  const metadata: Record<string, string> = JSON.parse(row.metadata)
  const expires = headers.Expires === undefined ? undefined : new Date(headers.Expires)
  return {
    AcceptRanges: 'bytes',
    LastModified: dateOf(row.modifiedAt),
    ETag: quoted(row.etag),
    CacheControl: headers.CacheControl,
    ContentDisposition: headers.ContentDisposition,
    ContentEncoding: headers.ContentEncoding,
    ContentLanguage: headers.ContentLanguage,
    ContentType: row.contentType,
    Expires: expires,
    ExpiresString: expires?.toUTCString(),
    Metadata: metadata,
    TagCount: tags.length > 0 ? tags.length : undefined,
  }
}

export const describeChecksum = (row: ObjectRow) =>
  row.checksumType === null
    ? {}
    : { ...checksumMembers(row.checksumAlgorithm, row.checksumValue), ChecksumType: row.checksumType }
