// S3's errors in S3's words: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
import { DeclaredError } from '../../kernel/errors.ts'
import { limits } from './limits.ts'

type Members = Record<string, string>

const declare =
  (code: string, httpStatus: number, message: string) =>
  (members: Members = {}) =>
    new DeclaredError(code, message, { httpStatus, members })

export const noSuchBucket = declare('NoSuchBucket', 404, 'The specified bucket does not exist')
export const noSuchKey = declare('NoSuchKey', 404, 'The specified key does not exist.')
export const noSuchVersion = declare('NoSuchVersion', 404, 'The specified version does not exist.')
export const noSuchUpload = declare(
  'NoSuchUpload',
  404,
  'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
)
export const noSuchTagSet = declare('NoSuchTagSet', 404, 'The TagSet does not exist')
export const bucketAlreadyOwnedByYou = declare(
  'BucketAlreadyOwnedByYou',
  409,
  'Your previous request to create the named bucket succeeded and you already own it.',
)
export const bucketNotEmpty = declare('BucketNotEmpty', 409, 'The bucket you tried to delete is not empty')
export const tooManyBuckets = declare(
  'TooManyBuckets',
  400,
  'You have attempted to create more buckets than allowed',
)
export const invalidBucketName = declare('InvalidBucketName', 400, 'The specified bucket is not valid.')
export const keyTooLong = declare('KeyTooLongError', 400, 'Your key is too long')
export const metadataTooLarge = declare(
  'MetadataTooLarge',
  400,
  'Your metadata headers exceed the maximum allowed metadata size',
)
export const invalidPart = declare(
  'InvalidPart',
  400,
  "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
)
export const invalidPartOrder = declare(
  'InvalidPartOrder',
  400,
  'The list of parts was not in ascending order. Parts must be ordered by part number.',
)
export const entityTooSmall = declare(
  'EntityTooSmall',
  400,
  'Your proposed upload is smaller than the minimum allowed size',
)
export const invalidRange = declare('InvalidRange', 416, 'The requested range is not satisfiable')
export const invalidPartNumber = declare(
  'InvalidPartNumber',
  416,
  'The requested partnumber is not satisfiable',
)
export const preconditionFailed = declare(
  'PreconditionFailed',
  412,
  'At least one of the pre-conditions you specified did not hold',
)
export const malformedXml = declare(
  'MalformedXML',
  400,
  'The XML you provided was not well-formed or did not validate against our published schema',
)
export const accessDenied = declare('AccessDenied', 403, 'Access Denied')
export const invalidDigest = declare('InvalidDigest', 400, 'The Content-MD5 you specified was invalid.')
export const aclNotSupported = declare('AccessControlListNotSupported', 400, 'The bucket does not allow ACLs')

export const badDigest = (what: string) =>
  what === 'Content-MD5'
    ? declare('BadDigest', 400, 'The Content-MD5 you specified did not match what we received.')()
    : declare('BadDigest', 400, `The ${what} you specified did not match the calculated checksum.`)()

export const entityTooLarge = (bytes: number, bytesMax: number = limits.objectBytesMax) =>
  declare(
    'EntityTooLarge',
    400,
    'Your proposed upload exceeds the maximum allowed size',
  )({
    ProposedSize: String(bytes),
    MaxSizeAllowed: String(bytesMax),
  })

export const invalidRequest = (message: string) => declare('InvalidRequest', 400, message)()

export const invalidArgument = (message: string, name: string, value: string) =>
  declare('InvalidArgument', 400, message)({ ArgumentName: name, ArgumentValue: value })

/** AWS names the header only in a member that clients do not show; the message names it too. */
export const notImplemented = (header: string) =>
  declare(
    'NotImplemented',
    501,
    `A header you provided implies functionality that is not implemented: ${header}`,
  )({
    Header: header,
  })

/** Not an answer of AWS, whose disks are never full. 507 is not retried by the SDKs, as 500 and 503 would be. */
export const insufficientStorage = (message: string) => declare('InsufficientStorage', 507, message)()
