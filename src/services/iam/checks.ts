// Names, paths, policies, tags and pages, checked as IAM does.
import { invalidInput, limitExceeded, malformedPolicy, noSuchEntity, validationError } from './errors.ts'
import { limits } from './limits.ts'

/** `member` is the name of the parameter as IAM writes it in its message: `roleName`. */
export function checkName(value: string | undefined, member: string, lengthMax: number): string {
  if (!value) throw validationError('', member, 'Member must have length greater than or equal to 1')
  if (value.length > lengthMax)
    throw validationError(value, member, `Member must have length less than or equal to ${lengthMax}`)
  if (!/^[\w+=,.@-]+$/.test(value))
    throw validationError(value, member, 'Member must satisfy regular expression pattern: [\\w+=,.@-]+')
  return value
}

/** There are no users: only the root user's own keys, for which the name is left out. */
export function checkNoUser(name: string | undefined): void {
  if (name === undefined) return
  throw noSuchEntity(`The user with name ${checkName(name, 'userName', 128)} cannot be found.`)
}

export function checkAccessKeyId(id: string | undefined): string {
  if (id !== undefined && /^\w{16,128}$/.test(id)) return id
  throw validationError(
    id ?? '',
    'accessKeyId',
    'Member must have length between 16 and 128 and satisfy regular expression pattern: [\\w]+',
  )
}

export function checkPath(path: string | undefined): string {
  if (path === undefined) return '/'
  if (path.length > 512)
    throw validationError(path, 'path', 'Member must have length less than or equal to 512')
  if (path === '/' || /^\/[!-~]+\/$/.test(path)) return path
  throw validationError(
    path,
    'path',
    'Member must satisfy regular expression pattern: (\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)',
  )
}

/** A policy is kept as it was given; it must at least be a policy. */
export function checkPolicy(document: string | undefined, charactersMax: number): string {
  const policy = parse(document ?? '')
  if (typeof policy !== 'object' || policy === null || !('Statement' in policy))
    throw malformedPolicy('Syntax errors in policy.')
  if ((document ?? '').replace(/\s/g, '').length > charactersMax)
    throw limitExceeded('ACLSizePerRole', charactersMax)
  return document ?? ''
}

function parse(document: string): unknown {
  try {
    return JSON.parse(document)
  } catch {
    throw malformedPolicy('This policy contains invalid Json')
  }
}

export type Tag = { Key: string; Value: string }

/** Joins `tags` into those there are; a key that is there is overwritten. */
export function joinTags(
  before: Tag[],
  tags: { Key: string | undefined; Value: string | undefined }[],
): Tag[] {
  const joined = new Map(before.map((tag) => [tag.Key, tag]))
  const given = new Set<string>()
  for (const { Key = '', Value = '' } of tags) {
    if (Key.length < 1 || Key.length > 128)
      throw validationError(Key, 'tags.1.member.key', 'Member must have length between 1 and 128')
    if (Value.length > 256)
      throw validationError(Value, 'tags.1.member.value', 'Member must have length less than or equal to 256')
    if (given.has(Key))
      throw invalidInput('Duplicate tag keys found. Please note that Tag keys are case insensitive.')
    given.add(Key)
    joined.set(Key, { Key, Value })
  }
  if (joined.size > limits.tagsMax) throw limitExceeded('TagsPerRole', limits.tagsMax)
  return [...joined.values()]
}

type PageInput = { Marker?: string | undefined; MaxItems?: number | undefined }

/** One page of `entries`, which are ordered by `keyOf`; the marker is opaque to clients and names the last key. */
export function pageOf<T>(entries: T[], keyOf: (entry: T) => string, { Marker, MaxItems }: PageInput) {
  const entriesMax = MaxItems ?? limits.pageEntriesDefault
  if (!Number.isInteger(entriesMax) || entriesMax < 1 || entriesMax > limits.pageEntriesMax)
    throw validationError(String(entriesMax), 'maxItems', 'Member must have value between 1 and 1000')
  const after = Marker === undefined ? undefined : markerKey(Marker)
  const start = after === undefined ? 0 : entries.findIndex((entry) => compare(keyOf(entry), after) > 0)
  const behind = start < 0 ? [] : entries.slice(start)
  const page = behind.slice(0, entriesMax)
  const last = page.at(-1)
  const truncated = behind.length > page.length && last !== undefined
  return {
    page,
    paging: {
      IsTruncated: truncated,
      Marker: truncated ? Buffer.from(`1${keyOf(last)}`).toString('base64') : undefined,
    },
  }
}

/** The order of the rows: SQLite's nocase. */
const compare = (one: string, other: string) => {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()]
  return a < b ? -1 : a > b ? 1 : 0
}

function markerKey(marker: string): string {
  const text = Buffer.from(marker, 'base64').toString()
  if (!text.startsWith('1')) throw validationError(marker, 'marker', 'Invalid Marker.')
  return text.slice(1)
}
