import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { RequestLaunchTemplateData } from '@aws-sdk/client-ec2'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
let ImageId: string
beforeEach(() => {
  world = makeServicesWorld()
  ImageId = world.ec2.describeImages(world.context, {}).Images![0]!.ImageId!
})
afterEach(() => world.end())

const create = (
  LaunchTemplateName: string,
  LaunchTemplateData: RequestLaunchTemplateData,
  more: object = {},
) =>
  world.ec2.createLaunchTemplate(world.context, { LaunchTemplateName, LaunchTemplateData, ...more })
    .LaunchTemplate!
const createVersion = (
  LaunchTemplateId: string,
  LaunchTemplateData: RequestLaunchTemplateData,
  more: object = {},
) =>
  world.ec2.createLaunchTemplateVersion(world.context, { LaunchTemplateId, LaunchTemplateData, ...more })
    .LaunchTemplateVersion!
const versions = (more: object) =>
  world.ec2.describeLaunchTemplateVersions(world.context, more).LaunchTemplateVersions!
const numbers = (more: object) => versions(more).map((version) => version.VersionNumber)
const run = (more: object) =>
  world.ec2.runInstances(world.context, { MinCount: 1, MaxCount: 1, ...more }).Instances![0]!

describe('launch templates', () => {
  it('have versions, of which one is the default', () => {
    const { LaunchTemplateId: id = '' } = create('web', { ImageId, InstanceType: 't3.micro' })
    const second = createVersion(id, { InstanceType: 't3.small' }, { SourceVersion: '1' })
    assert.deepEqual(second.LaunchTemplateData, { ImageId, InstanceType: 't3.small' })
    createVersion(id, { InstanceType: 't3.large' }, { VersionDescription: 'large' })
    assert.deepEqual(numbers({ LaunchTemplateId: id }), [3, 2, 1])
    assert.deepEqual(numbers({ LaunchTemplateName: 'web', Versions: ['$Latest', '$Default', '3'] }), [3, 1])
    assert.deepEqual(numbers({ LaunchTemplateId: id, MinVersion: '2', MaxVersion: '2' }), [2])
    assert.deepEqual(numbers({ Versions: ['$Latest'] }), [3])
    const { LaunchTemplate } = world.ec2.modifyLaunchTemplate(world.context, {
      LaunchTemplateId: id,
      DefaultVersion: '2',
    })
    assert.deepEqual([LaunchTemplate!.DefaultVersionNumber, LaunchTemplate!.LatestVersionNumber], [2, 3])
    const Filters = [{ Name: 'is-default-version', Values: ['true'] }]
    assert.deepEqual(numbers({ LaunchTemplateId: id, Filters }), [2])
  })

  it('lose versions, but the default, and are deleted with the rest', () => {
    const { LaunchTemplateId: id = '' } = create('web', {})
    createVersion(id, {})
    const gone = world.ec2.deleteLaunchTemplateVersions(world.context, {
      LaunchTemplateId: id,
      Versions: ['1', '2', '3'],
    })
    assert.deepEqual(
      gone.SuccessfullyDeletedLaunchTemplateVersions!.map((one) => one.VersionNumber),
      [2],
    )
    assert.deepEqual(
      gone.UnsuccessfullyDeletedLaunchTemplateVersions!.map((one) => one.ResponseError!.Code),
      ['unexpectedError', 'launchTemplateVersionDoesNotExist'],
    )
    assert.equal(createVersion(id, {}).VersionNumber, 3, 'a number is given once')
    world.ec2.deleteLaunchTemplate(world.context, { LaunchTemplateId: id })
    assert.deepEqual(world.ec2.describeLaunchTemplates(world.context, {}).LaunchTemplates, [])
    assert.deepEqual(world.store.all('select * from ec2_launch_template_version'), [])
  })

  it('are made once for a client token', () => {
    const one = create('web', {}, { ClientToken: 'a' })
    assert.deepEqual(create('web', {}, { ClientToken: 'a' }), one)
    assert.throws(() => create('other', {}, { ClientToken: 'a' }), { code: 'IdempotentParameterMismatch' })
    const id = one.LaunchTemplateId!
    assert.equal(createVersion(id, {}, { ClientToken: 'b' }).VersionNumber, 2)
    assert.equal(createVersion(id, {}, { ClientToken: 'b' }).VersionNumber, 2)
  })

  it('are found by name, tag and page', () => {
    const Tags = [{ Key: 'of', Value: 'shop' }]
    for (const name of ['web', 'worker', 'db1'])
      create(
        name,
        {},
        name === 'db1' ? { TagSpecifications: [{ ResourceType: 'launch-template', Tags }] } : {},
      )
    const find = (more: object) => world.ec2.describeLaunchTemplates(world.context, more)
    const names = (more: object) => find(more).LaunchTemplates!.map((one) => one.LaunchTemplateName)
    assert.deepEqual(names({ Filters: [{ Name: 'launch-template-name', Values: ['w*'] }] }), [
      'web',
      'worker',
    ])
    assert.deepEqual(names({ Filters: [{ Name: 'tag:of', Values: ['shop'] }] }), ['db1'])
    const { NextToken } = find({ MaxResults: 1 })
    assert.deepEqual(names({ MaxResults: 5, NextToken }), ['web', 'worker'])
  })

  it('are refused what has no effect, and in the words of AWS', () => {
    const { LaunchTemplateId: id = '' } = create('web', {})
    for (const [data, code] of [
      [{ EbsOptimized: true }, 'UnsupportedOperation'],
      [{ NetworkInterfaces: [{ DeviceIndex: 0, NetworkCardIndex: 1 }] }, 'UnsupportedOperation'],
      [{ UserData: '***' }, 'InvalidUserData.Malformed'],
      [{ SecurityGroupIds: ['sg-1'], SecurityGroups: ['x'] }, 'InvalidParameterCombination'],
    ] as const)
      assert.throws(() => create('other', data as never), { code })
    assert.throws(() => create('web', {}), { code: 'InvalidLaunchTemplateName.AlreadyExistsException' })
    assert.throws(() => create('a b', {}), { code: 'InvalidLaunchTemplateName.MalformedException' })
    for (const [more, code] of [
      [{ LaunchTemplateId: 'lt-0123456789abcdef0' }, 'InvalidLaunchTemplateId.NotFound'],
      [{ LaunchTemplateId: 'x' }, 'InvalidLaunchTemplateId.Malformed'],
      [{ LaunchTemplateName: 'none' }, 'InvalidLaunchTemplateName.NotFoundException'],
      [{ LaunchTemplateName: 'web', LaunchTemplateId: id }, 'InvalidParameterCombination'],
      [{ LaunchTemplateId: id, Versions: ['7'] }, 'InvalidLaunchTemplateId.VersionNotFound'],
      [{ LaunchTemplateId: id, MinVersion: 'x' }, 'InvalidParameterValue'],
      [{ Versions: ['1'] }, 'MissingParameter'],
      [{}, 'MissingParameter'],
    ] as const)
      assert.throws(() => versions(more), { code }, JSON.stringify(more))
  })
})

describe('a launch by a template', () => {
  it('takes from it what it does not say itself', () => {
    const group = (GroupName: string) =>
      world.ec2.createSecurityGroup(world.context, { GroupName, Description: 'x' }).GroupId!
    const [one, two] = [group('one'), group('two')]
    const tags = (...pairs: [string, string][]) => [
      { ResourceType: 'instance' as const, Tags: pairs.map(([Key, Value]) => ({ Key, Value })) },
    ]
    const UserData = Buffer.from('#!/bin/sh\n').toString('base64')
    const { LaunchTemplateId } = create('web', {
      ...{ ImageId, InstanceType: 't3.small', SecurityGroupIds: [one], UserData },
      TagSpecifications: tags(['a', 'template'], ['b', 'template']),
    })
    const plain = run({ LaunchTemplate: { LaunchTemplateId } })
    assert.deepEqual(
      [plain.InstanceType, plain.SecurityGroups!.map((each) => each.GroupId), plain.Tags!.length],
      ['t3.small', [one], 2],
    )
    const attribute = world.ec2.describeInstanceAttribute(world.context, {
      InstanceId: plain.InstanceId,
      Attribute: 'userData',
    })
    assert.equal(attribute.UserData!.Value, UserData)
    const own = run({
      ...{ LaunchTemplate: { LaunchTemplateName: 'web', Version: '$Latest' }, InstanceType: 't3.micro' },
      ...{ SecurityGroupIds: [two], TagSpecifications: tags(['b', 'own'], ['c', 'own']) },
    })
    assert.deepEqual([own.InstanceType, own.SecurityGroups!.map((each) => each.GroupId)], ['t3.micro', [two]])
    const named = run({ LaunchTemplate: { LaunchTemplateId }, SecurityGroups: ['two'] })
    assert.deepEqual(
      named.SecurityGroups!.map((each) => each.GroupId),
      [two],
    )
    assert.throws(() => run({ ImageId, SecurityGroups: ['two'], SubnetId: plain.SubnetId }), {
      code: 'InvalidParameterCombination',
      message: 'The parameter groupName cannot be used with the parameter subnet',
    })
    assert.deepEqual(
      own.Tags!.map((tag) => `${tag.Key}=${tag.Value}`),
      ['a=template', 'b=own', 'c=own'],
    )
  })

  it('is refused when the version is not there, or says too little', () => {
    const { LaunchTemplateId } = create('web', {})
    assert.throws(() => run({ LaunchTemplate: { LaunchTemplateId, Version: '2' } }), {
      code: 'InvalidLaunchTemplateId.VersionNotFound',
    })
    assert.throws(() => run({ LaunchTemplate: { LaunchTemplateId } }), { code: 'MissingParameter' })
  })
})
