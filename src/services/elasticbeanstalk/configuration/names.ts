// What settings may name: instance types, security groups, key pairs and the VPC that there are.
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Cloud } from '../../cloud.ts'
import type { Context } from '../../context.ts'
import { certificatePem } from '../../server-certificate.ts'
import { knownInstanceTypes, type InstanceTypeSource } from './instance-types.ts'

export type Names = {
  /** The names of the instance types that this machine can be. */
  instanceTypes: ReadonlySet<string>
  /** By id or name. */
  hasSecurityGroup(named: string): boolean
  hasKeyPair(name: string): boolean
  /** By ARN. */
  hasCertificate(arn: string): boolean
  hasSslPolicy(name: string): boolean
  hasBucket(name: string): boolean
  /** ARN of each that can be shared → the ports of its listeners. */
  sharableLoadBalancers(): ReadonlyMap<string, number[]>
  vpcId: string
}

export type NamesSource = InstanceTypeSource & {
  cloud: {
    ec2: Pick<Cloud['ec2'], 'describeSecurityGroups' | 'describeKeyPairs' | 'describeVpcs'>
    elasticloadbalancingv2: Pick<
      Cloud['elasticloadbalancingv2'],
      'describeSSLPolicies' | 'describeLoadBalancers' | 'describeListeners'
    >
    s3: Pick<Cloud['s3'], 'hasBucket'>
    acm: Pick<Cloud['acm'], 'certificatePem'>
    iam: Cloud['iam']
  }
}

/** Asks ec2 only for what a setting names. */
export function namesThatExist({ cloud }: NamesSource, context: Context): Names {
  const { ec2 } = cloud
  return {
    instanceTypes: knownInstanceTypes({ cloud }, context),
    hasSecurityGroup: (named) =>
      found(() =>
        ec2.describeSecurityGroups(
          context,
          named.startsWith('sg-') ? { GroupIds: [named] } : { GroupNames: [named] },
        ),
      ),
    hasKeyPair: (name) => hasKeyPair({ cloud }, context, name),
    hasCertificate: (arn) => certificatePem(cloud, context, arn) !== undefined,
    hasSslPolicy: (name) =>
      found(() => cloud.elasticloadbalancingv2.describeSSLPolicies(context, { Names: [name] })),
    hasBucket: (name) => cloud.s3.hasBucket(context, name),
    sharableLoadBalancers: () => sharableLoadBalancers({ cloud }, context),
    vpcId: ec2.describeVpcs(context, {}).Vpcs?.[0]?.VpcId ?? '',
  }
}

/** AWS: active Application Load Balancers but those that Beanstalk made for environments, whose names begin with awseb-. By ARN, with
 *  the ports of their listeners. */
export function sharableLoadBalancers(
  { cloud: { elasticloadbalancingv2 } }: Pick<NamesSource, 'cloud'>,
  context: Context,
): Map<string, number[]> {
  const { LoadBalancers = [] } = elasticloadbalancingv2.describeLoadBalancers(context, { PageSize: 400 })
  return new Map(
    LoadBalancers.filter(
      ({ Type, LoadBalancerName = '' }) => Type === 'application' && !LoadBalancerName.startsWith('awseb-'),
    ).map(({ LoadBalancerArn = '' }) => {
      const { Listeners = [] } = elasticloadbalancingv2.describeListeners(context, { LoadBalancerArn })
      return [LoadBalancerArn, Listeners.map(({ Port = 0 }) => Port)]
    }),
  )
}

/** '' is none. */
export const hasKeyPair = (
  { cloud }: { cloud: { ec2: Pick<Cloud['ec2'], 'describeKeyPairs'> } },
  context: Context,
  name: string,
): boolean => name !== '' && found(() => cloud.ec2.describeKeyPairs(context, { KeyNames: [name] }))

function found(look: () => unknown): boolean {
  try {
    look()
    return true
  } catch (error) {
    if (error instanceof DeclaredError) return false
    throw error
  }
}
