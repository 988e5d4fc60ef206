// Route 53: hosted zones on the name servers, and the names of environments and load balancers. Traffic policies and what belongs to them are refused by the gateway.
import type { Route53Internal } from '../cloud.ts'
import { inTransactions } from '../in-transactions.ts'
import type { Service } from '../service.ts'
import { candidatesOf, customNames } from './custom-names.ts'
import type { Route53Deps } from './deps.ts'
import { failingIn, healthChecksOf } from './health-checks.ts'
import { makeHealthReconciler } from './health-reconciler.ts'
import { makeDnssecOperations } from './operations/dnssec.ts'
import { makeHealthCheckOperations } from './operations/health-checks.ts'
import { makeLimitOperations } from './operations/limits.ts'
import { makeRecordOperations } from './operations/records.ts'
import { makeTagOperations } from './operations/tags.ts'
import { makeVpcOperations } from './operations/vpcs.ts'
import { makeZoneOperations } from './operations/zones.ts'
import { makeHostsReconciler } from './hosts-reconciler.ts'
import { makeNamesReconciler } from './reconciler.ts'
import { readReport } from './report.ts'
import type { RecordSetRow, ZoneRow } from './store.ts'

export function makeRoute53Service(deps: Route53Deps) {
  const operations = inTransactions(deps.store, {
    ...makeZoneOperations(deps),
    ...makeVpcOperations(deps),
    ...makeDnssecOperations(deps),
    ...makeRecordOperations(deps),
    ...makeHealthCheckOperations(deps),
    ...makeTagOperations(deps),
    ...makeLimitOperations(deps),
  })
  const names = makeNamesReconciler(deps, 0)
  const hosts = makeHostsReconciler(deps)
  const leadingIn =
    (isPrivate: 0 | 1): Route53Internal['customNames'] =>
    (hosts) => {
      // Thousands of rows, of which few change.
      const candidates = deps.store.remember(`route53.candidates ${isPrivate}`, () =>
        candidatesOf(
          deps.store.all<RecordSetRow>(
            `select * from route53_record_set where (alias is not null or health_check_id is not null or type = 'CNAME')
               and zone_id in (select id from route53_zone where private = :isPrivate)`,
            { isPrivate },
          ),
          deps.store.all<ZoneRow>('select * from route53_zone where private = :isPrivate', { isPrivate }),
        ),
      )
      return customNames(candidates, hosts, failingIn(healthChecksOf(deps.store)))
    }
  const leading = leadingIn(0)
  const leads = () => {
    const hosts = deps.cloud.elasticloadbalancingv2.hostNames()
    const custom = leading(hosts)
    return (name: string) => hosts.has(name) || custom.has(name)
  }
  return {
    operations,
    internal: {
      customNames: leading,
      isServed: names.isServed,
      areServed: names.areServed,
      hasZoneOf: names.hasZoneOf,
      nameProblem: hosts.nameProblem,
      hostProblem: hosts.hostProblem,
      report: () => readReport(deps, leadingIn),
    },
    reconcilers: [
      names.reconciler,
      makeNamesReconciler(deps, 1).reconciler,
      hosts.reconciler,
      makeHealthReconciler(deps, leads),
    ],
    workflows: [],
  } satisfies Service<typeof operations, Route53Internal>
}
