// If-Match and its kin (RFC 9110 §13), and Range (§14).
import { DeclaredError } from '../../kernel/errors.ts'
import { invalidPartNumber, invalidRange, noSuchKey, notImplemented, preconditionFailed } from './errors.ts'
import type { ObjectRow, PartSummary } from './store.ts'

export type ReadConditions = {
  IfMatch?: string | undefined
  IfNoneMatch?: string | undefined
  IfModifiedSince?: Date | undefined
  IfUnmodifiedSince?: Date | undefined
}

/** Whether to answer the object; `not-modified` is 304. Throws PreconditionFailed. The order is RFC 9110 §13.2.2's. */
export function checkRead(row: ObjectRow, conditions: ReadConditions): 'answer' | 'not-modified' {
  const { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince } = conditions
  if (IfMatch !== undefined) {
    if (!matches(row.etag, IfMatch)) throw preconditionFailed({ Condition: 'If-Match' })
  } else if (IfUnmodifiedSince && seconds(row.modifiedAt) > seconds(IfUnmodifiedSince.getTime())) {
    throw preconditionFailed({ Condition: 'If-Unmodified-Since' })
  }
  if (IfNoneMatch !== undefined) return matches(row.etag, IfNoneMatch) ? 'not-modified' : 'answer'
  if (IfModifiedSince && seconds(row.modifiedAt) <= seconds(IfModifiedSince.getTime())) return 'not-modified'
  return 'answer'
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html */
export function checkWrite(
  row: ObjectRow | undefined,
  key: string,
  { IfMatch, IfNoneMatch }: { IfMatch?: string | undefined; IfNoneMatch?: string | undefined },
): void {
  if (IfNoneMatch !== undefined) {
    if (IfNoneMatch !== '*') throw notImplemented('If-None-Match')
    if (row) throw preconditionFailed({ Condition: 'If-None-Match' })
  }
  if (IfMatch === undefined) return
  if (!row) throw noSuchKey({ Key: key })
  if (!matches(row.etag, IfMatch)) throw preconditionFailed({ Condition: 'If-Match' })
}

const seconds = (ms: number) => Math.floor(ms / 1000)

function matches(etag: string, condition: string): boolean {
  return condition.split(',').some((one) => {
    const bare = one.trim().replace(/^W\//, '').replaceAll('"', '')
    return bare === '*' || bare === etag
  })
}

export type Range = { start: number; end: number }

/** The bytes asked for, or undefined for all of them: a range that S3 cannot read is ignored, as is a list of them. */
export function parseRange(header: string | undefined, bytes: number): Range | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  if (!match || header === undefined) return undefined
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return undefined
  const unsatisfiable = () => invalidRange({ RangeRequested: header, ActualObjectSize: String(bytes) })
  if (first === '') {
    if (Number(last) === 0 || bytes === 0) throw unsatisfiable()
    return { start: Math.max(0, bytes - Number(last)), end: bytes - 1 }
  }
  const start = Number(first)
  const end = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1)
  if (last !== '' && Number(last) < start) return undefined
  if (start >= bytes) throw unsatisfiable()
  return { start, end }
}

/** The bytes of one part of an object, for PartNumber. An object that was put whole is its own part 1. */
export function partRange(row: ObjectRow, partNumber: number): Range | undefined {
  const parts: PartSummary[] = row.parts
    ? JSON.parse(row.parts)
    : [{ number: 1, bytes: row.bytes, checksum: null }]
  const index = partNumber - 1
  const part = parts[index]
  if (!part)
    throw invalidPartNumber({
      PartNumberRequested: String(partNumber),
      ActualPartCount: String(parts.length),
    })
  if (part.bytes === 0) return undefined
  const start = parts.slice(0, index).reduce((sum, one) => sum + one.bytes, 0)
  return { start, end: start + part.bytes - 1 }
}

/** `bytes=a-b` of UploadPartCopy: must be whole and lie inside. */
export function copyRange(header: string | undefined, bytes: number): Range | undefined {
  if (header === undefined) return undefined
  const match = /^bytes=(\d+)-(\d+)$/.exec(header)
  const range = match ? { start: Number(match[1]), end: Number(match[2]) } : undefined
  if (!range || range.start > range.end)
    throw new DeclaredError(
      'InvalidArgument',
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
    )
  if (range.end >= bytes)
    throw new DeclaredError(
      'InvalidArgument',
      `Range specified is not valid for source object of size: ${bytes}`,
    )
  return range
}
