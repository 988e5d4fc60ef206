import type { ResourceTagSet, Tag } from '@aws-sdk/client-route-53'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context } from '../../context.ts'
import type { Route53Operations } from '../../generated/route53.ts'
import type { Route53Deps } from '../deps.ts'
import { invalidInput, noHealthCheck, noZone } from '../errors.ts'
import { healthCheckOf } from '../health-checks.ts'
import { zoneOf } from '../store.ts'
import { withoutPrefix } from './common.ts'

type Implemented = Pick<
  Route53Operations,
  'changeTagsForResource' | 'listTagsForResource' | 'listTagsForResources'
>

/** AWS: of one resource. */
const TAGS_MAX = 50
const RESOURCES_MAX = 10
type ResourceType = 'hostedzone' | 'healthcheck'
type TagRow = { resourceType: string; resourceId: string; key: string; value: string }

export function makeTagOperations({ store }: Route53Deps): Implemented {
  return {
    changeTagsForResource(context, { ResourceType, ResourceId, AddTags = [], RemoveTagKeys = [] }) {
      const of = requireResource(context, ResourceType, ResourceId)
      if (AddTags.length + RemoveTagKeys.length === 0)
        throw invalidInput('There are no tags to add, and none to remove.')
      for (const { Key: key = '', Value: value = '' } of AddTags) {
        if (key === '' || key.length > 128 || value.length > 256)
          throw invalidInput('Tag keys have 1 to 128 characters, values at most 256.')
        if (key.toLowerCase().startsWith('aws:'))
          throw invalidInput('Tag keys that begin with aws: are reserved.')
        store.put('route53_tag', { ...of, key, value })
      }
      for (const key of RemoveTagKeys) store.remove('route53_tag', { ...of, key })
      if (tagsOf(of).length > TAGS_MAX)
        throw new DeclaredError('InvalidInput', `A resource has at most ${TAGS_MAX} tags.`)
      return {}
    },
    listTagsForResource(context, { ResourceType, ResourceId }) {
      return { ResourceTagSet: tagSet(requireResource(context, ResourceType, ResourceId)) }
    },
    listTagsForResources(context, { ResourceType, ResourceIds = [] }) {
      if (ResourceIds.length === 0 || ResourceIds.length > RESOURCES_MAX)
        throw invalidInput(`Tags are told of 1 to ${RESOURCES_MAX} resources at once.`)
      return { ResourceTagSets: ResourceIds.map((id) => tagSet(requireResource(context, ResourceType, id))) }
    },
  }

  type Of = { resourceType: ResourceType; resourceId: string }

  function requireResource(context: Context, type: string | undefined, given: string | undefined): Of {
    const resourceId = withoutPrefix(given ?? '')
    if (type === 'hostedzone') {
      if (!zoneOf(store, context, resourceId)) throw noZone(resourceId)
      return { resourceType: type, resourceId }
    }
    if (type === 'healthcheck') {
      if (!healthCheckOf(store, context, resourceId)) throw noHealthCheck(resourceId)
      return { resourceType: type, resourceId }
    }
    throw invalidInput(`'${(type ?? '').slice(0, 100)}' is not a type of resource: hostedzone or healthcheck`)
  }

  function tagSet({ resourceType, resourceId }: Of): ResourceTagSet {
    return { ResourceType: resourceType, ResourceId: resourceId, Tags: tagsOf({ resourceType, resourceId }) }
  }

  function tagsOf({ resourceType, resourceId }: Of): Tag[] {
    return store
      .all<TagRow>(
        'select * from route53_tag where resource_type = :resourceType and resource_id = :resourceId order by key',
        { resourceType, resourceId },
      )
      .map(({ key, value }) => ({ Key: key, Value: value }))
  }
}
