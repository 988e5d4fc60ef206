// Tags of groups: by ARN, and as AWS's older operations have them, by name.
import { dictionary } from '../../../kernel/dictionary.ts'
import type { Context } from '../../context.ts'
import type { LogsOperations } from '../../generated/logs.ts'
import type { LogsDeps } from '../deps.ts'
import { noGroup } from '../errors.ts'
import { requireGroup } from '../lookup.ts'
import { groupOfArn } from '../names.ts'
import { type GroupRow, tagsOf } from '../store.ts'
import { checkTags } from '../tags.ts'

type Implemented = Pick<
  LogsOperations,
  | 'tagResource'
  | 'untagResource'
  | 'listTagsForResource'
  | 'tagLogGroup'
  | 'untagLogGroup'
  | 'listTagsLogGroup'
>

export function makeTagOperations(deps: LogsDeps): Implemented {
  const tag = (row: GroupRow, given: Record<string, string> | undefined) => {
    const tags = JSON.stringify(checkTags(tagsOf(row), given ?? {}))
    deps.store.update('logs_group', { id: row.id }, { tags })
    return {}
  }
  const untag = (row: GroupRow, keys: string[] | undefined) => {
    const left = Object.entries(tagsOf(row)).filter(([key]) => !keys?.includes(key))
    deps.store.update(
      'logs_group',
      { id: row.id },
      { tags: JSON.stringify(dictionary(Object.fromEntries(left))) },
    )
    return {}
  }
  const byArn = (context: Context, arn: string | undefined) => {
    const name = groupOfArn(context, arn ?? '')
    if (name === undefined) throw noGroup()
    return requireGroup(deps, context, name)
  }
  const byName = (context: Context, name: string | undefined) => requireGroup(deps, context, name)
  return {
    tagResource: (context, { resourceArn, tags }) => tag(byArn(context, resourceArn), tags),
    untagResource: (context, { resourceArn, tagKeys }) => untag(byArn(context, resourceArn), tagKeys),
    listTagsForResource: (context, { resourceArn }) => ({ tags: tagsOf(byArn(context, resourceArn)) }),
    tagLogGroup: (context, { logGroupName, tags }) => tag(byName(context, logGroupName), tags),
    untagLogGroup: (context, { logGroupName, tags }) => untag(byName(context, logGroupName), tags),
    listTagsLogGroup: (context, { logGroupName }) => ({ tags: tagsOf(byName(context, logGroupName)) }),
  }
}
