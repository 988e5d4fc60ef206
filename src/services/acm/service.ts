// AWS Certificate Manager: certificates that are imported, for the listeners of load balancers. Nobody here issues any, so
// RequestCertificate and what belongs to it are refused by the gateway.
import type { AcmInternal } from '../cloud.ts'
import type { Service, ServiceDeps } from '../service.ts'
import { joinedPem } from '../server-certificate.ts'
import { makeCertificateOperations } from './operations/certificates.ts'
import { makeTagOperations } from './operations/tags.ts'
import { certificateRow } from './store.ts'

export function makeAcmService(deps: ServiceDeps) {
  const operations = { ...makeCertificateOperations(deps), ...makeTagOperations(deps) }
  return {
    operations,
    internal: {
      certificatePem(context, arn) {
        const row = certificateRow(deps.store, context, arn)
        return row && joinedPem(row)
      },
    },
    reconcilers: [],
    workflows: [],
  } satisfies Service<typeof operations, AcmInternal>
}
