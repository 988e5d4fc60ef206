import type { Tag } from '@aws-sdk/client-elastic-load-balancing-v2'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context } from '../../context.ts'
import type { Elasticloadbalancingv2Operations } from '../../generated/elasticloadbalancingv2.ts'
import type { Elbv2Deps } from '../deps.ts'
import { missing, noListener, noLoadBalancer, noRule, noTargetGroup, validation } from '../errors.ts'
import { listenersOf, loadBalancersOf, ruleOf, targetGroupsOf } from '../store.ts'

type Implemented = Pick<Elasticloadbalancingv2Operations, 'addTags' | 'removeTags' | 'describeTags'>

const TAGS_MAX = 50
type TagRow = { resourceArn: string; key: string; value: string }

export function makeTagOperations(deps: Elbv2Deps): Implemented {
  const { store } = deps
  return {
    addTags(context, input) {
      const arns = requireResources(context, input.ResourceArns)
      for (const arn of arns) requireTags([...tagsOf(deps, arn), ...(input.Tags ?? [])])
      for (const arn of arns) putTags(deps, context, arn, input.Tags)
      return {}
    },
    removeTags(context, input) {
      for (const resourceArn of requireResources(context, input.ResourceArns))
        for (const key of input.TagKeys ?? []) store.remove('elbv2_tag', { resourceArn, key })
      return {}
    },
    describeTags(context, input) {
      const arns = requireResources(context, input.ResourceArns)
      return {
        TagDescriptions: arns.map((ResourceArn) => ({ ResourceArn, Tags: tagsOf(deps, ResourceArn) })),
      }
    },
  }

  function requireResources(context: Context, arns: string[] | undefined): string[] {
    if (!arns?.length) throw missing('resourceArns')
    const known = new Set(
      [
        ...loadBalancersOf(store, context),
        ...targetGroupsOf(store, context),
        ...listenersOf(store, context),
      ].flatMap((row) => ('ruleArn' in row ? [row.arn, row.ruleArn] : [row.arn])),
    )
    for (const arn of arns) if (!known.has(arn) && !ruleOf(store, context, arn)) throw notFound(arn)
    return arns
  }
}

function notFound(arn: string): DeclaredError {
  if (arn.includes(':loadbalancer/')) return noLoadBalancer(arn)
  if (arn.includes(':targetgroup/')) return noTargetGroup(arn)
  if (arn.includes(':listener-rule/')) return noRule(arn)
  if (arn.includes(':listener/')) return noListener(arn)
  return validation(`'${arn}' is not a valid resource ARN`)
}

/** Throws for tags that AWS refuses; writes nothing. */
export function requireTags(tags: Tag[] | undefined): void {
  for (const { Key: key = '', Value: value = '' } of tags ?? []) {
    if (key === '' || key.length > 128 || value.length > 256)
      throw validation('Tag keys have 1 to 128 characters, values at most 256')
    if (key.toLowerCase().startsWith('aws:'))
      throw validation('Tag keys starting with aws: are reserved for system use')
  }
  if (new Set((tags ?? []).map((tag) => tag.Key)).size > TAGS_MAX)
    throw new DeclaredError('TooManyTags', `A resource has at most ${TAGS_MAX} tags`)
}

export function putTags(
  { store }: Pick<Elbv2Deps, 'store'>,
  context: Context,
  resourceArn: string,
  tags: Tag[] | undefined,
): void {
  const { account, region } = context
  for (const { Key: key = '', Value: value = '' } of tags ?? [])
    store.put('elbv2_tag', { account, region, resourceArn, key, value })
}

export const removeTagsOf = ({ store }: Pick<Elbv2Deps, 'store'>, resourceArn: string) =>
  store.remove('elbv2_tag', { resourceArn })

const tagsOf = ({ store }: Pick<Elbv2Deps, 'store'>, resourceArn: string): Tag[] =>
  store
    .all<TagRow>('select * from elbv2_tag where resource_arn = :resourceArn order by key', { resourceArn })
    .map(({ key, value }) => ({ Key: key, Value: value }))
