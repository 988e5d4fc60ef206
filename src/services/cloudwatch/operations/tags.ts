import type { Tag } from '@aws-sdk/client-cloudwatch'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context } from '../../context.ts'
import type { CloudwatchOperations } from '../../generated/cloudwatch.ts'
import type { CloudwatchDeps } from '../deps.ts'
import { invalidValue } from '../errors.ts'
import { tagsOf, type AlarmRow } from '../store.ts'

type Implemented = Pick<CloudwatchOperations, 'tagResource' | 'untagResource' | 'listTagsForResource'>

const TAGS_MAX = 50

export function makeTagOperations({ store }: Pick<CloudwatchDeps, 'store'>): Implemented {
  return {
    tagResource(context, input) {
      const row = requireTagged(context, input.ResourceARN)
      store.update('cloudwatch_alarm', { arn: row.arn }, { tags: tagsAfter(tagsOf(row), input.Tags) })
      return {}
    },
    untagResource(context, input) {
      const row = requireTagged(context, input.ResourceARN)
      const tags = tagsOf(row)
      for (const key of input.TagKeys ?? []) delete tags[key]
      store.update('cloudwatch_alarm', { arn: row.arn }, { tags })
      return {}
    },
    listTagsForResource(context, input) {
      const tags = tagsOf(requireTagged(context, input.ResourceARN))
      return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }
    },
  }

  function requireTagged({ account, region }: Context, arn: string | undefined): AlarmRow {
    const row = store.get<AlarmRow>(
      'select * from cloudwatch_alarm where arn = :arn and account = :account and region = :region',
      { arn: arn ?? '', account, region },
    )
    if (!row)
      throw new DeclaredError('ResourceNotFoundException', `Unknown resource: ${arn ?? ''}`, {
        httpStatus: 404,
      })
    return row
  }
}

/** Throws for tags that AWS refuses. */
export function tagsAfter(before: Record<string, string>, given: Tag[] | undefined): Record<string, string> {
  const after = new Map(Object.entries(before))
  for (const { Key: key = '', Value: value = '' } of given ?? []) {
    if (key === '' || key.length > 128 || value.length > 256)
      throw invalidValue('Tag keys have 1 to 128 characters, values at most 256.')
    if (key.toLowerCase().startsWith('aws:'))
      throw invalidValue('Tag keys that begin with aws: are reserved for AWS.')
    after.set(key, value)
  }
  if (after.size > TAGS_MAX) throw invalidValue(`An alarm has at most ${TAGS_MAX} tags.`)
  return Object.fromEntries(after)
}
