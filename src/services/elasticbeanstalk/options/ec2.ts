// aws:ec2:*: which instances, in which network.
import {
  accepted,
  choice,
  EFFECTIVE,
  flag,
  integer,
  list,
  namespace,
  only,
  REFUSED,
  text,
  type Namespace,
} from './option.ts'

const ALLOCATIONS = [
  'capacity-optimized',
  'lowest-price',
  'capacity-optimized-prioritized',
  'price-capacity-optimized',
]

export const ec2Options: Namespace[] = [
  namespace('aws:ec2:instances', { severity: 'RestartEnvironment', effect: REFUSED }, [
    flag('EnableSpot', 'false', { valuesNotEnforced: true }),
    list('InstanceTypes', {
      effect: EFFECTIVE,
      complaint: 'Specify a comma-separated list of 1 to 40 unique instance types',
    }),
    choice('SpotAllocationStrategy', ALLOCATIONS, { default: 'capacity-optimized' }),
    integer('SpotFleetOnDemandAboveBasePercentage', 0, 100, { default: '70' }),
    integer('SpotFleetOnDemandBase', 0, undefined, { default: '0' }),
    text('SpotMaxPrice', { number: 'decimal', min: 0.001, max: 20 }),
    list('SupportedArchitectures', {
      values: ['arm64', 'x86_64', 'i386'],
      effect: accepted("Instances have this machine's own architecture."),
    }),
  ]),
  namespace('aws:ec2:vpc', { severity: 'Unknown', effect: REFUSED }, [
    flag('AssociatePublicIpAddress', 'false', {
      severity: 'RestartEnvironment',
      resource: 'AWSEBAutoScalingLaunchConfiguration',
      effect: accepted(
        'Instances have no public address: they are reached through the load balancer and reach the internet through the router.',
      ),
    }),
    list('DBSubnets'),
    // AWS takes any other word for public, too; a scheme that we would misread is refused instead.
    choice('ELBScheme', ['public', 'internal'], { default: 'public', effect: only('public') }),
    list('ELBSubnets'),
    list('Subnets', { severity: 'RestartEnvironment', resource: 'AWSEBAutoScalingGroup' }),
    text('VPCId', {
      resource: 'AWSEBSecurityGroup',
      effect: accepted('There is one VPC: it takes the id of that one and no other.'),
    }),
  ]),
]
