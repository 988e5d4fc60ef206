import { DeclaredError } from '../../../kernel/errors.ts'
import type { Store } from '../../../store/store.ts'
import type { Context } from '../../context.ts'
import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { ofApplication, ofEnvironment } from '../events.ts'
import type { Parts } from '../parts.ts'
import { findApplication, findVersion, liveEnvironment } from '../store.ts'
import { checkTags, invalidValue } from '../validation.ts'

type Operations = Pick<ElasticbeanstalkOperations, 'listTagsForResource' | 'updateTagsForResource'>

export function makeTagOperations({ store, events }: Parts): Operations {
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
      const kept = tagsOf(store, ResourceArn).filter(
        ({ key }) => !TagsToRemove.includes(key) && !TagsToAdd.some((tag) => tag.Key === key),
      )
      const added = checkTags(TagsToAdd, kept.length)
      for (const key of TagsToRemove) store.remove('beanstalk_tag', { resourceArn: ResourceArn, key })
      putTags(store, ResourceArn, added)
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
  const [, region, kind, applicationName = '', name = ''] = ARN.exec(arn) ?? []
  if (kind === undefined) throw invalidValue(`Arn '${arn}' is invalid.`)
  const environment = kind === 'environment' ? liveEnvironment(store, context, name) : undefined
  const template = (applicationName: string, name: string) =>
    store.get(`select 1 from beanstalk_tag where resource_arn = :arn`, { arn, applicationName, name }) ?? {}
  const found =
    kind === 'application'
      ? findApplication(store, context, applicationName)
      : kind === 'applicationversion'
        ? findVersion(store, context, applicationName, name)
        : kind === 'environment'
          ? environment?.applicationName === applicationName
          : template(applicationName, name)
  if (region !== context.region || !found)
    throw new DeclaredError('ResourceNotFoundException', `Resource not found for arn '${arn}'.`)
  return { applicationName, environment }
}

const ARN =
  /^arn:aws:elasticbeanstalk:([^:]+):\d{12}:(application|applicationversion|environment|configurationtemplate)\/([^/]+)(?:\/(.+))?$/
