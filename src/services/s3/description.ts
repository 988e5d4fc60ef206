// What a client says of an object beside its bytes: content headers, metadata, tags. Stored, and answered as it was given.
import { aclNotSupported, invalidArgument, metadataTooLarge, notImplemented } from './errors.ts'
import { limits } from './limits.ts'
import type { Description } from './store.ts'
import { parseTagging } from './tags.ts'

export type DescriptionInput = {
  CacheControl?: string | undefined
  ContentDisposition?: string | undefined
  ContentEncoding?: string | undefined
  ContentLanguage?: string | undefined
  ContentType?: string | undefined
  Expires?: Date | undefined
  Metadata?: Record<string, string> | undefined
  Tagging?: string | undefined
}

/** JSON in the column `headers`. */
export type ContentHeaders = {
  CacheControl?: string | undefined
  ContentDisposition?: string | undefined
  ContentEncoding?: string | undefined
  ContentLanguage?: string | undefined
  /** Epoch milliseconds. */
  Expires?: number | undefined
}

export function describedBy(input: DescriptionInput): Description {
  const metadata = input.Metadata ?? {}
  const bytes = Object.entries(metadata).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0)
  if (bytes > limits.metadataBytesMax)
    throw metadataTooLarge({ Size: String(bytes), MaxSizeAllowed: String(limits.metadataBytesMax) })
  const headers: ContentHeaders = {
    CacheControl: input.CacheControl,
    ContentDisposition: input.ContentDisposition,
    ContentEncoding: withoutChunked(input.ContentEncoding),
    ContentLanguage: input.ContentLanguage,
    Expires: input.Expires?.getTime(),
  }
  return {
    contentType: input.ContentType ?? 'binary/octet-stream',
    headers: JSON.stringify(headers),
    metadata: JSON.stringify(metadata),
    tags: JSON.stringify(parseTagging(input.Tagging)),
  }
}

// `aws-chunked` says how the body came, not what it is; S3 does not store it.
function withoutChunked(encoding: string | undefined): string | undefined {
  const rest = encoding
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '' && one !== 'aws-chunked')
  return rest?.length ? rest.join(',') : undefined
}

/** Refuses what would have no effect here. Values that mean what happens anyway are let through. */
export function refuseUnsupported(input: object): void {
  for (const [member, value] of Object.entries(input)) {
    if (value === undefined || value === null || value === false || value === '') continue
    if (member.startsWith('Grant')) throw aclNotSupported()
    if (member === 'ACL' && value !== 'private' && value !== 'bucket-owner-full-control')
      throw aclNotSupported()
    if (member === 'StorageClass' && value !== 'STANDARD') throw notImplemented('x-amz-storage-class')
    const header = HEADERS[member]
    if (header !== undefined) throw notImplemented(header)
  }
}

/** An object is encrypted, locked or redirected only if somebody does it: nobody does here. */
const HEADERS: Record<string, string> = {
  BucketKeyEnabled: 'x-amz-server-side-encryption-bucket-key-enabled',
  BypassGovernanceRetention: 'x-amz-bypass-governance-retention',
  CopySourceSSECustomerAlgorithm: 'x-amz-copy-source-server-side-encryption-customer-algorithm',
  CopySourceSSECustomerKey: 'x-amz-copy-source-server-side-encryption-customer-key',
  MFA: 'x-amz-mfa',
  ObjectLockEnabledForBucket: 'x-amz-bucket-object-lock-enabled',
  ObjectLockEventHold: 'x-amz-object-lock-event-hold',
  ObjectLockLegalHoldStatus: 'x-amz-object-lock-legal-hold',
  ObjectLockMode: 'x-amz-object-lock-mode',
  ObjectLockRetainUntilDate: 'x-amz-object-lock-retain-until-date',
  ServerSideEncryption: 'x-amz-server-side-encryption',
  SSECustomerAlgorithm: 'x-amz-server-side-encryption-customer-algorithm',
  SSECustomerKey: 'x-amz-server-side-encryption-customer-key',
  SSEKMSEncryptionContext: 'x-amz-server-side-encryption-context',
  SSEKMSKeyId: 'x-amz-server-side-encryption-aws-kms-key-id',
  WebsiteRedirectLocation: 'x-amz-website-redirect-location',
  WriteOffsetBytes: 'x-amz-write-offset-bytes',
}

export function directive(name: string, value: string | undefined): 'COPY' | 'REPLACE' {
  if (value === undefined || value === 'COPY') return 'COPY'
  if (value === 'REPLACE') return value
  throw invalidArgument(`Unknown ${name} directive.`, `x-amz-${name}-directive`, value)
}
