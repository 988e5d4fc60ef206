import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../../testing/services-world.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const launch = (more: object = {}) => {
  const ImageId = world.ec2.describeImages(world.context, {}).Images![0]!.ImageId
  return world.ec2.runInstances(world.context, { ImageId, MinCount: 1, MaxCount: 1, ...more }).Instances![0]!
}
const launchWith = (MetadataOptions: object, more: object = {}) => launch({ MetadataOptions, ...more })
const modify = (InstanceId: string, more: object) =>
  world.ec2.modifyInstanceMetadataOptions(world.context, { InstanceId, ...more })

const DEFAULTS = {
  State: 'applied',
  HttpTokens: 'required',
  HttpEndpoint: 'enabled',
  HttpPutResponseHopLimit: 2,
  InstanceMetadataTags: 'disabled',
  HttpProtocolIpv6: 'disabled',
}

describe('metadata options', () => {
  it('are those of Amazon Linux 2023 unless a launch says otherwise', () => {
    assert.deepEqual(launch().MetadataOptions, DEFAULTS)
    const asked = { HttpTokens: 'optional', HttpPutResponseHopLimit: 64, HttpProtocolIpv6: 'disabled' }
    assert.deepEqual(launchWith(asked).MetadataOptions, { ...DEFAULTS, ...asked })
    const [image] = world.ec2.describeImages(world.context, {}).Images!
    assert.equal(image!.ImdsSupport, 'v2.0')
  })

  it('change one by one', () => {
    const { InstanceId: id = '' } = launch()
    modify(id, { HttpTokens: 'optional' })
    const answer = modify(id, { InstanceMetadataTags: 'enabled' })
    const now = { ...DEFAULTS, HttpTokens: 'optional', InstanceMetadataTags: 'enabled' }
    assert.deepEqual(answer, { InstanceId: id, InstanceMetadataOptions: now })
    const Filters = [{ Name: 'metadata-options.http-tokens', Values: ['optional'] }]
    launch()
    const { Reservations } = world.ec2.describeInstances(world.context, { Filters })
    assert.deepEqual(
      Reservations!.flatMap(({ Instances }) => Instances!.map((one) => one.MetadataOptions)),
      [now],
    )
  })

  it('come from a launch template', () => {
    const LaunchTemplateData = { MetadataOptions: { HttpTokens: 'optional' as const } }
    const create = (LaunchTemplateName: string, data: object) =>
      world.ec2.createLaunchTemplate(world.context, { LaunchTemplateName, LaunchTemplateData: data })
    create('web', LaunchTemplateData)
    const LaunchTemplate = { LaunchTemplateName: 'web' }
    assert.equal(launch({ LaunchTemplate }).MetadataOptions!.HttpTokens, 'optional')
    const own = launchWith({ HttpTokens: 'required' }, { LaunchTemplate })
    assert.equal(own.MetadataOptions!.HttpTokens, 'required')
    assert.throws(() => create('wrong', { MetadataOptions: { HttpTokens: 'never' } }), {
      code: 'InvalidParameterValue',
    })
  })

  it('refuse what AWS refuses, and what would have no effect', () => {
    const { InstanceId: id = '' } = launch()
    const wrong: [options: object, error: { code: string; message?: RegExp }][] = [
      [{ HttpTokens: 'never' }, { code: 'InvalidParameterValue', message: /optional, required/ }],
      [{ HttpEndpoint: 'on' }, { code: 'InvalidParameterValue' }],
      [{ InstanceMetadataTags: '' }, { code: 'InvalidParameterValue' }],
      [{ HttpPutResponseHopLimit: 0 }, { code: 'InvalidParameterValue', message: /between 1 and 64/ }],
      [{ HttpPutResponseHopLimit: 65 }, { code: 'InvalidParameterValue' }],
      [{ HttpPutResponseHopLimit: 1.5 }, { code: 'InvalidParameterValue' }],
      [{ HttpProtocolIpv6: 'enabled' }, { code: 'UnsupportedOperation' }],
    ]
    for (const [options, error] of wrong) {
      assert.throws(() => launchWith(options), error, JSON.stringify(options))
      assert.throws(() => modify(id, options), error, JSON.stringify(options))
    }
    assert.throws(() => modify('', {}), { code: 'MissingParameter' })
    assert.throws(() => modify('i-0123456789abcdef0', {}), { code: 'InvalidInstanceID.NotFound' })
    world.ec2.terminateInstances(world.context, { InstanceIds: [id] })
    assert.throws(() => modify(id, { HttpTokens: 'optional' }), { code: 'IncorrectInstanceState' })
  })

  it('show tags only by keys that can be part of a path', () => {
    const tagged = (Key: string) => ({
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key, Value: 'x' }] }],
    })
    const error = { code: 'InvalidParameterValue', message: /is not a valid tag key/ }
    const shown = { InstanceMetadataTags: 'enabled' }
    for (const key of ['a/b', 'a b', '.', '..', '_index', 'ü']) {
      assert.throws(() => launchWith(shown, tagged(key)), error, key)
      const { InstanceId: id = '' } = launch(tagged(key))
      assert.throws(() => modify(id, shown), error, key)
    }
    const { InstanceId: id = '' } = launchWith(shown, tagged('a:b=c,d.e@f_g-h+1'))
    const Tags = [{ Key: 'a/b', Value: 'x' }]
    assert.throws(() => world.ec2.createTags(world.context, { Resources: [id], Tags }), error)
    modify(id, { InstanceMetadataTags: 'disabled' })
    world.ec2.createTags(world.context, { Resources: [id], Tags })
  })
})
