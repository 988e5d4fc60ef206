import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { makeServicesWorld } from './testing/services-world.ts'

describe('the size of a page', () => {
  const world = makeServicesWorld()
  after(() => world.end())
  const { context, ec2, autoscaling, elasticloadbalancingv2: elb } = world
  const refused = (ask: (size: number) => object, code: string, sizes: { least: number; most: number }) => {
    const { least, most } = sizes
    for (const size of [least, most]) ask(size)
    for (const size of [least - 1, most + 1, -1, 0])
      assert.throws(() => ask(size), { code, message: new RegExp(`[('] *${size} *[)']`) }, String(size))
  }

  it('is 5 to 1,000 in EC2, of instance types to 100', () => {
    const operations = {
      describeInstances: ec2.describeInstances,
      describeInstanceStatus: ec2.describeInstanceStatus,
      describeSecurityGroups: ec2.describeSecurityGroups,
      describeSecurityGroupRules: ec2.describeSecurityGroupRules,
      describeNetworkInterfaces: ec2.describeNetworkInterfaces,
      describeTags: ec2.describeTags,
      describeVpcs: ec2.describeVpcs,
      describeSubnets: ec2.describeSubnets,
      describeImages: ec2.describeImages,
      describeInstanceTypeOfferings: ec2.describeInstanceTypeOfferings,
    }
    for (const describing of Object.values(operations))
      refused((MaxResults) => describing(context, { MaxResults }), 'InvalidParameterValue', {
        least: 5,
        most: 1000,
      })
    refused((MaxResults) => ec2.describeInstanceTypes(context, { MaxResults }), 'InvalidParameterValue', {
      least: 5,
      most: 100,
    })
  })

  it('is 1 to 100 in Auto Scaling, of instances to 50', () => {
    const sizes = { least: 1, most: 100 }
    for (const describing of [
      autoscaling.describeAutoScalingGroups,
      autoscaling.describeLaunchConfigurations,
      autoscaling.describeScalingActivities,
      autoscaling.describeTags,
    ])
      refused((MaxRecords) => describing(context, { MaxRecords }), 'ValidationError', sizes)
    refused(
      (MaxRecords) => autoscaling.describeAutoScalingInstances(context, { MaxRecords }),
      'ValidationError',
      { least: 1, most: 50 },
    )
  })

  it('is 1 to 400 in Elastic Load Balancing', () => {
    for (const describing of [elb.describeLoadBalancers, elb.describeTargetGroups])
      refused((PageSize) => describing(context, { PageSize }), 'ValidationError', { least: 1, most: 400 })
  })
})
