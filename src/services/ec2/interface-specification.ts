// The one network interface of an instance, as RunInstances and launch templates take it: what it says is said of the launch.
import type {
  InstanceNetworkInterfaceSpecification,
  LaunchTemplateInstanceNetworkInterfaceSpecificationRequest,
} from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../kernel/errors.ts'
import { refuseOthers } from '../parameters.ts'
import { invalidValue, unsupported } from './errors.ts'

type Specification =
  | InstanceNetworkInterfaceSpecification
  | LaunchTemplateInstanceNetworkInterfaceSpecificationRequest

type Launch = {
  NetworkInterfaces?: Specification[]
  SubnetId?: string
  SecurityGroupIds?: string[]
  SecurityGroups?: string[]
  PrivateIpAddress?: string
}

const HEEDED = [
  'DeviceIndex',
  'SubnetId',
  'Groups',
  'PrivateIpAddress',
  'DeleteOnTermination',
  'AssociatePublicIpAddress',
  'Description',
] as const

/** The launch without NetworkInterfaces. `Description` becomes the interface's own.
 *  @throws DeclaredError for more than one, and for what an interface cannot be here. */
export function withoutInterfaces<T extends Launch>(
  launch: T,
): Omit<T, 'NetworkInterfaces'> & { interfaceDescription?: string } {
  const { NetworkInterfaces, ...rest } = launch
  if (!NetworkInterfaces?.length) return rest
  const [one, ...others] = NetworkInterfaces
  if (others.length > 0) throw unsupported('NetworkInterfaces of more than one')
  const interfaceOf: Record<string, unknown> = { ...one }
  refuseOthers(interfaceOf, HEEDED, (member) => unsupported(`NetworkInterfaces.${member}`))
  const { DeviceIndex, SubnetId, Groups, PrivateIpAddress, Description } = one!
  if (DeviceIndex !== 0)
    throw invalidValue(String(DeviceIndex ?? ''), 'DeviceIndex', 'The primary network interface has index 0.')
  // It goes with its instance, and nothing outside has an address of the VPC.
  if (one!.DeleteOnTermination === false) throw unsupported('NetworkInterfaces.DeleteOnTermination=false')
  if (one!.AssociatePublicIpAddress) throw unsupported('NetworkInterfaces.AssociatePublicIpAddress=true')
  for (const [said, what] of [
    [rest.SubnetId, 'subnet ID'],
    [rest.SecurityGroupIds?.length || rest.SecurityGroups?.length, 'security groups'],
    [rest.PrivateIpAddress, 'private address'],
  ])
    if (said)
      throw new DeclaredError(
        'InvalidParameterCombination',
        `Network interfaces and an instance-level ${what} may not be specified on the same request`,
      )
  return {
    ...rest,
    ...(SubnetId && { SubnetId }),
    ...(Groups?.length && { SecurityGroupIds: Groups }),
    ...(PrivateIpAddress && { PrivateIpAddress }),
    ...(Description && { interfaceDescription: Description }),
  }
}
