import type { LogGroup } from '@aws-sdk/client-cloudwatch-logs'
import type { Context } from '../../context.ts'
import type { LogsOperations } from '../../generated/logs.ts'
import { refuseOthers } from '../../parameters.ts'
import type { LogsDeps } from '../deps.ts'
import { checkLimit, groupExists, invalid, unsupported, violated } from '../errors.ts'
import { bytesOfGroup } from '../events/file.ts'
import { requireGroup } from '../lookup.ts'
import { checkGroupName, checkNewGroupName, groupArn, groupOfArn } from '../names.ts'
import { partsOf, tokenOf } from '../page-token.ts'
import { type GroupRow, groupRow, groupRows } from '../store.ts'
import { checkTags } from '../tags.ts'

type Implemented = Pick<
  LogsOperations,
  'createLogGroup' | 'deleteLogGroup' | 'describeLogGroups' | 'putRetentionPolicy' | 'deleteRetentionPolicy'
>

const PAGE_MAX = 50
/** AWS: the values that PutRetentionPolicy takes. */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]

export function makeGroupOperations(deps: LogsDeps): Implemented {
  const { store, logEvents } = deps
  return {
    createLogGroup(context, input) {
      refuseOthers(input, ['logGroupName', 'tags', 'logGroupClass'], unsupported)
      const name = checkNewGroupName(input.logGroupName)
      if ((input.logGroupClass ?? 'STANDARD') !== 'STANDARD')
        throw unsupported(`logGroupClass ${input.logGroupClass}`)
      if (groupRow(store, context, name)) throw groupExists()
      insertGroup(deps, context, { name, retentionDays: null, tags: checkTags({}, input.tags ?? {}) })
      return {}
    },
    // Its streams and events are not shown any more, and are swept little by little (reconciler.ts).
    deleteLogGroup(context, input) {
      store.remove('logs_group', { id: requireGroup(deps, context, input.logGroupName).id })
      return {}
    },
    describeLogGroups(context, input) {
      const { logGroupNamePrefix: prefix, logGroupNamePattern: pattern } = input
      refuseOthers(
        input,
        [
          ...(['logGroupNamePrefix', 'logGroupNamePattern', 'logGroupIdentifiers'] as const),
          ...(['nextToken', 'limit', 'logGroupClass'] as const),
        ],
        unsupported,
      )
      const limit = checkLimit(input.limit, PAGE_MAX)
      if (prefix !== undefined && pattern !== undefined)
        throw invalid('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.')
      if (prefix !== undefined) checkGroupName(prefix, 'logGroupNamePrefix')
      if (pattern !== undefined) checkGroupName(pattern, 'logGroupNamePattern')
      const [after] = input.nextToken === undefined ? [''] : partsOf(input.nextToken, 1)
      const asked = input.logGroupIdentifiers?.map((one) => groupOfArn(context, one) ?? one)
      const found = groupRows(store, context).filter(
        ({ name }) =>
          name > String(after) &&
          (prefix === undefined || name.startsWith(prefix)) &&
          (pattern === undefined || name.includes(pattern)) &&
          (asked === undefined || asked.includes(name)),
      )
      // There is no other class here.
      const rows = (input.logGroupClass ?? 'STANDARD') === 'STANDARD' ? found : []
      const page = rows.slice(0, limit)
      return {
        logGroups: page.map((row) => describeGroup(context, row)),
        ...(rows.length > page.length ? { nextToken: tokenOf(page.at(-1)!.name) } : {}),
      }
    },
    putRetentionPolicy(context, input) {
      const { id } = requireGroup(deps, context, input.logGroupName)
      const retentionDays = input.retentionInDays ?? 0
      if (!RETENTION_DAYS.includes(retentionDays))
        throw violated(
          retentionDays,
          'retentionInDays',
          `Member must satisfy enum value set: [${RETENTION_DAYS.join(', ')}]`,
        )
      store.update('logs_group', { id }, { retentionDays })
      return {}
    },
    deleteRetentionPolicy(context, input) {
      const { id } = requireGroup(deps, context, input.logGroupName)
      store.update('logs_group', { id }, { retentionDays: null })
      return {}
    },
  }

  function describeGroup(context: Context, row: GroupRow): LogGroup {
    const arn = groupArn(context, row.name)
    return {
      logGroupName: row.name,
      creationTime: row.createdAt,
      ...(row.retentionDays === null ? {} : { retentionInDays: row.retentionDays }),
      metricFilterCount: 0,
      arn: `${arn}:*`,
      logGroupArn: arn,
      storedBytes: bytesOfGroup(logEvents, row.id),
      logGroupClass: 'STANDARD',
    }
  }
}

type NewGroup = { name: string; retentionDays: number | null; tags: Record<string, string> }

/** Joins a transaction. */
export function insertGroup({ store, clock, ids }: LogsDeps, context: Context, group: NewGroup): GroupRow {
  const { account, region } = context
  const { name, retentionDays, tags } = group
  const row: GroupRow = {
    ...{ id: ids.hex('', 16), account, region, name, createdAt: clock.now() },
    ...{ retentionDays, askedRetentionDays: retentionDays, tags: JSON.stringify(tags) },
  }
  store.insert('logs_group', row)
  return row
}
