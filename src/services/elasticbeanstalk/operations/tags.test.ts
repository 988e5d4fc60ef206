import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../../testing/services-world.ts'
import { makeBench, STACK, type Bench } from '../test-bench.ts'

let world: ServicesWorld
let bench: Bench
beforeEach(async () => {
  world = makeServicesWorld()
  bench = makeBench(world)
  await world.clock.run(1_000)
  bench.version('v1')
})
afterEach(() => {
  bench.end()
  world.end()
})

const tags = (count: number, value = '') =>
  Array.from({ length: count }, (_unused, index) => ({ Key: `key-${100 + index}`, Value: value }))
const update = (ResourceArn: string | undefined, TagsToAdd: object[], TagsToRemove: string[] = []) =>
  bench.api.updateTagsForResource(bench.context(), { ResourceArn, TagsToAdd, TagsToRemove })
const application = 'arn:aws:elasticbeanstalk:us-west-2:000000000000:application/shop'
const template = application.replace('application/shop', 'configurationtemplate/shop/saved')

describe('tags of an environment', () => {
  const own = (list: { Key?: string; Value?: string }[]) =>
    list.flatMap(({ Key = '', Value }) => (Key.startsWith('key-') ? [`${Key}=${Value}`] : [])).toSorted()
  const ofInstances = () =>
    world.ec2
      .describeInstances(world.context, {})
      .Reservations!.flatMap(({ Instances = [] }) => Instances)
      .filter(({ State }) => State?.Name === 'running')
      .map(({ Tags = [] }) => own(Tags))
  const ofGroup = () =>
    own(world.autoscaling.describeAutoScalingGroups(world.context, {}).AutoScalingGroups![0]!.Tags ?? [])

  it('go on to its group, the instances that are there and those that come', async () => {
    bench.create({ Tags: tags(2, 'old') })
    await bench.until('Ready')
    assert.deepEqual(ofInstances(), [['key-100=old', 'key-101=old']])
    update(
      bench.environment()?.EnvironmentArn,
      [
        { Key: 'key-101', Value: 'new' },
        { Key: 'key-102', Value: 'new' },
      ],
      ['key-100', 'Name', 'polebean:awaits-software', 'none'],
    )
    const now = ['key-101=new', 'key-102=new']
    assert.deepEqual([ofGroup(), ofInstances()], [now, [now]])

    const [instance] = bench.api.describeEnvironmentResources(bench.context(), {
      EnvironmentName: 'shop-prod',
    }).EnvironmentResources!.Instances!
    world.autoscaling.terminateInstanceInAutoScalingGroup(world.context, {
      InstanceId: instance!.Id,
      ShouldDecrementDesiredCapacity: false,
    })
    await world.clock.run(120_000)
    assert.deepEqual(ofInstances(), [now])
    assert.equal(bench.environment()?.HealthStatus, 'Ok', 'the new instance still awaited its software')
  })

  it('are 47 at most, and a full set can be exchanged', async () => {
    assert.throws(() => bench.create({ Tags: tags(48) }), { code: 'TooManyTagsException' })
    bench.create({ Tags: tags(47) })
    await bench.until('Ready')
    const ResourceArn = bench.environment()?.EnvironmentArn
    assert.throws(() => update(ResourceArn, [{ Key: 'one-more', Value: '' }]), {
      code: 'TooManyTagsException',
      message: 'The number of tags must not exceed 47.',
    })
    update(ResourceArn, [{ Key: 'key-200', Value: '' }], ['key-100'])
    assert.equal(ofGroup().length, 47)
    assert.ok(ofInstances()[0]?.includes('key-200='))
  })
})

describe('tags of other resources', () => {
  it('are 50 at most', () => {
    update(application, tags(50))
    assert.throws(() => update(application, [{ Key: 'one-more', Value: '' }]), {
      message: 'The number of tags must not exceed 50.',
    })
  })

  it('need the resource to be there', () => {
    const missing = { code: 'ResourceNotFoundException' }
    assert.throws(() => update(template, tags(1)), missing)
    bench.api.createConfigurationTemplate(bench.context(), {
      ApplicationName: 'shop',
      TemplateName: 'saved',
      SolutionStackName: STACK,
    })
    update(template, tags(1))
    for (const arn of [template, application])
      assert.throws(() => update(arn.replace('000000000000', '111122223333'), tags(1)), missing)
  })

  it('go with their application', () => {
    bench.api.createConfigurationTemplate(bench.context(), {
      ApplicationName: 'shop',
      TemplateName: 'saved',
      SolutionStackName: STACK,
      Tags: tags(1),
    })
    bench.api.deleteApplication(bench.context(), { ApplicationName: 'shop' })
    assert.deepEqual(bench.store.all('select * from beanstalk_tag'), [])
  })
})
