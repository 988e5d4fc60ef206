// Which operations get shapes, not only a name. Services that are small, or ours in whole, get all of them. A request
// for any other operation is refused by name, which needs no shape.

const ec2Things = [
  'Instances',
  'InstanceStatus',
  'InstanceAttribute',
  'InstanceTypes',
  'InstanceTypeOfferings',
  'InstanceCreditSpecifications',
  'SecurityGroups',
  'SecurityGroup',
  'SecurityGroupRules',
  'SecurityGroupIngress',
  'SecurityGroupEgress',
  'SecurityGroupReferences',
  'StaleSecurityGroups',
  'Vpc',
  'Vpcs',
  'VpcAttribute',
  'DefaultVpc',
  'DefaultSubnet',
  'Subnet',
  'Subnets',
  'SubnetAttribute',
  'AvailabilityZones',
  'Regions',
  'AccountAttributes',
  'Images',
  'Image',
  'ImageAttribute',
  'KeyPair',
  'KeyPairs',
  'Tags',
  'Address',
  'Addresses',
  'AddressesAttribute',
  'LaunchTemplate',
  'LaunchTemplates',
  'LaunchTemplateVersion',
  'LaunchTemplateVersions',
  'LaunchTemplateData',
  'Volume',
  'Volumes',
  'VolumeAttribute',
  'VolumeStatus',
  'VolumesModifications',
  'Snapshot',
  'Snapshots',
  'NetworkInterface',
  'NetworkInterfaces',
  'NetworkInterfaceAttribute',
  'NetworkInterfacePermissions',
  'InternetGateway',
  'InternetGateways',
  'RouteTable',
  'RouteTables',
  'RouteTableAssociation',
  'Route',
  'NetworkAcl',
  'NetworkAcls',
  'NetworkAclEntry',
  'NetworkAclAssociation',
  'NatGateway',
  'NatGateways',
  'DhcpOptions',
  'IamInstanceProfile',
  'IamInstanceProfileAssociations',
  'IamInstanceProfileAssociation',
  'ConsoleOutput',
  'PasswordData',
  'InstanceMetadataOptions',
  'InstanceMetadataDefaults',
  'InstanceMaintenanceOptions',
  'InstanceCreditSpecification',
  'InstanceCpuOptions',
  'SecurityGroupRuleDescriptionsIngress',
  'SecurityGroupRuleDescriptionsEgress',
  'VpcClassicLink',
  'VpcClassicLinkDnsSupport',
  'SubnetCidrBlock',
  'VpcCidrBlock',
  'PrivateIpAddresses',
  'Ipv6Addresses',
  'ManagedPrefixLists',
  'PrefixLists',
  'PlacementGroups',
  'PlacementGroup',
  'EgressOnlyInternetGateways',
  'VpcEndpoints',
  'VpcPeeringConnections',
  'FlowLogs',
  'SecurityGroupsForVpc',
]
const ec2Verbs =
  'Describe|Create|Delete|Modify|Attach|Detach|Associate|Disassociate|Authorize|Revoke|Run|Start|Stop|Reboot|Terminate|' +
  'Allocate|Release|Get|Import|Assign|Unassign|Update|Monitor|Unmonitor|Replace|Reset|Copy|Register|Deregister'

const iamThings =
  'User|Users|Group|Groups|Role|Roles|RoleTags|InstanceProfile|InstanceProfiles|InstanceProfilesForRole|RoleToInstanceProfile|' +
  'RoleFromInstanceProfile|RolePolicy|RolePolicies|AttachedRolePolicies|Policy|Policies|PolicyVersion|PolicyVersions|' +
  'EntitiesForPolicy|DefaultPolicyVersion|AssumeRolePolicy|AccessKey|AccessKeys|AccessKeyLastUsed|AccountAlias|AccountAliases|AccountSummary|' +
  'ServiceLinkedRole|ServiceLinkedRoleDeletionStatus|UserPolicy|UserPolicies|AttachedUserPolicies|ServerCertificate|' +
  'ServerCertificates|ServerCertificateTags|InstanceProfileTags|RoleDescription'

const cloudwatchThings =
  'Alarms|AlarmHistory|AlarmsForMetric|AlarmActions|AlarmState|MetricAlarm|CompositeAlarm|MetricData|MetricStatistics|' +
  'Metrics|TagsForResource|Resource'

const logsThings =
  'LogGroup|LogGroups|LogGroupFields|LogStream|LogStreams|LogEvents|LogRecord|RetentionPolicy|TagsForResource|Resource|' +
  'TagsLogGroup'

export const coverage: Record<string, RegExp> = {
  elasticbeanstalk: /./,
  autoscaling: /./,
  elasticloadbalancingv2: /./,
  elasticloadbalancing: /./,
  route53: /./,
  cloudwatch: new RegExp(
    `^(Describe|Delete|Put|Get|List|Set|Enable|Disable|Tag|Untag)(${cloudwatchThings})$`,
  ),
  logs: new RegExp(`^(Describe|Delete|Put|Get|List|Create|Filter|Tag|Untag)(${logsThings})$`),
  sts: /./,
  // Without certificate authorities of one's own, which are another protocol's.
  acm: /^(?!.*Acme|SearchCertificates)/,
  // Without those of event streams, Object Lambda and directory buckets.
  s3: /^(?!SelectObjectContent|WriteGetObjectResponse|CreateSession|ListDirectoryBuckets)/,
  ec2: new RegExp(`^(${ec2Verbs})(${ec2Things.join('|')})$`),
  iam: new RegExp(
    `^(Get|List|Create|Delete|Update|Put|Attach|Detach|Add|Remove|Tag|Untag|Set|Upload)(${iamThings})$`,
  ),
}
