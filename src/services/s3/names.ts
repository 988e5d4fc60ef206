// Names of buckets and keys.
import { invalidArgument, invalidBucketName, invalidRequest, keyTooLong, noSuchVersion } from './errors.ts'
import { limits } from './limits.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export function checkBucketName(name: string): string {
  const wrong =
    !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) ||
    name.includes('..') ||
    /^\d{1,3}(\.\d{1,3}){3}$/.test(name) ||
    /^(xn--|sthree-|amzn-s3-demo-)/.test(name) ||
    /(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name)
  if (wrong) throw invalidBucketName({ BucketName: name })
  return name
}

/** Keys are any text of 1 to 1,024 bytes in UTF-8: `a/../b` is a key, not a path. */
export function checkKey(key: string | undefined): string {
  if (!key) throw invalidArgument('The key must not be empty', 'key', '')
  const bytes = Buffer.byteLength(key)
  if (bytes > limits.keyBytesMax)
    throw keyTooLong({ Size: String(bytes), MaxSizeAllowed: String(limits.keyBytesMax) })
  return key
}

/** No bucket has versions here; what was never versioned has the version `null`. */
export function checkVersion(versionId: string | undefined): void {
  if (versionId === undefined || versionId === 'null') return
  if (versionId === '') throw invalidArgument('Version id cannot be the empty string', 'versionId', '')
  throw noSuchVersion({ VersionId: versionId })
}

/** `x-amz-copy-source`: `/bucket/key?versionId=…`, each part percent-encoded. */
export function parseCopySource(source: string | undefined): { bucket: string; key: string } {
  const [path = '', query] = (source ?? '').split('?versionId=', 2)
  const decoded = decode(path.replace(/^\//, ''))
  const slash = decoded.indexOf('/')
  if (slash < 1 || slash === decoded.length - 1)
    throw invalidArgument(
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
      'x-amz-copy-source',
      source ?? '',
    )
  checkVersion(query)
  return { bucket: decoded.slice(0, slash), key: checkKey(decoded.slice(slash + 1)) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalidArgument('Invalid copy source encoding.', 'x-amz-copy-source', text)
  }
}

export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw invalidRequest(`Missing required parameter: ${name}`)
  return value
}
