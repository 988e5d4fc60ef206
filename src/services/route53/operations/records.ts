import type { Context } from '../../context.ts'
import type { Route53Operations } from '../../generated/route53.ts'
import { applyChanges } from '../changes.ts'
import type { Route53Deps } from '../deps.ts'
import { invalidInput, noZone } from '../errors.ts'
import { healthCheckOf } from '../health-checks.ts'
import { readName, shownName, sortKeyOf } from '../names.ts'
import { shownRecordSet } from '../record-set.ts'
import { type RecordSetRow, zoneOf, type ZoneRow } from '../store.ts'
import { noteChange, requirePageSize, withoutPrefix } from './common.ts'

type Implemented = Pick<Route53Operations, 'changeResourceRecordSets' | 'listResourceRecordSets'>

const SETS_PER_PAGE_MAX = 300
const CHANGES_MAX = 1_000

export function makeRecordOperations(deps: Route53Deps): Implemented {
  const { store, cloud } = deps
  return {
    changeResourceRecordSets(context, { HostedZoneId, ChangeBatch }) {
      const zone = requireZone(context, HostedZoneId)
      const { Changes = [], Comment } = ChangeBatch ?? {}
      if (Changes.length === 0) throw invalidInput('Invalid XML ; a change batch has at least one change')
      if (Changes.length > CHANGES_MAX)
        throw invalidInput(
          `Invalid XML ; a change batch has at most ${CHANGES_MAX} changes, not ${Changes.length}`,
        )
      const hosts = cloud.elasticloadbalancingv2.hostNames()
      applyChanges(
        {
          store,
          hostOf: (host) => hosts.get(host)?.id,
          hasHealthCheck: (id) => healthCheckOf(store, context, id) !== undefined,
        },
        zone,
        Changes,
      )
      const revision = zone.revision + 1
      store.update('route53_zone', { id: zone.id }, { revision })
      return { ChangeInfo: noteChange(deps, zone, revision, Comment) }
    },
    listResourceRecordSets(context, input) {
      const zone = requireZone(context, input.HostedZoneId)
      const { StartRecordName, StartRecordType = '', StartRecordIdentifier = '' } = input
      const max = requirePageSize(input.MaxItems, SETS_PER_PAGE_MAX)
      if (StartRecordType !== '' && StartRecordName === undefined)
        throw invalidInput('The input is not valid: a start type is taken with a start name only.')
      if (StartRecordIdentifier !== '' && StartRecordType === '')
        throw invalidInput('The input is not valid: a start identifier is taken with a start type only.')
      const name = StartRecordName === undefined ? '' : readName(StartRecordName)
      if (name === undefined) throw invalidInput(`'${StartRecordName!.slice(0, 300)}' is not a domain name.`)
      const page = store.all<RecordSetRow>(
        `select * from route53_record_set
           where zone_id = :zoneId and (sort_key, type, set_identifier) >= (:sortKey, :type, :setIdentifier)
           order by sort_key, type, set_identifier limit :limit`,
        {
          ...{ zoneId: zone.id, sortKey: name === '' ? '' : sortKeyOf(name), type: StartRecordType },
          ...{ setIdentifier: StartRecordIdentifier, limit: max + 1 },
        },
      )
      const next = page[max]
      return {
        ResourceRecordSets: page.slice(0, max).map(shownRecordSet),
        IsTruncated: next !== undefined,
        ...(next
          ? {
              NextRecordName: shownName(next.name),
              NextRecordType: next.type,
              ...(next.setIdentifier === '' ? {} : { NextRecordIdentifier: next.setIdentifier }),
            }
          : {}),
        MaxItems: max,
      }
    },
  }

  function requireZone(context: Context, id: string | undefined): ZoneRow {
    const row = zoneOf(store, context, withoutPrefix(id ?? ''))
    if (!row) throw noZone(withoutPrefix(id ?? ''))
    return row
  }
}
