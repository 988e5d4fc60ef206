// Which parameters each operation heeds. Every other one that AWS knows is refused by name (docs/compatibility.md lists
// them from this table); those that AWS does not know are refused by the gateway.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import type { Context, Operation } from '../context.ts'
import type { Ec2Operations } from '../generated/ec2.ts'
import { refuseOthers } from '../parameters.ts'
import { unsupported } from './errors.ts'

type Heeded = { [Name in keyof Ec2Operations]?: readonly (keyof Parameters<Ec2Operations[Name]>[1])[] }

const PAGES = ['MaxResults', 'NextToken'] as const
const LISTED = ['Filters', ...PAGES] as const
const GROUP = ['GroupId', 'GroupName'] as const
const SHORT_RULE = ['IpPermissions', 'IpProtocol', 'FromPort', 'ToPort', 'CidrIp'] as const
const TEMPLATE = ['LaunchTemplateId', 'LaunchTemplateName'] as const
const RULE_DESCRIPTIONS = [...GROUP, 'IpPermissions', 'SecurityGroupRuleDescriptions'] as const
const SOURCE_GROUP = ['SourceSecurityGroupName', 'SourceSecurityGroupOwnerId'] as const

/** Beside `DryRun`, which all have. */
export const HEEDED = {
  authorizeSecurityGroupEgress: ['GroupId', 'TagSpecifications', 'IpPermissions'],
  authorizeSecurityGroupIngress: [...GROUP, 'TagSpecifications', ...SHORT_RULE, ...SOURCE_GROUP],
  allocateAddress: ['Domain', 'NetworkBorderGroup', 'TagSpecifications'],
  associateAddress: [
    'AllocationId',
    'InstanceId',
    'NetworkInterfaceId',
    'PrivateIpAddress',
    'AllowReassociation',
  ],
  createKeyPair: ['KeyName', 'KeyType', 'KeyFormat', 'TagSpecifications'],
  createLaunchTemplate: [
    'LaunchTemplateName',
    'LaunchTemplateData',
    'VersionDescription',
    'TagSpecifications',
    'ClientToken',
  ],
  createLaunchTemplateVersion: [
    ...TEMPLATE,
    'LaunchTemplateData',
    'SourceVersion',
    'VersionDescription',
    'ClientToken',
  ],
  createNetworkInterface: ['SubnetId', 'Groups', 'Description', 'TagSpecifications', 'ClientToken'],
  createSecurityGroup: ['GroupName', 'Description', 'VpcId', 'TagSpecifications'],
  createTags: ['Resources', 'Tags'],
  deleteKeyPair: ['KeyName', 'KeyPairId'],
  deleteLaunchTemplate: TEMPLATE,
  deleteLaunchTemplateVersions: [...TEMPLATE, 'Versions'],
  deleteNetworkInterface: ['NetworkInterfaceId'],
  deleteSecurityGroup: GROUP,
  deleteTags: ['Resources', 'Tags'],
  describeAccountAttributes: ['AttributeNames'],
  describeAddresses: ['AllocationIds', 'PublicIps', 'Filters'],
  describeAvailabilityZones: ['ZoneNames', 'ZoneIds', 'Filters', 'AllAvailabilityZones'],
  // What is executable, deprecated or disabled: the one image is neither.
  describeImages: [
    'ImageIds',
    'Owners',
    'ExecutableUsers',
    'IncludeDeprecated',
    'IncludeDisabled',
    ...LISTED,
  ],
  describeInstanceAttribute: ['InstanceId', 'Attribute'],
  describeInstanceStatus: ['InstanceIds', 'IncludeAllInstances', ...LISTED],
  describeInstanceTypeOfferings: ['LocationType', ...LISTED],
  describeInstanceTypes: ['InstanceTypes', ...LISTED],
  describeInstances: ['InstanceIds', ...LISTED],
  describeInternetGateways: ['InternetGatewayIds', ...LISTED],
  describeKeyPairs: ['KeyNames', 'KeyPairIds', 'IncludePublicKey', 'Filters'],
  describeLaunchTemplateVersions: [...TEMPLATE, 'Versions', 'MinVersion', 'MaxVersion', ...LISTED],
  describeLaunchTemplates: ['LaunchTemplateIds', 'LaunchTemplateNames', ...LISTED],
  describeNetworkInterfaces: ['NetworkInterfaceIds', ...LISTED],
  describeRegions: ['RegionNames', 'Filters', 'AllRegions'],
  describeRouteTables: ['RouteTableIds', ...LISTED],

  describeSecurityGroupRules: ['SecurityGroupRuleIds', ...LISTED],
  describeSecurityGroups: ['GroupIds', 'GroupNames', ...LISTED],
  describeSubnets: ['SubnetIds', ...LISTED],
  describeTags: LISTED,
  describeVpcAttribute: ['VpcId', 'Attribute'],
  describeVpcs: ['VpcIds', ...LISTED],
  disassociateAddress: ['AssociationId'],
  importKeyPair: ['KeyName', 'PublicKeyMaterial', 'TagSpecifications'],
  modifyInstanceAttribute: [
    'InstanceId',
    'Attribute',
    'Value',
    'InstanceType',
    'Groups',
    'UserData',
    'DisableApiTermination',
    'DisableApiStop',
    'InstanceInitiatedShutdownBehavior',
    'SourceDestCheck',
    'EbsOptimized',
  ],
  modifyInstanceMetadataOptions: [
    'InstanceId',
    'HttpTokens',
    'HttpEndpoint',
    'HttpPutResponseHopLimit',
    'HttpProtocolIpv6',
    'InstanceMetadataTags',
  ],
  modifyLaunchTemplate: [...TEMPLATE, 'DefaultVersion', 'ClientToken'],
  modifyNetworkInterfaceAttribute: ['NetworkInterfaceId', 'Groups', 'Description'],
  modifySecurityGroupRules: ['GroupId', 'SecurityGroupRules'],
  rebootInstances: ['InstanceIds'],
  releaseAddress: ['AllocationId', 'NetworkBorderGroup'],
  revokeSecurityGroupEgress: ['GroupId', 'SecurityGroupRuleIds', 'IpPermissions'],
  revokeSecurityGroupIngress: [...GROUP, 'SecurityGroupRuleIds', ...SHORT_RULE, ...SOURCE_GROUP],
  // IamInstanceProfile and Monitoring are echoed without effect: the metadata service hands out no credentials of
  // roles, and figures are taken at one pace.
  runInstances: [
    'ImageId',
    'InstanceType',
    'MinCount',
    'MaxCount',
    'SecurityGroupIds',
    'SecurityGroups',
    'SubnetId',
    'PrivateIpAddress',
    'NetworkInterfaces',
    'Placement',
    'TagSpecifications',
    'ClientToken',
    'IamInstanceProfile',
    'Monitoring',
    'MetadataOptions',
    'BlockDeviceMappings',
    'KeyName',
    'UserData',
    'LaunchTemplate',
    'DisableApiTermination',
    'DisableApiStop',
    'InstanceInitiatedShutdownBehavior',
  ],
  startInstances: ['InstanceIds'],
  stopInstances: ['InstanceIds'],
  terminateInstances: ['InstanceIds'],
  updateSecurityGroupRuleDescriptionsEgress: RULE_DESCRIPTIONS,
  updateSecurityGroupRuleDescriptionsIngress: RULE_DESCRIPTIONS,
} as const satisfies Heeded

type Operations = { [Name in keyof typeof HEEDED]: Ec2Operations[Name] }

/** The same operations, each of which refuses what it does not heed. With `DryRun` an operation that would have succeeded
 *  throws `DryRunOperation`, and all that it wrote is undone. */
export function heeding(store: Store, operations: Operations): Operations {
  const wrapped = Object.entries(operations).map(([name, operation]) => {
    const heeded: readonly string[] = HEEDED[name as keyof Operations]
    const run = operation as Operation<{ DryRun?: boolean }, object | void>
    const checked = (context: Context, { DryRun, ...input }: { DryRun?: boolean }) =>
      store.transaction(() => {
        refuseOthers<Record<string, unknown>>(input, heeded, unsupported)
        const answer = run(context, input)
        if (DryRun) throw wouldHaveSucceeded()
        return answer
      })
    return [name, checked]
  })
  return Object.fromEntries(wrapped) as Operations
}

const wouldHaveSucceeded = () =>
  new DeclaredError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', {
    httpStatus: 412,
  })
