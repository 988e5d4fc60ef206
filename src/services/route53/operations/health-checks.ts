import type { HealthCheck } from '@aws-sdk/client-route-53'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context } from '../../context.ts'
import type { Route53Operations } from '../../generated/route53.ts'
import type { Route53Deps } from '../deps.ts'
import { invalidInput, noHealthCheck } from '../errors.ts'
import { type CheckConfig, readCheckConfig, shownConfig } from '../health-check-config.ts'
import {
  configOf,
  failingIn,
  healthCheckOf,
  healthChecksOf,
  type HealthCheckRow,
  type HealthSeenRow,
} from '../health-checks.ts'
import { requirePageSize, withoutPrefix } from './common.ts'

type Implemented = Pick<
  Route53Operations,
  | 'createHealthCheck'
  | 'getHealthCheck'
  | 'updateHealthCheck'
  | 'deleteHealthCheck'
  | 'listHealthChecks'
  | 'getHealthCheckCount'
  | 'getHealthCheckStatus'
  | 'getHealthCheckLastFailureReason'
>

/** AWS: 200. */
export const HEALTH_CHECKS_MAX = 200
const CHECKS_PER_PAGE_MAX = 100

export function makeHealthCheckOperations(deps: Route53Deps): Implemented {
  const { store, clock, ids } = deps
  return {
    createHealthCheck(context, { CallerReference = '', HealthCheckConfig = {} }) {
      if (!/^.{1,64}$/s.test(CallerReference))
        throw invalidInput('CallerReference must have 1 to 64 characters')
      const config = readCheckConfig(HealthCheckConfig)
      requireChildren(context, config)
      const all = healthChecksOf(store)
      const twin = all.find((row) => row.callerReference === CallerReference)
      // AWS: the same again is answered with what is there.
      if (twin) {
        if (JSON.stringify(config) !== twin.config)
          throw new DeclaredError(
            'HealthCheckAlreadyExists',
            'A health check with the same caller reference and another configuration exists.',
          )
        return { HealthCheck: shown(twin), Location: locationOf(context, twin) }
      }
      if (all.length >= HEALTH_CHECKS_MAX)
        throw new DeclaredError(
          'TooManyHealthChecks',
          `There are ${HEALTH_CHECKS_MAX} health checks already.`,
        )
      const row: HealthCheckRow = {
        ...{ id: ids.uuid(), account: context.account, callerReference: CallerReference, version: 1 },
        ...{ config: JSON.stringify(config), createdAt: clock.now(), health: 'unknown' },
      }
      store.insert('route53_health_check', row)
      return { HealthCheck: shown(row), Location: locationOf(context, row) }
    },
    getHealthCheck: (context, { HealthCheckId }) => ({
      HealthCheck: shown(requireCheck(context, HealthCheckId)),
    }),
    updateHealthCheck(context, { HealthCheckId, HealthCheckVersion, ResetElements = [], ...changes }) {
      const row = requireCheck(context, HealthCheckId)
      if (HealthCheckVersion !== undefined && HealthCheckVersion !== row.version)
        throw new DeclaredError('HealthCheckVersionMismatch', `The health check has version ${row.version}.`)
      const before = configOf(row)
      const { MeasureLatency: _, ...now } = shownConfig(before)
      const given = { ...now, ...withoutUnset(changes) }
      for (const element of ResetElements)
        if (element === 'FullyQualifiedDomainName' || element === 'ResourcePath') delete given[element]
        else if (element === 'ChildHealthChecks') given.ChildHealthChecks = []
        else throw invalidInput(`${element} cannot be reset.`)
      const config = readCheckConfig(given, before)
      requireChildren(context, config, row.id)
      // Who asks the same of the same knows how it is.
      const health = whomOf(config) === whomOf(before) ? row.health : ('unknown' as const)
      const changed = { config: JSON.stringify(config), version: row.version + 1, health }
      store.update('route53_health_check', { id: row.id }, changed)
      const next = { ...row, ...changed }
      return { HealthCheck: shown(next) }
    },
    deleteHealthCheck(context, { HealthCheckId }) {
      const row = requireCheck(context, HealthCheckId)
      const parent = healthChecksOf(store).some((one) => configOf(one).children.includes(row.id))
      const used = store.get('select 1 from route53_record_set where health_check_id = :id', { id: row.id })
      if (parent || used)
        throw new DeclaredError(
          'HealthCheckInUse',
          `The health check ${row.id} is used by ${parent ? 'another one' : 'a resource record set'}.`,
        )
      store.remove('route53_health_check', { id: row.id })
      store.remove('route53_tag', { resourceType: 'healthcheck', resourceId: row.id })
      return {}
    },
    listHealthChecks(_context, input) {
      const max = requirePageSize(input.MaxItems, CHECKS_PER_PAGE_MAX)
      const rest = healthChecksOf(store).filter(({ id }) => id >= (input.Marker ?? ''))
      return {
        HealthChecks: rest.slice(0, max).map(shown),
        Marker: input.Marker ?? '',
        IsTruncated: rest.length > max,
        NextMarker: rest[max]?.id,
        MaxItems: max,
      }
    },
    getHealthCheckCount: () => ({ HealthCheckCount: healthChecksOf(store).length }),
    getHealthCheckStatus(context, { HealthCheckId }) {
      const row = requireCheck(context, HealthCheckId)
      const isCalculated = configOf(row).type === 'CALCULATED'
      const isFailing = failingIn(healthChecksOf(store)).has(row.id)
      const seen = seenOf(row)
      const told = isCalculated
        ? `${isFailing ? 'Failure' : 'Success'}: calculated from other health checks`
        : (seen?.told ?? '')
      return {
        HealthCheckObservations:
          told === '' ? [] : [observation(context, told, seen?.checkedAt ?? clock.now())],
      }
    },
    getHealthCheckLastFailureReason(context, { HealthCheckId }) {
      const { lastFailure = '', lastFailureAt = null } = seenOf(requireCheck(context, HealthCheckId)) ?? {}
      return {
        HealthCheckObservations:
          lastFailureAt === null ? [] : [observation(context, lastFailure, lastFailureAt)],
      }
    },
  }

  function requireCheck(context: Context, given: string | undefined): HealthCheckRow {
    const id = withoutPrefix(given ?? '')
    const row = healthCheckOf(store, context, id)
    if (!row) throw noHealthCheck(id)
    return row
  }

  function seenOf({ id }: HealthCheckRow) {
    return store.get<HealthSeenRow>('select * from route53_health_seen where id = :id', { id })
  }

  function requireChildren(context: Context, { children }: CheckConfig, self?: string): void {
    for (const id of children) {
      const row = requireCheck(context, id)
      // A check of checks asks those that ask.
      if (id === self || configOf(row).type === 'CALCULATED')
        throw invalidInput(`${id} is itself calculated, or the check itself.`)
    }
  }

  function shown(row: HealthCheckRow): HealthCheck {
    const { id, callerReference, version } = row
    return {
      ...{ Id: id, CallerReference: callerReference, HealthCheckVersion: version },
      HealthCheckConfig: shownConfig(configOf(row)),
    }
  }
}

const whomOf = ({ type, address, name, port, path, search, sni }: CheckConfig) =>
  JSON.stringify([type, address, name, port, path, search, sni])

const withoutUnset = (given: object) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))

const locationOf = ({ endpoint }: Context, { id }: HealthCheckRow) =>
  `${endpoint}/2013-04-01/healthcheck/${id}`

/** There is one checker: this machine. */
const observation = ({ region }: Context, Status: string, checkedAt: number) => ({
  Region: region as 'us-west-2',
  IPAddress: '127.0.0.1',
  StatusReport: { Status, CheckedTime: new Date(checkedAt) },
})
