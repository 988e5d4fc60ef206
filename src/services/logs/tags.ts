// Tags of groups, within AWS's limits.
import { DeclaredError } from '../../kernel/errors.ts'
import { dictionary } from '../../kernel/dictionary.ts'
import { invalid, violated } from './errors.ts'

const TAGS_MAX = 50

/** Those that there are afterwards. @throws DeclaredError for what AWS refuses. */
export function checkTags(
  before: Record<string, string>,
  given: Record<string, string>,
): Record<string, string> {
  const after = dictionary<string>(before, given)
  for (const [key, value] of Object.entries(given)) {
    if (key === '') throw violated('', 'tags', 'Map keys must have length greater than or equal to 1')
    if (key.length > 128) throw violated(key, 'tags', 'Map keys must have length less than or equal to 128')
    if (value.length > 256)
      throw violated(value, 'tags', 'Map values must have length less than or equal to 256')
    if (/^aws:/i.test(key)) throw invalid('Tag keys that begin with aws: are reserved for AWS.')
  }
  if (Object.keys(after).length > TAGS_MAX)
    throw new DeclaredError('TooManyTagsException', `A resource can have no more than ${TAGS_MAX} tags.`)
  return after
}
