import type { Tag, TagSpecification } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import { isInternal, type Ec2Deps } from '../deps.ts'
import { missing, noInstance, paging, unsupported } from '../errors.ts'
import { filtered, type FilterTable } from '../filters.ts'
import { optionsOf, requireTagKeys } from '../metadata/options.ts'
import { instanceOf, tagsOf, type TagRow } from '../store.ts'

type Implemented = Pick<Ec2Operations, 'createTags' | 'deleteTags' | 'describeTags'>

export const TAGS_MAX = 50
/** Tags that are not the user's do not count: AWS's own, and the one by which an instance awaits its software. */
const RESERVED = /^(aws:|polebean:awaits-software$)/

export function makeTagOperations({ store, networkOf }: Ec2Deps): Implemented {
  return {
    createTags(context, input) {
      if (!input.Resources?.length) throw missing('resourceIdSet')
      for (const id of input.Resources) requireResource(context, id)
      for (const id of input.Resources) requireReadable(context, id, input.Tags)
      for (const id of input.Resources) putTags({ store }, context, id, input.Tags)
      return {}
    },
    deleteTags(context, input) {
      if (!input.Resources?.length) throw missing('resourceIdSet')
      for (const resourceId of input.Resources) {
        requireResource(context, resourceId)
        const wanted = input.Tags?.length
          ? input.Tags
          : tagsOf(store, resourceId).map((tag) => ({ Key: tag.key }) as Tag)
        for (const { Key: key, Value: value } of wanted) {
          if (key?.startsWith('aws:') && !isInternal(context)) continue
          store.remove('ec2_tag', value === undefined ? { resourceId, key } : { resourceId, key, value })
        }
      }
      return {}
    },
    describeTags(context, input) {
      const { account, region } = context
      const all = store.all<TagRow>('select * from ec2_tag where account = :account and region = :region', {
        account,
        region,
      })
      const page = pageOf(
        filtered(all, input.Filters, FILTERS, () => []),
        (tag) => `${tag.resourceId} ${tag.key}`,
        { token: input.NextToken, max: input.MaxResults },
        paging(),
      )
      return {
        NextToken: page.next,
        Tags: page.items.map((tag) => ({
          Key: tag.key,
          Value: tag.value,
          ResourceId: tag.resourceId,
          ResourceType: tag.resourceType as never,
        })),
      }
    },
  }

  // An instance that shows its tags shows them by their keys as parts of a path.
  function requireReadable(context: Context, id: string, tags: Tag[] = []) {
    const row = id.startsWith('i-') ? instanceOf(store, context, id) : undefined
    if (row)
      requireTagKeys(
        optionsOf(row),
        tags.map(({ Key = '' }) => Key),
      )
  }

  function requireResource(context: Context, id: string) {
    const { vpcId, subnets } = networkOf(context)
    if (id === vpcId || subnets.some((subnet) => subnet.id === id)) return
    const table = KINDS[prefixOf(id)]?.table
    if (!table) throw new DeclaredError('InvalidID', `The ID '${id}' is not valid`)
    // Addresses that rest are rows still.
    const resting = ['ec2_network_interface', 'ec2_address'].includes(table) ? ' and released_at is null' : ''
    const { account, region } = context
    const found = store.get(
      `select id from ${table} where id = :id and account = :account and region = :region${resting}`,
      {
        id,
        account,
        region,
      },
    )
    if (found) return
    if (id.startsWith('i-')) throw noInstance([id])
    throw new DeclaredError('InvalidID', `The ID '${id}' is not valid`)
  }
}

/** Adds or overwrites tags. Throws before it writes anything. */
export function putTags(
  { store }: Pick<Ec2Deps, 'store'>,
  context: Context,
  resourceId: string,
  tags: Tag[] | undefined,
): void {
  requireTags(context, tags)
  const existing = tagsOf(store, resourceId).map((tag) => tag.key)
  const keys = new Set([...existing, ...(tags ?? []).map((tag) => tag.Key ?? '')])
  if ([...keys].filter((key) => !RESERVED.test(key)).length > TAGS_MAX)
    throw new DeclaredError('TagLimitExceeded', 'The maximum number of Tags for a resource has been reached.')
  const { account, region } = context
  const resourceType = typeOfResource(resourceId)
  for (const { Key: key = '', Value: value = '' } of tags ?? [])
    store.put('ec2_tag', { account, region, resourceId, resourceType, key, value })
}

/** The tags that `TagSpecifications` give to resources of the first type; refuses types that are not named, and bad keys and values. */
export function tagsFor(
  context: Context,
  specifications: TagSpecification[] | undefined,
  types: string[],
): Tag[] {
  const tags = (specifications ?? []).flatMap(({ ResourceType: type, Tags }) => {
    if (type === 'volume') throw unsupported('TagSpecifications of volumes')
    if (!type || !types.includes(type))
      throw new DeclaredError(
        'InvalidParameterValue',
        `'${type ?? ''}' is not a valid taggable resource type for this operation.`,
      )
    return type === types[0] ? (Tags ?? []) : []
  })
  requireTags(context, tags)
  return tags
}

function requireTags(context: Context, tags: Tag[] | undefined) {
  const keys = new Set<string>()
  for (const { Key: key = '', Value: value = '' } of tags ?? []) {
    if (key === '' || key.length > 128)
      throw new DeclaredError(
        'InvalidParameterValue',
        `Tag key exceeds the maximum length of 128 characters or is empty`,
      )
    if (value.length > 256)
      throw new DeclaredError(
        'InvalidParameterValue',
        'Tag value exceeds the maximum length of 256 characters',
      )
    if (key.toLowerCase().startsWith('aws:') && !isInternal(context))
      throw new DeclaredError(
        'InvalidParameterValue',
        "Tag keys starting with 'aws:' are reserved for internal use",
      )
    if (keys.has(key))
      throw new DeclaredError('InvalidParameterValue', `Duplicate tag key '${key}' specified.`)
    keys.add(key)
  }
}

/** Tags as an answer carries them. */
export const describeTagsOf = ({ store }: Pick<Ec2Deps, 'store'>, resourceId: string): Tag[] =>
  tagsOf(store, resourceId).map(({ key, value }) => ({ Key: key, Value: value }))

/** Prefix of ids → resource type, and the table whose `id` they are. */
const KINDS: Record<string, { type: string; table?: string }> = {
  i: { type: 'instance', table: 'ec2_instance' },
  sg: { type: 'security-group', table: 'ec2_security_group' },
  sgr: { type: 'security-group-rule', table: 'ec2_security_group_rule' },
  eni: { type: 'network-interface', table: 'ec2_network_interface' },
  key: { type: 'key-pair', table: 'ec2_key_pair' },
  eipalloc: { type: 'elastic-ip', table: 'ec2_address' },
  lt: { type: 'launch-template', table: 'ec2_launch_template' },
  vpc: { type: 'vpc' },
  subnet: { type: 'subnet' },
}

const prefixOf = (id: string) => id.slice(0, id.indexOf('-'))
const typeOfResource = (id: string) => KINDS[prefixOf(id)]?.type ?? 'instance'

const FILTERS: FilterTable<TagRow> = {
  key: (tag) => [tag.key],
  value: (tag) => [tag.value],
  'resource-id': (tag) => [tag.resourceId],
  'resource-type': (tag) => [tag.resourceType],
}
