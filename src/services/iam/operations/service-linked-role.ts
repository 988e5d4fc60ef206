import type { IamOperations } from '../../generated/iam.ts'
import type { ServiceDeps } from '../../service.ts'
import { invalidInput } from '../errors.ts'
import { describeRole } from '../lookup.ts'
import { roleRow, type RoleRow } from '../store.ts'

/** Services whose roles exist here, and whether the role's name takes a suffix. */
const SERVICES = new Map<string, { role: string; suffixed: boolean }>([
  ['autoscaling.amazonaws.com', { role: 'AWSServiceRoleForAutoScaling', suffixed: true }],
  ['elasticbeanstalk.amazonaws.com', { role: 'AWSServiceRoleForElasticBeanstalk', suffixed: false }],
  ['elasticloadbalancing.amazonaws.com', { role: 'AWSServiceRoleForElasticLoadBalancing', suffixed: false }],
  [
    'maintenance.elasticbeanstalk.amazonaws.com',
    { role: 'AWSServiceRoleForElasticBeanstalkMaintenance', suffixed: false },
  ],
  [
    'managedupdates.elasticbeanstalk.amazonaws.com',
    { role: 'AWSServiceRoleForElasticBeanstalkManagedUpdates', suffixed: false },
  ],
])

export function makeServiceLinkedRoleOperations(
  deps: ServiceDeps,
): Pick<IamOperations, 'createServiceLinkedRole'> {
  const { store, clock, ids } = deps
  return {
    createServiceLinkedRole({ account }, input) {
      const serviceName = input.AWSServiceName ?? ''
      const service = SERVICES.get(serviceName)
      if (!service)
        throw invalidInput(`Service ${serviceName} is not supported: no role of it can exist here.`)
      if (input.CustomSuffix && !service.suffixed)
        throw invalidInput(`Custom suffix is not allowed for ${serviceName}`)
      const name = input.CustomSuffix ? `${service.role}_${input.CustomSuffix}` : service.role
      if (roleRow(store, account, name))
        throw invalidInput(
          `Service role name ${name} has been taken in this account, please try a different suffix.`,
        )
      const role: RoleRow = {
        account,
        name,
        path: `/aws-service-role/${serviceName}/`,
        id: ids.upper('AROA', 17),
        trustPolicy: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: { Service: [serviceName] }, Action: ['sts:AssumeRole'] }],
        }),
        description: input.Description ?? null,
        sessionSecondsMax: 3600,
        serviceName,
        tags: '[]',
        createdAt: clock.now(),
      }
      store.insert('iam_role', role)
      return { Role: describeRole(role) }
    },
  }
}
