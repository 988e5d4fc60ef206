// A group behind a target group, on fake engines, for tests of what scales it.
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

export const NAME = 'web'

export type TestGroup = ReturnType<typeof makeTestGroup>

export function makeTestGroup(
  sizes: { MinSize: number; MaxSize: number; DesiredCapacity?: number },
  more: object = {},
  world: ServicesWorld = makeServicesWorld(),
) {
  const { context, ec2, clock } = world
  const ImageId = ec2.describeImages(context, {}).Images![0]!.ImageId
  const Subnets = ec2.describeSubnets(context, {}).Subnets!.map((subnet) => subnet.SubnetId!)
  const VpcId = ec2.describeVpcs(context, {}).Vpcs![0]!.VpcId
  const elb = world.elasticloadbalancingv2
  const targetGroupArn = elb.createTargetGroup(context, { Name: 'web', Protocol: 'HTTP', Port: 80, VpcId })
    .TargetGroups![0]!.TargetGroupArn!
  const template = (InstanceType: string) =>
    ec2.createLaunchTemplate(context, {
      LaunchTemplateName: `web-${InstanceType}`,
      LaunchTemplateData: { ImageId, InstanceType: InstanceType as never },
    }).LaunchTemplate!.LaunchTemplateId!
  world.autoscaling.createAutoScalingGroup(context, {
    AutoScalingGroupName: NAME,
    LaunchTemplate: { LaunchTemplateId: template('t3.micro'), Version: '1' },
    VPCZoneIdentifier: Subnets.join(','),
    TargetGroupARNs: [targetGroupArn],
    ...sizes,
    ...more,
  })
  const group = () =>
    world.autoscaling.describeAutoScalingGroups(context, { AutoScalingGroupNames: [NAME] })
      .AutoScalingGroups![0]
  const members = () => group()?.Instances ?? []
  const inState = (state: string) =>
    members()
      .filter((one) => one.LifecycleState === state)
      .map((one) => one.InstanceId!)
  return {
    world,
    context,
    clock,
    ImageId,
    Subnets,
    targetGroupArn,
    template,
    group,
    members,
    inState,
    inService: () => inState('InService'),
    desired: () => group()!.DesiredCapacity!,
    targets: () =>
      elb
        .describeTargetHealth(context, { TargetGroupArn: targetGroupArn })
        .TargetHealthDescriptions!.filter(({ TargetHealth }) => TargetHealth?.State !== 'draining')
        .map(({ Target }) => Target!.Id!),
    activities: () =>
      world.autoscaling.describeScalingActivities(context, {
        AutoScalingGroupName: NAME,
        IncludeDeletedGroups: true,
      }).Activities!,
    settle: (count: number) =>
      clock.runUntil(() => inState('InService').length === count && members().length >= count, 60_000),
  }
}
