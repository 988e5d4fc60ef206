// Constraints of the model that requests break, in the words that AWS uses for them.
import type { Tag } from '@aws-sdk/client-elastic-beanstalk'
import { DeclaredError } from '../../kernel/errors.ts'

type Constraint = {
  member: string
  value: string | undefined
  least?: number
  most?: number
  required?: true
}

/** @throws DeclaredError `ValidationError` that lists every broken constraint. */
export function checkLengths(constraints: Constraint[]): void {
  const broken = constraints.flatMap(({ member, value, least = 0, most = Infinity, required }) => {
    if (value === undefined)
      return required
        ? [`Value null at '${member}' failed to satisfy constraint: Member must not be null`]
        : []
    const at = `Value '${value.slice(0, 256)}' at '${member}' failed to satisfy constraint: Member must have length`
    if (value.length < least) return [`${at} greater than or equal to ${least}`]
    if (value.length > most) return [`${at} less than or equal to ${most}`]
    return []
  })
  if (broken.length === 0) return
  const count = broken.length === 1 ? '1 validation error' : `${broken.length} validation errors`
  throw new DeclaredError('ValidationError', `${count} detected: ${broken.join('; ')}`)
}

/** @throws DeclaredError for a number that is no integer or outside of its range; undefined is fine. */
export function checkRange(member: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined) return
  if (!Number.isInteger(value))
    throw new DeclaredError('MalformedInput', `'${value}' at '${member}' is not an integer`)
  const at = `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must have value`
  if (value < least) throw new DeclaredError('ValidationError', `${at} greater than or equal to ${least}`)
  if (value > most) throw new DeclaredError('ValidationError', `${at} less than or equal to ${most}`)
}

export function checkApplicationName(name: string | undefined): asserts name is string {
  checkLengths([{ member: 'applicationName', value: name, least: 1, most: 100, required: true }])
  if (name?.includes('/'))
    throw invalidValue(
      `Value ${name} at 'ApplicationName' failed to satisfy constraint: Member must not contain '/'`,
    )
}

export function checkDescription(description: string | undefined): void {
  checkLengths([{ member: 'description', value: description, most: 200 }])
}

export function checkEnvironmentName(name: string): void {
  checkLengths([{ member: 'environmentName', value: name, least: 4, most: 40 }])
  if (!DASHED.test(name))
    throw invalidValue(
      `Value ${name} at 'EnvironmentName' failed to satisfy constraint: Member must contain only letters, digits, ` +
        'and the dash character and may not start or end with a dash',
    )
}

export function checkCnamePrefix(prefix: string): void {
  checkLengths([{ member: 'cNAMEPrefix', value: prefix, least: 4, most: 63 }])
  if (!DASHED.test(prefix))
    throw invalidValue(
      `Value ${prefix} at 'CNAMEPrefix' failed to satisfy constraint: Member must contain only letters, digits, ` +
        'and the dash character and may not start or end with a dash',
    )
}

export const TAGS_MAX = 50
/** Three of the 50 tags of an environment are AWS's own. */
export const ENVIRONMENT_TAGS_MAX = 47

/** @throws DeclaredError for tags that are not good, or more than `most` with those that exist already. */
export function checkTags(tags: Tag[], most = TAGS_MAX, existing = 0): { key: string; value: string }[] {
  if (tags.length + existing > most)
    throw new DeclaredError('TooManyTagsException', `The number of tags must not exceed ${most}.`)
  const seen = new Set<string>()
  return tags.map(({ Key = '', Value = '' }) => {
    if (Key === '' || Key.length > 128 || Value.length > 256)
      throw invalidValue('Tag keys must have 1 to 128 characters, tag values at most 256.')
    if (/^(aws|elasticbeanstalk|polebean):/i.test(Key) || Key === 'Name')
      throw invalidValue(
        `Tag key '${Key}' is reserved: keys must not start with 'aws:', 'elasticbeanstalk:' or 'polebean:', or be 'Name'.`,
      )
    if (seen.has(Key)) throw invalidValue(`Duplicate tag key '${Key}'.`)
    seen.add(Key)
    return { key: Key, value: Value }
  })
}

export const invalidValue = (message: string) => new DeclaredError('InvalidParameterValue', message)
export const invalidCombination = (message: string) =>
  new DeclaredError('InvalidParameterCombination', message)

/** For what AWS can do and this program cannot yet: said, never stored and ignored. */
export const notImplemented = (what: string) =>
  new DeclaredError('InvalidParameterValue', `${what} is not implemented in Polebean yet.`)

const DASHED = /^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$/
