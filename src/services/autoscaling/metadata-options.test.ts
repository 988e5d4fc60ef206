import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { InstanceMetadataOptions } from '@aws-sdk/client-auto-scaling'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const create = (LaunchConfigurationName: string, MetadataOptions?: InstanceMetadataOptions) => {
  const { ImageId } = world.ec2.describeImages(world.context, {}).Images![0]!
  world.autoscaling.createLaunchConfiguration(world.context, {
    ...{ LaunchConfigurationName, ImageId, InstanceType: 't3.micro' },
    ...(MetadataOptions && { MetadataOptions }),
  })
}
const described = (name: string) =>
  world.autoscaling.describeLaunchConfigurations(world.context, { LaunchConfigurationNames: [name] })
    .LaunchConfigurations![0]!.MetadataOptions
const launched = async (LaunchConfigurationName: string) => {
  world.autoscaling.createAutoScalingGroup(world.context, {
    ...{ AutoScalingGroupName: LaunchConfigurationName, LaunchConfigurationName },
    ...{ MinSize: 1, MaxSize: 1, AvailabilityZones: ['us-west-2a'] },
  })
  await world.clock.run(2_000)
  const Filters = [{ Name: 'tag:aws:autoscaling:groupName', Values: [LaunchConfigurationName] }]
  return world.ec2.describeInstances(world.context, { Filters }).Reservations![0]!.Instances![0]!
    .MetadataOptions!
}

describe('metadata options of a launch configuration', () => {
  it('are those of its instances', async () => {
    const options = { HttpTokens: 'optional', HttpPutResponseHopLimit: 1 } as const
    create('lenient', options)
    create('plain')
    assert.deepEqual([described('lenient'), described('plain')], [options, undefined])
    const lenient = await launched('lenient')
    assert.deepEqual(
      [lenient.HttpTokens, lenient.HttpPutResponseHopLimit, lenient.HttpEndpoint],
      ['optional', 1, 'enabled'],
    )
    assert.equal((await launched('plain')).HttpTokens, 'required')
  })

  it('are refused where no instance could have them', () => {
    for (const options of [
      { HttpTokens: 'never' },
      { HttpEndpoint: '' },
      { HttpPutResponseHopLimit: 0 },
      { HttpPutResponseHopLimit: 65 },
    ])
      assert.throws(() => create('wrong', options as InstanceMetadataOptions), { code: 'ValidationError' })
  })
})
