// IAM as far as `eb create` and Terraform's Beanstalk examples touch it: roles and instance profiles, accepted and
// described, without effect. The account has no users or groups; its access keys are the root user's, as AWS calls them.
import type { IamInternal } from '../cloud.ts'
import { joinedPem } from '../server-certificate.ts'
import type { ServiceDeps } from '../service.ts'
import { makeAccessKeys } from './access-keys.ts'
import { makeAccessKeysReconciler } from './reconcilers.ts'
import { makeAccessKeyOperations } from './operations/access-key.ts'
import { makeInstanceProfileOperations } from './operations/instance-profile.ts'
import { makeRolePolicyOperations } from './operations/role-policy.ts'
import { makeRoleOperations } from './operations/role.ts'
import { arnOf, makeServerCertificateOperations } from './operations/server-certificate.ts'
import { makeServiceLinkedRoleOperations } from './operations/service-linked-role.ts'
import { serverCertificateRow } from './store.ts'

export function makeIamService(deps: ServiceDeps) {
  const accessKeys = makeAccessKeys(deps)
  const operations = {
    ...makeAccessKeyOperations(deps),
    ...makeRoleOperations(deps),
    ...makeRolePolicyOperations(deps),
    ...makeInstanceProfileOperations(deps),
    ...makeServiceLinkedRoleOperations(deps),
    ...makeServerCertificateOperations(deps),
  }
  const cloudInternal: IamInternal = {
    certificatePem({ account }, arn) {
      const row = serverCertificateRow(deps.store, account, arn.slice(arn.lastIndexOf('/') + 1))
      return row && arnOf(row) === arn ? joinedPem(row) : undefined
    },
  }
  return {
    operations,
    internal: { ...accessKeys, ...cloudInternal },
    reconcilers: [makeAccessKeysReconciler(deps)],
    workflows: [],
  }
}
