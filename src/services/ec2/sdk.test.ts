// The service behind the gateway, as AWS's own SDK sees it: what it sends is understood, what it gets it can read.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { modelOf } from '../../gateway/models.ts'
import { createGateway } from '../../gateway/server.ts'
import { systemClock } from '../../kernel/clock.ts'
import { makeIds } from '../../kernel/ids.ts'
import { silentLog } from '../../kernel/log.ts'
import { seededRandom } from '../../kernel/random.ts'
import { RSA, RSA_MD5 } from '../../kernel/test-ssh-keys.ts'
import { makeServicesWorld } from '../testing/services-world.ts'

const credentials = { accessKeyId: 'PBAKTESTTESTTESTTEST', secretAccessKey: 'secret' }
const world = makeServicesWorld()
let client: sdk.EC2Client
let close: () => Promise<void>

before(async () => {
  const names = new Set(modelOf('ec2').operationNames)
  const operations = Object.fromEntries(
    Object.entries(world.ec2).filter(([name]) => names.has(name[0]!.toUpperCase() + name.slice(1))),
  )
  const gateway = createGateway({
    services: { ec2: { operations: operations as never } },
    credentials: () => [credentials],
    ...{ account: world.context.account, region: world.context.region, store: world.store },
    ...{ clock: systemClock, ids: makeIds(seededRandom(2)), log: silentLog },
  })
  const listening = await gateway.listen({ host: '127.0.0.1', port: 0 })
  const endpoint = `http://127.0.0.1:${listening.port}`
  client = new sdk.EC2Client({ endpoint, region: world.context.region, credentials, maxAttempts: 1 })
  close = () => listening.close()
})
after(async () => {
  client.destroy()
  world.end()
  await close()
})

describe('ec2 for the AWS SDK', () => {
  it('has groups whose rules are made, changed, paged through and revoked', async () => {
    const { GroupId } = await client.send(
      new sdk.CreateSecurityGroupCommand({
        GroupName: 'web',
        Description: 'of a test',
        TagSpecifications: [{ ResourceType: 'security-group', Tags: [{ Key: 'Name', Value: 'a & <b> ü' }] }],
      }),
    )
    const { SecurityGroupRules = [] } = await client.send(
      new sdk.AuthorizeSecurityGroupIngressCommand({
        GroupId,
        IpPermissions: Array.from({ length: 12 }, (_unused, index) => ({
          IpProtocol: 'tcp',
          FromPort: index,
          ToPort: index,
          IpRanges: [{ CidrIp: '10.0.0.0/8', Description: `rule ${index}` }],
        })),
        TagSpecifications: [{ ResourceType: 'security-group-rule', Tags: [{ Key: 'a', Value: 'b' }] }],
      }),
    )
    assert.equal(SecurityGroupRules.length, 12)
    const [first] = SecurityGroupRules
    await client.send(
      new sdk.ModifySecurityGroupRulesCommand({
        GroupId,
        SecurityGroupRules: [
          {
            SecurityGroupRuleId: first!.SecurityGroupRuleId,
            SecurityGroupRule: { IpProtocol: '-1', ReferencedGroupId: undefined, CidrIpv4: '192.0.2.7/24' },
          },
        ],
      }),
    )
    const Filters = [{ Name: 'group-id', Values: [GroupId!] }]
    const pages = await Array.fromAsync(
      sdk.paginateDescribeSecurityGroupRules({ client, pageSize: 5 }, { Filters }),
    )
    assert.deepEqual(
      pages.map((page) => page.SecurityGroupRules!.length),
      [5, 5, 3],
    )
    const all = pages.flatMap((page) => page.SecurityGroupRules!)
    const changed = all.find((rule) => rule.SecurityGroupRuleId === first!.SecurityGroupRuleId)
    assert.deepEqual([changed!.CidrIpv4, changed!.IpProtocol, changed!.FromPort], ['192.0.2.0/24', '-1', -1])
    const { RevokedSecurityGroupRules } = await client.send(
      new sdk.RevokeSecurityGroupIngressCommand({
        GroupId,
        SecurityGroupRuleIds: [first!.SecurityGroupRuleId!],
      }),
    )
    assert.equal(RevokedSecurityGroupRules![0]!.CidrIpv4, '192.0.2.0/24')
    const { SecurityGroups } = await client.send(
      new sdk.DescribeSecurityGroupsCommand({ Filters: [{ Name: 'tag:Name', Values: ['a*ü'] }] }),
    )
    assert.equal(SecurityGroups![0]!.IpPermissions!.length, 11)
  })

  it('launches by a template, with a key and user data, and changes both attributes and groups', async () => {
    const key = await client.send(
      new sdk.ImportKeyPairCommand({ KeyName: 'mine', PublicKeyMaterial: Buffer.from(RSA) }),
    )
    assert.equal(key.KeyFingerprint, RSA_MD5)
    const [image] = (await client.send(new sdk.DescribeImagesCommand({ Owners: ['self'] }))).Images!
    const UserData = Buffer.from('#!/bin/sh\n').toString('base64')
    const { LaunchTemplate } = await client.send(
      new sdk.CreateLaunchTemplateCommand({
        LaunchTemplateName: 'web',
        LaunchTemplateData: { ImageId: image!.ImageId, InstanceType: 't3.small', KeyName: 'mine', UserData },
      }),
    )
    const { LaunchTemplateId } = LaunchTemplate!
    const launch = { LaunchTemplate: { LaunchTemplateId }, MinCount: 1, MaxCount: 1 }
    const { Instances } = await client.send(new sdk.RunInstancesCommand(launch))
    const { InstanceId, InstanceType, KeyName } = Instances![0]!
    assert.deepEqual([InstanceType, KeyName], ['t3.small', 'mine'])
    const ask = (Attribute: 'userData' | 'groupSet') =>
      client.send(new sdk.DescribeInstanceAttributeCommand({ InstanceId, Attribute }))
    assert.equal((await ask('userData')).UserData!.Value, UserData)
    const { GroupId } = await client.send(
      new sdk.CreateSecurityGroupCommand({ GroupName: 'db', Description: 'x' }),
    )
    await client.send(new sdk.ModifyInstanceAttributeCommand({ InstanceId, Groups: [GroupId!] }))
    assert.deepEqual((await ask('groupSet')).Groups, [{ GroupId }])
    await assert.rejects(
      client.send(
        new sdk.ModifyInstanceAttributeCommand({ InstanceId, UserData: { Value: Buffer.from('#!x') } }),
      ),
      { name: 'IncorrectInstanceState' },
    )
    const { AllocationId, PublicIp } = await client.send(new sdk.AllocateAddressCommand({}))
    await client.send(new sdk.AssociateAddressCommand({ AllocationId, InstanceId }))
    const [address] = (await client.send(new sdk.DescribeAddressesCommand({}))).Addresses!
    assert.deepEqual([address!.PublicIp, address!.InstanceId], [PublicIp, InstanceId])
    const [version] = (
      await client.send(
        new sdk.DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId, Versions: ['$Default'] }),
      )
    ).LaunchTemplateVersions!
    assert.equal(version!.LaunchTemplateData!.UserData, UserData)
  })

  it('says what a dry run would be, and what it does not know', async () => {
    await assert.rejects(client.send(new sdk.CreateKeyPairCommand({ KeyName: 'x', DryRun: true })), {
      name: 'DryRunOperation',
      message: 'Request would have succeeded, but DryRun flag is set.',
    })
    assert.equal((await client.send(new sdk.DescribeKeyPairsCommand({}))).KeyPairs!.length, 1)
    await assert.rejects(
      client.send(new sdk.StopInstancesCommand({ InstanceIds: ['i-0123456789abcdef0'], Hibernate: true })),
      { name: 'UnsupportedOperation', message: 'The parameter Hibernate is not supported by Polebean.' },
    )
  })

  it('changes how instances read their metadata', async () => {
    const MetadataOptions = { HttpTokens: 'optional', HttpPutResponseHopLimit: 1 } as const
    const [image] = (await client.send(new sdk.DescribeImagesCommand({}))).Images!
    const launch = { ImageId: image!.ImageId!, MinCount: 1, MaxCount: 1, MetadataOptions }
    const [instance] = (await client.send(new sdk.RunInstancesCommand(launch))).Instances!
    const { InstanceId, MetadataOptions: atFirst } = instance!
    assert.deepEqual([atFirst!.HttpTokens, atFirst!.HttpPutResponseHopLimit], ['optional', 1])
    const change = { InstanceId, HttpTokens: 'required', InstanceMetadataTags: 'enabled' } as const
    const { InstanceMetadataOptions: changed } = await client.send(
      new sdk.ModifyInstanceMetadataOptionsCommand(change),
    )
    const described = (await client.send(new sdk.DescribeInstancesCommand({ InstanceIds: [InstanceId!] })))
      .Reservations![0]!.Instances![0]!.MetadataOptions
    assert.deepEqual(described, changed)
    assert.deepEqual(changed, {
      State: 'applied',
      HttpTokens: 'required',
      HttpEndpoint: 'enabled',
      HttpPutResponseHopLimit: 1,
      InstanceMetadataTags: 'enabled',
      HttpProtocolIpv6: 'disabled',
    })
    await assert.rejects(
      client.send(new sdk.ModifyInstanceMetadataOptionsCommand({ InstanceId, HttpProtocolIpv6: 'enabled' })),
      { name: 'UnsupportedOperation' },
    )
  })

  it('shows the network of the default VPC', async () => {
    const [gateway] = (await client.send(new sdk.DescribeInternetGatewaysCommand({}))).InternetGateways!
    const [table] = (
      await client.send(
        new sdk.DescribeRouteTablesCommand({ Filters: [{ Name: 'association.main', Values: ['true'] }] }),
      )
    ).RouteTables!
    assert.deepEqual(
      table!.Routes!.map((route) => route.GatewayId),
      ['local', gateway!.InternetGatewayId],
    )
    assert.equal(gateway!.Attachments![0]!.VpcId, table!.VpcId)
    await assert.rejects(client.send(new sdk.DescribeRouteTablesCommand({ RouteTableIds: ['rtb-1'] })), {
      name: 'InvalidRouteTableID.NotFound',
    })
  })
})
