// IAM as far as `eb create` and Terraform's Beanstalk examples touch it: roles and instance profiles, accepted and
// described, without effect. The account has no users or groups; its access keys are the root user's, as AWS calls them.
import type { ServiceDeps } from '../service.ts'
import { makeAccessKeys } from './access-keys.ts'
import { makeAccessKeysReconciler } from './reconcilers.ts'
import { makeAccessKeyOperations } from './operations/access-key.ts'
import { makeInstanceProfileOperations } from './operations/instance-profile.ts'
import { makeRolePolicyOperations } from './operations/role-policy.ts'
import { makeRoleOperations } from './operations/role.ts'
import { makeServiceLinkedRoleOperations } from './operations/service-linked-role.ts'

export function makeIamService(deps: ServiceDeps) {
  const accessKeys = makeAccessKeys(deps)
  const operations = {
    ...makeAccessKeyOperations(deps),
    ...makeRoleOperations(deps),
    ...makeRolePolicyOperations(deps),
    ...makeInstanceProfileOperations(deps),
    ...makeServiceLinkedRoleOperations(deps),
  }
  return { operations, internal: accessKeys, reconcilers: [makeAccessKeysReconciler(deps)], workflows: [] }
}
