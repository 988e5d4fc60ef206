import { DeclaredError } from '../../../kernel/errors.ts'
import type { Store } from '../../../store/store.ts'
import type { Context } from '../../context.ts'
import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { systemContext } from '../../service.ts'
import { findTemplateRow } from '../configuration/store.ts'
import { ofApplication, ofEnvironment } from '../events.ts'
import { isGone } from '../gone.ts'
import type { Parts } from '../parts.ts'
import {
  findApplication,
  findVersion,
  instancesOf,
  liveEnvironment,
  resourcesOf,
  type EnvironmentRow,
} from '../store.ts'
import { checkTags, ENVIRONMENT_TAGS_MAX, invalidValue, TAGS_MAX } from '../validation.ts'

type Operations = Pick<ElasticbeanstalkOperations, 'listTagsForResource' | 'updateTagsForResource'>

export function makeTagOperations(parts: Parts): Operations {
  const { store, events } = parts
  return {
    listTagsForResource(context, { ResourceArn = '' }) {
      const resource = findResource(store, context, ResourceArn)
      const own = tagsOf(store, ResourceArn).map(({ key, value }) => ({ Key: key, Value: value }))
      const given = resource.environment
        ? [
            { Key: 'Name', Value: resource.environment.name },
            { Key: 'elasticbeanstalk:environment-id', Value: resource.environment.id },
            { Key: 'elasticbeanstalk:environment-name', Value: resource.environment.name },
          ]
        : []
      return { ResourceArn, ResourceTags: [...own, ...given] }
    },

    updateTagsForResource(context, { ResourceArn = '', TagsToAdd = [], TagsToRemove = [] }) {
      const { environment, applicationName } = findResource(store, context, ResourceArn)
      if (environment && environment.status !== 'Ready')
        throw invalidValue(
          `Environment named ${environment.name} is in an invalid state for this operation. Must be Ready.`,
        )
      const before = tagsOf(store, ResourceArn).map(({ key }) => key)
      const kept = before.filter(
        (key) => !TagsToRemove.includes(key) && !TagsToAdd.some((tag) => tag.Key === key),
      )
      const added = checkTags(TagsToAdd, environment ? ENVIRONMENT_TAGS_MAX : TAGS_MAX, kept.length)
      const removed = TagsToRemove.filter((key) => before.includes(key))
      for (const key of removed) store.remove('beanstalk_tag', { resourceArn: ResourceArn, key })
      putTags(store, ResourceArn, added)
      if (environment) propagate(parts, environment, { added, removed })
      const subject = environment
        ? ofEnvironment(environment, context.requestId)
        : ofApplication(context, applicationName)
      if (environment) events.write(subject, 'INFO', 'Environment tag update is starting.')
      const done = environment
        ? 'Environment tag update completed successfully.'
        : 'Tag update completed successfully.'
      events.write(subject, 'INFO', done)
      return {}
    },
  }
}

// To where a launch puts them: the group, from which later instances get them, and the instances that are there.
function propagate(
  { store, cloud }: Parts,
  row: EnvironmentRow,
  { added, removed }: { added: { key: string; value: string }[]; removed: string[] },
): void {
  const context = systemContext(row.account, row.region, row.requestId)
  const { autoScalingGroupName: name } = resourcesOf(row)
  const ofGroup = { ResourceId: name, ResourceType: 'auto-scaling-group', PropagateAtLaunch: true }
  const Tags = added.map(({ key, value }) => ({ Key: key, Value: value }))
  const Keys = removed.map((Key) => ({ Key }))
  // First what goes, so that a full set of tags can be exchanged.
  if (name)
    isGone(() => {
      cloud.autoscaling.deleteTags(context, { Tags: Keys.map((tag) => ({ ...tag, ...ofGroup })) })
      cloud.autoscaling.createOrUpdateTags(context, { Tags: Tags.map((tag) => ({ ...tag, ...ofGroup })) })
    })
  for (const { instanceId } of instancesOf(store, row.id))
    isGone(() => {
      // Without Tags, DeleteTags means all of them.
      if (Keys.length > 0) cloud.ec2.deleteTags(context, { Resources: [instanceId], Tags: Keys })
      if (Tags.length > 0) cloud.ec2.createTags(context, { Resources: [instanceId], Tags })
    })
}

export function putTags(store: Store, resourceArn: string, tags: { key: string; value: string }[]): void {
  for (const { key, value } of tags) store.put('beanstalk_tag', { resourceArn, key, value })
}

export function removeTags(store: Store, resourceArn: string): void {
  store.run('delete from beanstalk_tag where resource_arn = :resourceArn', { resourceArn })
}

export const tagsOf = (store: Store, resourceArn: string) =>
  store.all<{ key: string; value: string }>(
    'select key, value from beanstalk_tag where resource_arn = :resourceArn order by key',
    { resourceArn },
  )

function findResource(store: Store, context: Context, arn: string) {
  const [, region, account, kind, applicationName = '', name = ''] = ARN.exec(arn) ?? []
  if (kind === undefined) throw invalidValue(`Arn '${arn}' is invalid.`)
  const environment = kind === 'environment' ? liveEnvironment(store, context, name) : undefined
  const found =
    kind === 'application'
      ? findApplication(store, context, applicationName)
      : kind === 'applicationversion'
        ? findVersion(store, context, applicationName, name)
        : kind === 'environment'
          ? environment?.applicationName === applicationName
          : findTemplateRow(store, context, applicationName, name)
  if (region !== context.region || account !== context.account || !found)
    throw new DeclaredError('ResourceNotFoundException', `Resource not found for arn '${arn}'.`)
  return { applicationName, environment }
}

const ARN =
  /^arn:aws:elasticbeanstalk:([^:]+):(\d{12}):(application|applicationversion|environment|configurationtemplate)\/([^/]+)(?:\/(.+))?$/
