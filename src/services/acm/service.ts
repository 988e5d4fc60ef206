// AWS Certificate Manager: certificates for the listeners of load balancers, imported or asked for. Of those that are asked for, an
// authority that speaks ACME issues, and the home's own for names below .localhost (decision 024).
import { X509Certificate } from 'node:crypto'
import type { AcmInternal, DomainReport, RequestedCertificate } from '../cloud.ts'
import { inTransactions } from '../in-transactions.ts'
import { joinedPem } from '../server-certificate.ts'
import { type Service, systemContext } from '../service.ts'
import { requireAuthority } from './authority.ts'
import type { AcmDeps } from './deps.ts'
import { readDomain } from './domain-report.ts'
import { makeCertificateOperations } from './operations/certificates.ts'
import { makeRequestOperations } from './operations/requests.ts'
import { makeTagOperations } from './operations/tags.ts'
import { challengesIn } from './readiness.ts'
import { makeCertificatesReconciler } from './reconciler.ts'
import { allChallenges, certificateRow, namesOfOrder, type OrderRow, ordersOf } from './store.ts'

export function makeAcmService(deps: AcmDeps) {
  const operations = inTransactions(deps.store, {
    ...makeCertificateOperations(deps),
    ...makeRequestOperations(deps),
    ...makeTagOperations(deps),
  })
  return {
    operations,
    internal: {
      certificatePem(context, arn) {
        const row = certificateRow(deps.store, context, arn)
        return row && row.certificate !== '' ? joinedPem(row) : undefined
      },
      challenges: () => challengesIn(allChallenges(deps.store), deps.domain),
      /** It is looked at at once: whoever asks has done what was in the way. */
      retry(arn: string): void {
        deps.store.run(
          `update acm_order set next_at = :now, step = step + 1 where arn = :arn and stage in ('rehearsal', 'production') and url is null`,
          { arn, now: deps.clock.now() },
        )
      },
      /** Time in which nothing ran counts for nobody (design §2.8). Joins a transaction. */
      shiftDeadlines(ms: number): void {
        deps.store.run(
          `update acm_order set requested_at = requested_at + :ms, began_at = began_at + :ms, next_at = next_at + :ms, step = step + 1
             where stage in ('rehearsal', 'production')`,
          { ms },
        )
      },
      /** What others are told of a name; not for use in a transaction. */
      readDomain: (name: string) => readDomain(deps, name),
      /** Certificates that were asked for, and how far each is. */
      requested: () => ordersOf(deps.store).map((row) => reportOf(deps.store, row)),
      /** Of the home's own authority, in PEM; not for use in a transaction. */
      authority: async () => (await requireAuthority(deps)).certificate,
    },
    reconcilers: [makeCertificatesReconciler(deps)],
    workflows: [],
  } satisfies Service<typeof operations, AcmInternal & Own>
}

type Own = {
  authority(): Promise<string>
  requested(): RequestedCertificate[]
  readDomain(name: string): Promise<DomainReport>
  retry(arn: string): void
  shiftDeadlines(ms: number): void
}

function reportOf(store: AcmDeps['store'], row: OrderRow): RequestedCertificate {
  const certificate = certificateRow(store, systemContext(row.account, row.region, ''), row.arn)?.certificate
  return {
    ...{ arn: row.arn, names: namesOfOrder(row), method: row.method, stage: row.stage, reason: row.reason },
    until: certificate ? new X509Certificate(certificate).validToDate.getTime() : null,
    nextAt: row.nextAt,
  }
}
