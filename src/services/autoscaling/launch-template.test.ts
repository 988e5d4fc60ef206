import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
beforeEach(async () => {
  world = makeServicesWorld()
  await world.clock.run(1_000)
})
afterEach(() => world.end())

const image = () => world.ec2.describeImages(world.context, {}).Images![0]!.ImageId
const data = (more: object = {}) => ({ ImageId: image(), InstanceType: 't3.nano' as const, ...more })
const template = (more: object = {}) =>
  world.ec2.createLaunchTemplate(world.context, { LaunchTemplateName: 'web', LaunchTemplateData: data(more) })
    .LaunchTemplate!.LaunchTemplateId!
const version = (more: object) =>
  void world.ec2.createLaunchTemplateVersion(world.context, {
    LaunchTemplateName: 'web',
    LaunchTemplateData: data(more),
  })
const create = (LaunchTemplate: object | undefined, more: object = {}) =>
  world.autoscaling.createAutoScalingGroup(world.context, {
    AutoScalingGroupName: 'g',
    ...{ MinSize: 1, MaxSize: 4, AvailabilityZones: ['us-west-2a'] },
    ...(LaunchTemplate && { LaunchTemplate }),
    ...more,
  })
const group = () => world.autoscaling.describeAutoScalingGroups(world.context, {}).AutoScalingGroups![0]!
const running = () =>
  (world.ec2.describeInstances(world.context, {}).Reservations ?? [])
    .flatMap(({ Instances = [] }) => Instances)
    .filter(({ State }) => State?.Name === 'running')

describe('a group that launches by a template', () => {
  it('gives its instances what the version says that is the newest at each launch', async () => {
    const sg = world.ec2.createSecurityGroup(world.context, { GroupName: 'web', Description: 'd' }).GroupId!
    const LaunchTemplateId = template({ SecurityGroupIds: [sg] })
    create({ LaunchTemplateName: 'web', Version: '$Latest' })
    await world.clock.run(5_000)
    const named = { LaunchTemplateId, LaunchTemplateName: 'web' }
    assert.deepEqual(group().LaunchTemplate, { ...named, Version: '$Latest' })
    assert.equal(group().LaunchConfigurationName, undefined)
    assert.deepEqual(
      running().map(({ InstanceType, SecurityGroups }) => [InstanceType, SecurityGroups?.[0]?.GroupName]),
      [['t3.nano', 'web']],
    )
    version({ InstanceType: 't3.micro' })
    world.autoscaling.setDesiredCapacity(world.context, { AutoScalingGroupName: 'g', DesiredCapacity: 2 })
    await world.clock.run(5_000)
    assert.deepEqual(
      group().Instances!.map((one) => [one.InstanceType, one.LaunchTemplate]),
      [
        ['t3.nano', { ...named, Version: '1' }],
        ['t3.micro', { ...named, Version: '2' }],
      ],
    )
    // AWS's default policy: the oldest version goes first.
    world.autoscaling.setDesiredCapacity(world.context, { AutoScalingGroupName: 'g', DesiredCapacity: 1 })
    await world.clock.run(5_000)
    assert.deepEqual(
      running().map(({ InstanceType }) => InstanceType),
      ['t3.micro'],
    )
  })

  it('takes the default version when none is named', async () => {
    template()
    version({ InstanceType: 't3.micro' })
    create({ LaunchTemplateName: 'web' })
    await world.clock.run(5_000)
    assert.equal(group().LaunchTemplate?.Version, '$Default')
    assert.deepEqual(
      running().map(({ InstanceType }) => InstanceType),
      ['t3.nano'],
    )
  })

  it('changes to a launch configuration and back', () => {
    template()
    create({ LaunchTemplateName: 'web', Version: '1' }, { MinSize: 0 })
    world.autoscaling.createLaunchConfiguration(world.context, {
      ...{ LaunchConfigurationName: 'lc', ImageId: image(), InstanceType: 't3.micro' },
    })
    const update = (input: object) =>
      world.autoscaling.updateAutoScalingGroup(world.context, { AutoScalingGroupName: 'g', ...input })
    update({ LaunchConfigurationName: 'lc' })
    assert.deepEqual([group().LaunchConfigurationName, group().LaunchTemplate], ['lc', undefined])
    update({ MaxSize: 3 })
    assert.equal(group().LaunchConfigurationName, 'lc')
    update({ LaunchTemplate: { LaunchTemplateName: 'web', Version: '1' } })
    assert.deepEqual([group().LaunchConfigurationName, group().LaunchTemplate?.Version], [undefined, '1'])
    assert.throws(
      () => update({ LaunchConfigurationName: 'lc', LaunchTemplate: { LaunchTemplateName: 'web' } }),
      {
        code: 'ValidationError',
      },
    )
  })

  it('tells in its activities that the template is gone', async () => {
    const LaunchTemplateId = template()
    create({ LaunchTemplateId }, { MinSize: 0 })
    world.ec2.deleteLaunchTemplate(world.context, { LaunchTemplateId })
    world.autoscaling.setDesiredCapacity(world.context, { AutoScalingGroupName: 'g', DesiredCapacity: 1 })
    await world.clock.run(1_000)
    const { Activities } = world.autoscaling.describeScalingActivities(world.context, {})
    assert.match(
      Activities![0]!.StatusMessage!,
      /launch template.*does not exist.* Launching EC2 instance failed/,
    )
  })

  it('is refused when no instance could be launched by it', () => {
    const prefix = 'You must use a valid fully-formed launch template. '
    const refused = (named: object, message: string | RegExp) =>
      assert.throws(() => create(named), { code: 'ValidationError', message })
    refused({}, 'Valid requests must contain either launchTemplateId or LaunchTemplateName')
    refused({ LaunchTemplateName: 'web' }, new RegExp(`^${prefix}.*does not exist`))
    const LaunchTemplateId = template({ KeyName: 'nobody' })
    refused({ LaunchTemplateId, LaunchTemplateName: 'web' }, /either/)
    refused({ LaunchTemplateId, Version: '7' }, new RegExp(prefix))
    refused({ LaunchTemplateId }, `${prefix}The key pair 'nobody' does not exist`)
    version({ SecurityGroupIds: ['sg-0123456789abcdef0'] })
    refused(
      { LaunchTemplateId, Version: '$Latest' },
      `${prefix}The security group 'sg-0123456789abcdef0' does not exist`,
    )
    version({ ImageId: undefined })
    refused(
      { LaunchTemplateId, Version: '$Latest' },
      `${prefix}The request must contain the parameter ImageId`,
    )
    assert.throws(() => create(undefined), {
      message: /^Valid requests must contain either LaunchTemplate, /,
    })
    assert.throws(() => create(undefined, { MixedInstancesPolicy: {} }), {
      code: 'ValidationError',
      message: /MixedInstancesPolicy/,
    })
  })
})
