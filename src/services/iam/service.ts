// IAM as far as `eb create` and Terraform's Beanstalk examples touch it: roles and instance profiles, accepted and
// described, without effect. Users, groups and access keys are not here: the home's own key is not IAM's.
import type { ServiceDeps } from '../service.ts'
import { makeInstanceProfileOperations } from './operations/instance-profile.ts'
import { makeRolePolicyOperations } from './operations/role-policy.ts'
import { makeRoleOperations } from './operations/role.ts'
import { makeServiceLinkedRoleOperations } from './operations/service-linked-role.ts'

export function makeIamService(deps: ServiceDeps) {
  const operations = {
    ...makeRoleOperations(deps),
    ...makeRolePolicyOperations(deps),
    ...makeInstanceProfileOperations(deps),
    ...makeServiceLinkedRoleOperations(deps),
  }
  return { operations, internal: {}, reconcilers: [], workflows: [] }
}
