// Tags of buckets and objects: at most 50 and 10, unique keys, lengths as AWS counts them.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
import { DeclaredError } from '../../kernel/errors.ts'
import { invalidArgument } from './errors.ts'

export type Tag = { Key: string; Value: string }

/** `x-amz-tagging`: written like a URL's query. */
export function parseTagging(header: string | undefined): Tag[] {
  if (!header) return []
  const tags = [...new URLSearchParams(header)].map(([Key, Value]) => ({ Key, Value }))
  if (tags.length > 10)
    throw invalidArgument('Object tags cannot be greater than 10', 'x-amz-tagging', header)
  return checkTags(tags, 10)
}

export function checkTags(
  tags: { Key?: string | undefined; Value?: string | undefined }[],
  tagsMax: number,
): Tag[] {
  if (tags.length > tagsMax) throw badRequest(`Object tags cannot be greater than ${tagsMax}`)
  const seen = new Set<string>()
  return tags.map(({ Key = '', Value = '' }) => {
    if (Key.length < 1 || Key.length > 128) throw invalidTag('The TagKey you have provided is invalid')
    if (Value.length > 256) throw invalidTag('The TagValue you have provided is invalid')
    if (!ALLOWED.test(Key)) throw invalidTag('The TagKey you have provided is invalid')
    if (!ALLOWED.test(Value)) throw invalidTag('The TagValue you have provided is invalid')
    if (Key.startsWith('aws:')) throw invalidTag('System tags cannot be added/updated by requester')
    if (seen.has(Key)) throw invalidTag('Cannot provide multiple Tags with the same key')
    seen.add(Key)
    return { Key, Value }
  })
}

const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

const invalidTag = (message: string) => new DeclaredError('InvalidTag', message)
const badRequest = (message: string) => new DeclaredError('BadRequest', message)
