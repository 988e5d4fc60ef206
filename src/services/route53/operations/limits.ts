import type { Route53Operations } from '../../generated/route53.ts'
import { RECORD_SETS_MAX } from '../changes.ts'
import type { Route53Deps } from '../deps.ts'
import { invalidInput, noZone } from '../errors.ts'
import { countRecordSets, countZones, zoneOf } from '../store.ts'
import { healthChecksOf } from '../health-checks.ts'
import { withoutPrefix } from './common.ts'
import { HEALTH_CHECKS_MAX } from './health-checks.ts'
import { ZONES_MAX } from './zones.ts'

type Implemented = Pick<Route53Operations, 'getAccountLimit' | 'getHostedZoneLimit'>

export const makeLimitOperations = ({ store }: Route53Deps): Implemented => ({
  getAccountLimit(context, { Type }) {
    if (Type === 'MAX_HEALTH_CHECKS_BY_OWNER')
      return { Limit: { Type, Value: HEALTH_CHECKS_MAX }, Count: healthChecksOf(store).length }
    if (Type !== 'MAX_HOSTED_ZONES_BY_OWNER') throw invalidInput(`The limit ${Type} is none of Polebean's.`)
    return { Limit: { Type, Value: ZONES_MAX }, Count: countZones(store, context) }
  },
  getHostedZoneLimit(context, { HostedZoneId, Type }) {
    const id = withoutPrefix(HostedZoneId ?? '')
    if (!zoneOf(store, context, id)) throw noZone(id)
    if (Type !== 'MAX_RRSETS_BY_ZONE') throw invalidInput(`The limit ${Type} is none of Polebean's.`)
    return { Limit: { Type, Value: RECORD_SETS_MAX }, Count: countRecordSets(store, id) }
  },
})
