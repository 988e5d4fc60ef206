import type { Tag, TagDescription } from '@aws-sdk/client-auto-scaling'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { AutoscalingOperations } from '../../generated/autoscaling.ts'
import type { AutoscalingDeps } from '../deps.ts'
import { noGroup, paging, unsupported, validation } from '../errors.ts'
import { groupOf, groupsOf, groupTagsOf, type GroupTagRow } from '../store.ts'

type Implemented = Pick<AutoscalingOperations, 'createOrUpdateTags' | 'deleteTags' | 'describeTags'>

const TAGS_MAX = 50
/** Given to groups whose instances wait for their software (cloud.ts). */
const AWAITS_SOFTWARE = 'polebean:awaits-software'

export function makeTagOperations(deps: AutoscalingDeps): Implemented {
  const { store } = deps
  return {
    createOrUpdateTags(context, input) {
      const byGroup = Map.groupBy(input.Tags ?? [], (tag) => requireGroupOf(context, tag))
      for (const [name, tags] of byGroup) requireGroupTags([...existing(context, name), ...tags], name)
      for (const [name, tags] of byGroup) putGroupTags(deps, context, name, tags)
      return {}
    },
    deleteTags(context, input) {
      const { account, region } = context
      for (const tag of input.Tags ?? []) requireGroupOf(context, tag)
      for (const { Key: key, ResourceId: groupName } of input.Tags ?? [])
        store.remove('autoscaling_tag', { account, region, groupName, key })
      return {}
    },
    describeTags(context, input) {
      refuseOthers(input, ['Filters', 'MaxRecords', 'NextToken'], unsupported)
      const values: Record<string, (tag: GroupTagRow) => string> = {
        'auto-scaling-group': (tag) => tag.groupName,
        key: (tag) => tag.key,
        value: (tag) => tag.value,
        'propagate-at-launch': (tag) => String(tag.propagate === 1),
      }
      const rows = groupsOf(store, context)
        .flatMap((group) => groupTagsOf(store, group))
        .filter((tag) =>
          (input.Filters ?? []).every(({ Name = '', Values = [] }) => {
            const value = values[Name]
            if (!value)
              throw validation(
                `Filter type ${Name} is not correct. Allowed Filter types are: ${Object.keys(values).join(', ')}`,
              )
            return Values.includes(value(tag))
          }),
        )
      const limits = { token: input.NextToken, max: input.MaxRecords }
      const page = pageOf(rows, (tag) => `${tag.groupName}\0${tag.key}`, limits, paging(50))
      return { NextToken: page.next, Tags: page.items.map(describeGroupTag) }
    },
  }

  function requireGroupOf(context: Context, tag: Tag): string {
    if (tag.ResourceType && tag.ResourceType !== 'auto-scaling-group')
      throw validation(`ResourceType ${tag.ResourceType} is not supported; use auto-scaling-group`)
    const name = tag.ResourceId ?? ''
    const group = groupOf(store, context, name)
    if (!group) throw noGroup(name)
    return name
  }

  function existing(context: Context, name: string): Tag[] {
    const { account, region } = context
    return groupTagsOf(store, { account, region, name }).map((tag) => ({ Key: tag.key, Value: tag.value }))
  }
}

/** Throws for tags that AWS refuses; writes nothing. Duplicate keys overwrite, as the later of two calls would. */
export function requireGroupTags(tags: Tag[] | undefined, groupName: string): void {
  for (const { Key: key = '', Value: value = '', ResourceId } of tags ?? []) {
    if (key === '' || key.length > 128 || value.length > 256)
      throw validation('Tag keys have 1 to 128 characters, values at most 256')
    if (key.toLowerCase().startsWith('aws:'))
      throw validation('Tag keys starting with aws: are reserved for internal use')
    if (ResourceId && ResourceId !== groupName)
      throw validation(`The tag's ResourceId ${ResourceId} is not the group ${groupName}`)
  }
  const keys = new Set((tags ?? []).map((tag) => tag.Key))
  keys.delete(AWAITS_SOFTWARE) // it is not the user's
  if (keys.size > TAGS_MAX) throw new DeclaredError('LimitExceeded', `A group has at most ${TAGS_MAX} tags.`)
}

export function putGroupTags(
  { store }: Pick<AutoscalingDeps, 'store'>,
  context: Context,
  groupName: string,
  tags: Tag[] | undefined,
): void {
  const { account, region } = context
  for (const { Key: key = '', Value: value = '', PropagateAtLaunch } of tags ?? []) {
    const row: GroupTagRow = { account, region, groupName, key, value, propagate: PropagateAtLaunch ? 1 : 0 }
    store.put('autoscaling_tag', row)
  }
}

export const describeGroupTag = (tag: GroupTagRow): TagDescription => ({
  ResourceId: tag.groupName,
  ResourceType: 'auto-scaling-group',
  Key: tag.key,
  Value: tag.value,
  PropagateAtLaunch: tag.propagate === 1,
})
