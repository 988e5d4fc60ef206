// Requests that are right, or nearly: what a fuzz must start from to come past the first check. `{name}` stands for a
// value that an answer gave in an element of that name, `{n}` for a small number, which makes new names.

import { LONG_LIVED } from '../src/kernel/test-certificate.ts'

/** Of the query and ec2 protocols: operation → parameters. */
export const queryRecipes: Record<string, string[]> = {
  CreateApplication: ['ApplicationName=app{n}&Description=x'],
  CreateApplicationVersion: [
    'ApplicationName=shop&VersionLabel=w{n}&SourceBundle.S3Bucket={bucket}&SourceBundle.S3Key=v{n}.zip&Process=true',
  ],
  CreateEnvironment: [
    'ApplicationName=shop&EnvironmentName=shop-{n}&VersionLabel={versionlabel}&SolutionStackName={stack}',
    'ApplicationName=shop&EnvironmentName=shop-{n}&CNAMEPrefix=c{n}&TemplateName={templatename}&VersionLabel=v1',
    'ApplicationName=shop&EnvironmentName=shop-{n}&VersionLabel=v1&SolutionStackName={stack}&OptionSettings.member.1.Namespace=aws:elasticbeanstalk:environment&OptionSettings.member.1.OptionName=LoadBalancerType&OptionSettings.member.1.Value=classic',
    'ApplicationName=shop&EnvironmentName=shop-{n}&VersionLabel=v1&SolutionStackName={stack}&OptionSettings.member.1.Namespace=aws:elasticbeanstalk:environment&OptionSettings.member.1.OptionName=LoadBalancerIsShared&OptionSettings.member.1.Value=true&OptionSettings.member.2.Namespace=aws:elbv2:loadbalancer&OptionSettings.member.2.OptionName=SharedLoadBalancer&OptionSettings.member.2.Value={loadbalancerarn}',
  ],
  UpdateEnvironment: [
    'EnvironmentName={environmentname}&VersionLabel={versionlabel}',
    'EnvironmentName={environmentname}&OptionSettings.member.1.Namespace=aws:autoscaling:launchconfiguration&OptionSettings.member.1.OptionName=SecurityGroups&OptionSettings.member.1.Value={groupid}',
    'EnvironmentName={environmentname}&OptionSettings.member.1.Namespace=aws:elbv2:loadbalancer&OptionSettings.member.1.OptionName=ManagedSecurityGroup&OptionSettings.member.1.Value={groupid}',
    'EnvironmentName={environmentname}&OptionSettings.member.1.Namespace=aws:autoscaling:asg&OptionSettings.member.1.OptionName=MaxSize&OptionSettings.member.1.Value={n}',
    'EnvironmentName={environmentname}&OptionSettings.member.1.Namespace=aws:elasticbeanstalk:environment&OptionSettings.member.1.OptionName=EnvironmentType&OptionSettings.member.1.Value=SingleInstance',
  ],
  TerminateEnvironment: ['EnvironmentName={environmentname}'],
  UpdateApplicationVersion: ['ApplicationName=shop&VersionLabel={versionlabel}&Description=x'],
  DeleteApplicationVersion: ['ApplicationName=shop&VersionLabel={versionlabel}'],
  DescribeInstancesHealth: ['EnvironmentName={environmentname}&AttributeNames.member.1=All'],
  DescribeEnvironmentHealth: ['EnvironmentName={environmentname}&AttributeNames.member.1=All'],
  DescribeEnvironmentResources: ['EnvironmentName={environmentname}'],
  RequestEnvironmentInfo: ['EnvironmentName={environmentname}&InfoType=tail'],
  RetrieveEnvironmentInfo: ['EnvironmentName={environmentname}&InfoType=tail'],
  ListTagsForResource: ['ResourceArn={environmentarn}', 'ResourceArn={applicationarn}'],
  UpdateTagsForResource: [
    'ResourceArn={environmentarn}&TagsToAdd.member.1.Key=k{n}&TagsToAdd.member.1.Value=v',
    'ResourceArn={environmentarn}&TagsToRemove.member.1=k{n}',
  ],
  DescribeConfigurationSettings: ['ApplicationName=shop&EnvironmentName={environmentname}'],
  CreateConfigurationTemplate: [
    'ApplicationName=shop&TemplateName=t{n}&SolutionStackName={stack}',
    'ApplicationName=shop&TemplateName=t{n}&EnvironmentId={environmentid}',
  ],
  UpdateConfigurationTemplate: ['ApplicationName=shop&TemplateName={templatename}&Description=x'],
  DeleteConfigurationTemplate: ['ApplicationName=shop&TemplateName={templatename}'],

  CreateLaunchConfiguration: [
    'LaunchConfigurationName=lc{n}&ImageId={imageid}&InstanceType=t3.micro&SecurityGroups.member.1={groupid}',
  ],
  DeleteLaunchConfiguration: ['LaunchConfigurationName={launchconfigurationname}'],
  CreateAutoScalingGroup: [
    'AutoScalingGroupName=g{n}&LaunchTemplate.LaunchTemplateId={launchtemplateid}&MinSize=0&MaxSize={n}&VPCZoneIdentifier={subnetid}',
    'AutoScalingGroupName=g{n}&LaunchConfigurationName={launchconfigurationname}&MinSize=0&MaxSize={n}&VPCZoneIdentifier={subnetid}',
    'AutoScalingGroupName=g{n}&LaunchConfigurationName={launchconfigurationname}&MinSize=1&MaxSize=2&VPCZoneIdentifier={subnetid}&TargetGroupARNs.member.1={targetgrouparn}',
  ],
  UpdateAutoScalingGroup: [
    'AutoScalingGroupName={autoscalinggroupname}&LaunchTemplate.LaunchTemplateId={launchtemplateid}&LaunchTemplate.Version=$Latest',
    'AutoScalingGroupName={autoscalinggroupname}&LaunchConfigurationName={launchconfigurationname}',
    'AutoScalingGroupName={autoscalinggroupname}&MinSize=0&MaxSize={n}&HealthCheckType=ELB',
  ],
  DeleteAutoScalingGroup: ['AutoScalingGroupName=g{n}&ForceDelete=true'],
  SetDesiredCapacity: ['AutoScalingGroupName={autoscalinggroupname}&DesiredCapacity=1'],
  PutScalingPolicy: [
    'AutoScalingGroupName={autoscalinggroupname}&PolicyName=p{n}&AdjustmentType=ChangeInCapacity&ScalingAdjustment=1&Cooldown={n}',
    'AutoScalingGroupName={autoscalinggroupname}&PolicyName=p{n}&PolicyType=StepScaling&AdjustmentType=PercentChangeInCapacity&MinAdjustmentMagnitude=1&StepAdjustments.member.1.MetricIntervalLowerBound=0&StepAdjustments.member.1.ScalingAdjustment=10',
    'AutoScalingGroupName={autoscalinggroupname}&PolicyName=p{n}&PolicyType=TargetTrackingScaling&TargetTrackingConfiguration.PredefinedMetricSpecification.PredefinedMetricType=ASGAverageCPUUtilization&TargetTrackingConfiguration.TargetValue=50',
  ],
  ExecutePolicy: [
    'AutoScalingGroupName={autoscalinggroupname}&PolicyName=p{n}&HonorCooldown=true',
    'AutoScalingGroupName={autoscalinggroupname}&PolicyName=p{n}&MetricValue=59.5&BreachThreshold=50',
  ],
  DeletePolicy: ['AutoScalingGroupName={autoscalinggroupname}&PolicyName=p{n}'],
  PutScheduledUpdateGroupAction: [
    'AutoScalingGroupName={autoscalinggroupname}&ScheduledActionName=s{n}&Recurrence=*/5 * * * *&TimeZone=Europe/Berlin&DesiredCapacity=1',
    'AutoScalingGroupName={autoscalinggroupname}&ScheduledActionName=s{n}&StartTime=2099-01-01T00:00:00Z&MinSize=0',
  ],
  DeleteScheduledAction: ['AutoScalingGroupName={autoscalinggroupname}&ScheduledActionName=s{n}'],
  PutLifecycleHook: [
    'AutoScalingGroupName={autoscalinggroupname}&LifecycleHookName=h{n}&LifecycleTransition=autoscaling:EC2_INSTANCE_LAUNCHING&HeartbeatTimeout=30&DefaultResult=CONTINUE',
  ],
  CompleteLifecycleAction: [
    'AutoScalingGroupName={autoscalinggroupname}&LifecycleHookName=h{n}&LifecycleActionResult=CONTINUE&InstanceId={instanceid}',
  ],
  RecordLifecycleActionHeartbeat: [
    'AutoScalingGroupName={autoscalinggroupname}&LifecycleHookName=h{n}&InstanceId={instanceid}',
  ],
  DeleteLifecycleHook: ['AutoScalingGroupName={autoscalinggroupname}&LifecycleHookName=h{n}'],
  EnterStandby: [
    'AutoScalingGroupName={autoscalinggroupname}&InstanceIds.member.1={instanceid}&ShouldDecrementDesiredCapacity=true',
  ],
  ExitStandby: ['AutoScalingGroupName={autoscalinggroupname}&InstanceIds.member.1={instanceid}'],
  DetachInstances: [
    'AutoScalingGroupName={autoscalinggroupname}&InstanceIds.member.1={instanceid}&ShouldDecrementDesiredCapacity=true',
  ],
  AttachInstances: ['AutoScalingGroupName={autoscalinggroupname}&InstanceIds.member.1={instanceid}'],
  SuspendProcesses: [
    'AutoScalingGroupName={autoscalinggroupname}&ScalingProcesses.member.1=AlarmNotification',
  ],
  EnableMetricsCollection: ['AutoScalingGroupName={autoscalinggroupname}&Granularity=1Minute'],
  StartInstanceRefresh: [
    'AutoScalingGroupName={autoscalinggroupname}&Preferences.MinHealthyPercentage=50&Preferences.InstanceWarmup=1',
  ],
  CancelInstanceRefresh: ['AutoScalingGroupName={autoscalinggroupname}'],
  SetInstanceHealth: ['InstanceId={instanceid}&HealthStatus=Unhealthy'],
  SetInstanceProtection: [
    'AutoScalingGroupName={autoscalinggroupname}&InstanceIds.member.1={instanceid}&ProtectedFromScaleIn=true',
  ],
  TerminateInstanceInAutoScalingGroup: ['InstanceId={instanceid}&ShouldDecrementDesiredCapacity=false'],
  AttachLoadBalancerTargetGroups: [
    'AutoScalingGroupName={autoscalinggroupname}&TargetGroupARNs.member.1={targetgrouparn}',
  ],
  DetachLoadBalancerTargetGroups: [
    'AutoScalingGroupName={autoscalinggroupname}&TargetGroupARNs.member.1={targetgrouparn}',
  ],
  CreateOrUpdateTags: [
    'Tags.member.1.ResourceId={autoscalinggroupname}&Tags.member.1.ResourceType=auto-scaling-group&Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.1.PropagateAtLaunch=true',
  ],

  DescribeVpcAttribute: ['VpcId={vpcid}&Attribute=enableDnsSupport'],
  CreateSecurityGroup: ['GroupName=sg{n}&GroupDescription=x&VpcId={vpcid}'],
  DeleteSecurityGroup: ['GroupId={groupid}'],
  AuthorizeSecurityGroupIngress: [
    'GroupId={groupid}&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=80&IpPermissions.1.ToPort=8{n}&IpPermissions.1.IpRanges.1.CidrIp=10.{n}.0.0/16',
    'GroupId={groupid}&IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId={groupid}',
  ],
  AuthorizeSecurityGroupEgress: [
    'GroupId={groupid}&IpPermissions.1.IpProtocol=udp&IpPermissions.1.FromPort=53&IpPermissions.1.ToPort=53&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0',
  ],
  RevokeSecurityGroupIngress: [
    'GroupId={groupid}&IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId={groupid}',
    'GroupId={groupid}&SecurityGroupRuleId.1={securitygroupruleid}',
  ],
  RevokeSecurityGroupEgress: ['GroupId={groupid}&SecurityGroupRuleId.1={securitygroupruleid}'],
  RunInstances: [
    'ImageId={imageid}&MinCount=1&MaxCount=1&InstanceType=t3.micro&SubnetId={subnetid}',
    'ImageId={imageid}&MinCount=1&MaxCount=1&InstanceType=t3.micro&SecurityGroupId.1={groupid}&KeyName=k{n}',
    'ImageId={imageid}&MinCount=1&MaxCount=1&NetworkInterface.1.DeviceIndex=0&NetworkInterface.1.SecurityGroupId.1={groupid}&NetworkInterface.1.SubnetId={subnetid}',
    'MinCount=1&MaxCount=1&LaunchTemplate.LaunchTemplateId={launchtemplateid}&LaunchTemplate.Version=$Default',
  ],
  ModifyInstanceAttribute: [
    'InstanceId={instanceid}&GroupId.1={groupid}',
    'InstanceId={instanceid}&DisableApiTermination.Value=false',
  ],
  DescribeInstanceAttribute: ['InstanceId={instanceid}&Attribute=groupSet'],
  ModifyNetworkInterfaceAttribute: [
    'NetworkInterfaceId={networkinterfaceid}&SecurityGroupId.1={groupid}',
    'NetworkInterfaceId={networkinterfaceid}&Description.Value=d{n}',
  ],
  ModifySecurityGroupRules: [
    'GroupId={groupid}&SecurityGroupRule.1.SecurityGroupRuleId={securitygroupruleid}&SecurityGroupRule.1.SecurityGroupRule.IpProtocol=tcp&SecurityGroupRule.1.SecurityGroupRule.FromPort=1&SecurityGroupRule.1.SecurityGroupRule.ToPort=9{n}&SecurityGroupRule.1.SecurityGroupRule.CidrIpv4=10.{n}.0.0/16',
  ],
  UpdateSecurityGroupRuleDescriptionsIngress: [
    'GroupId={groupid}&SecurityGroupRuleDescription.1.SecurityGroupRuleId={securitygroupruleid}&SecurityGroupRuleDescription.1.Description=d{n}',
  ],
  AllocateAddress: ['Domain=vpc'],
  AssociateAddress: ['AllocationId={allocationid}&InstanceId={instanceid}'],
  DisassociateAddress: ['AssociationId={associationid}'],
  ReleaseAddress: ['AllocationId={allocationid}'],
  CreateKeyPair: ['KeyName=k{n}&KeyType=ed25519'],
  DeleteKeyPair: ['KeyName=k{n}'],
  CreateLaunchTemplate: [
    'LaunchTemplateName=lt{n}&LaunchTemplateData.ImageId={imageid}&LaunchTemplateData.InstanceType=t3.micro&LaunchTemplateData.SecurityGroupId.1={groupid}',
    'LaunchTemplateName=lt{n}&LaunchTemplateData.ImageId={imageid}&LaunchTemplateData.NetworkInterface.1.DeviceIndex=0&LaunchTemplateData.NetworkInterface.1.SecurityGroupId.1={groupid}',
  ],
  CreateLaunchTemplateVersion: [
    'LaunchTemplateId={launchtemplateid}&SourceVersion=1&LaunchTemplateData.InstanceType=t3.small',
  ],
  ModifyLaunchTemplate: ['LaunchTemplateId={launchtemplateid}&SetDefaultVersion={n}'],
  DescribeLaunchTemplateVersions: ['LaunchTemplateId={launchtemplateid}&LaunchTemplateVersion.1=$Latest'],
  DeleteLaunchTemplateVersions: ['LaunchTemplateId={launchtemplateid}&LaunchTemplateVersion.1={n}'],
  DeleteLaunchTemplate: ['LaunchTemplateId={launchtemplateid}'],
  StopInstances: ['InstanceId.1={instanceid}'],
  StartInstances: ['InstanceId.1={instanceid}'],
  RebootInstances: ['InstanceId.1={instanceid}'],
  TerminateInstances: ['InstanceId.1={instanceid}'],
  CreateTags: [
    'ResourceId.1={instanceid}&Tag.1.Key=k{n}&Tag.1.Value=v',
    'ResourceId.1={groupid}&Tag.1.Key=k',
  ],
  DeleteTags: ['ResourceId.1={instanceid}&Tag.1.Key=k{n}'],

  CreateLoadBalancer: [
    'Name=lb{n}&Subnets.member.1={subneta}&Subnets.member.2={subnetb}',
    'Name=nlb{n}&Type=network&Subnets.member.1={subneta}',
  ],
  DescribeInstanceHealth: ['LoadBalancerName={loadbalancername}'],
  RegisterInstancesWithLoadBalancer: [
    'LoadBalancerName={loadbalancername}&Instances.member.1.InstanceId={instanceid}',
  ],
  DeregisterInstancesFromLoadBalancer: [
    'LoadBalancerName={loadbalancername}&Instances.member.1.InstanceId={instanceid}',
  ],
  SetSecurityGroups: ['LoadBalancerArn={loadbalancerarn}&SecurityGroups.member.1={groupid}'],
  DescribeLoadBalancerAttributes: ['LoadBalancerArn={loadbalancerarn}'],
  ModifyLoadBalancerAttributes: [
    'LoadBalancerArn={loadbalancerarn}&Attributes.member.1.Key=idle_timeout.timeout_seconds&Attributes.member.1.Value=1{n}',
  ],
  CreateTargetGroup: [
    'Name=tg{n}&Protocol=HTTP&Port=80&VpcId={vpcid}',
    'Name=tcp{n}&Protocol=TCP&Port=80&VpcId={vpcid}&TargetType=ip',
  ],
  ModifyTargetGroup: ['TargetGroupArn={targetgrouparn}&HealthCheckPath=/{n}'],
  ModifyTargetGroupAttributes: [
    'TargetGroupArn={targetgrouparn}&Attributes.member.1.Key=deregistration_delay.timeout_seconds&Attributes.member.1.Value={n}',
  ],
  CreateListener: [
    'LoadBalancerArn={loadbalancerarn}&Protocol=HTTP&Port=8{n}&DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={targetgrouparn}',
    'LoadBalancerArn={loadbalancerarn}&Protocol=TCP&Port=7{n}&DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={targetgrouparn}',
  ],
  ModifyListener: [
    'ListenerArn={listenerarn}&Port=9{n}',
    'ListenerArn={listenerarn}&Protocol=HTTPS&Certificates.member.1.CertificateArn={certificatearn}',
  ],
  AddListenerCertificates: [
    'ListenerArn={listenerarn}&Certificates.member.1.CertificateArn={certificatearn}',
  ],
  RemoveListenerCertificates: [
    'ListenerArn={listenerarn}&Certificates.member.1.CertificateArn={certificatearn}',
  ],
  DescribeListenerCertificates: ['ListenerArn={listenerarn}'],
  DescribeAccountLimits: ['PageSize={n}'],
  UploadServerCertificate: [
    new URLSearchParams({
      ServerCertificateName: 'sc{n}',
      CertificateBody: LONG_LIVED.certificate,
      PrivateKey: LONG_LIVED.key,
    })
      .toString()
      .replace('%7Bn%7D', '{n}'),
  ],
  GetServerCertificate: ['ServerCertificateName={servercertificatename}'],
  ListServerCertificateTags: ['ServerCertificateName={servercertificatename}'],
  UpdateServerCertificate: ['ServerCertificateName={servercertificatename}&NewPath=/x{n}/'],
  DeleteServerCertificate: ['ServerCertificateName={servercertificatename}'],
  DescribeSSLPolicies: ['Names.member.1=ELBSecurityPolicy-2016-08'],
  DeleteListener: ['ListenerArn={listenerarn}'],
  DescribeListeners: ['LoadBalancerArn={loadbalancerarn}'],
  DescribeListenerAttributes: ['ListenerArn={listenerarn}'],
  CreateRule: [
    'ListenerArn={listenerarn}&Priority={n}&Conditions.member.1.Field=path-pattern&Conditions.member.1.Values.member.1=/{n}*&Actions.member.1.Type=forward&Actions.member.1.TargetGroupArn={targetgrouparn}',
    'ListenerArn={listenerarn}&Priority={n}&Conditions.member.1.Field=query-string&Conditions.member.1.QueryStringConfig.Values.member.1.Value=a&Actions.member.1.Type=redirect&Actions.member.1.RedirectConfig.StatusCode=HTTP_301&Actions.member.1.RedirectConfig.Host=a.b',
  ],
  ModifyRule: [
    'RuleArn={rulearn}&Actions.member.1.Type=fixed-response&Actions.member.1.FixedResponseConfig.StatusCode=404',
  ],
  SetRulePriorities: ['RulePriorities.member.1.RuleArn={rulearn}&RulePriorities.member.1.Priority={n}'],
  DeleteRule: ['RuleArn={rulearn}'],
  DescribeRules: ['ListenerArn={listenerarn}'],
  DescribeTargetHealth: ['TargetGroupArn={targetgrouparn}'],
  RegisterTargets: ['TargetGroupArn={targetgrouparn}&Targets.member.1.Id={instanceid}'],
  DeregisterTargets: ['TargetGroupArn={targetgrouparn}&Targets.member.1.Id={instanceid}'],
  AddTags: ['ResourceArns.member.1={loadbalancerarn}&Tags.member.1.Key=k{n}&Tags.member.1.Value=v'],
  RemoveTags: ['ResourceArns.member.1={loadbalancerarn}&TagKeys.member.1=k{n}'],
  DescribeTags: ['ResourceArns.member.1={loadbalancerarn}', ''],

  CreateRole: [`RoleName=r{n}&AssumeRolePolicyDocument={"Statement":[]}`],
  GetRole: ['RoleName=r{n}'],
  DeleteRole: ['RoleName=r{n}'],
  UpdateRole: ['RoleName=r{n}&Description=x'],
  UpdateRoleDescription: ['RoleName=r{n}&Description=x'],
  UpdateAssumeRolePolicy: [`RoleName=r{n}&PolicyDocument={"Statement":[]}`],
  TagRole: ['RoleName=r{n}&Tags.member.1.Key=k{n}&Tags.member.1.Value=v'],
  UntagRole: ['RoleName=r{n}&TagKeys.member.1=k{n}'],
  ListRoleTags: ['RoleName=r{n}'],
  AttachRolePolicy: ['RoleName=r{n}&PolicyArn=arn:aws:iam::aws:policy/P{n}'],
  DetachRolePolicy: ['RoleName=r{n}&PolicyArn=arn:aws:iam::aws:policy/P{n}'],
  ListAttachedRolePolicies: ['RoleName=r{n}'],
  PutRolePolicy: [`RoleName=r{n}&PolicyName=p&PolicyDocument={"Statement":[]}`],
  GetRolePolicy: ['RoleName=r{n}&PolicyName=p'],
  DeleteRolePolicy: ['RoleName=r{n}&PolicyName=p'],
  ListRolePolicies: ['RoleName=r{n}'],
  CreateInstanceProfile: ['InstanceProfileName=ip{n}'],
  DeleteInstanceProfile: ['InstanceProfileName=ip{n}'],
  AddRoleToInstanceProfile: ['InstanceProfileName=ip{n}&RoleName=r{n}'],
  RemoveRoleFromInstanceProfile: ['InstanceProfileName=ip{n}&RoleName=r{n}'],
  ListInstanceProfilesForRole: ['RoleName=r{n}'],
  CreateServiceLinkedRole: ['AWSServiceName=autoscaling.amazonaws.com&CustomSuffix=s{n}'],
}

const rrset = (action: string, name: string, type: string, content: string) =>
  `<ChangeResourceRecordSetsRequest><ChangeBatch><Changes><Change><Action>${action}</Action><ResourceRecordSet><Name>${name}</Name><Type>${type}</Type>${content}</ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`
const values = (...all: string[]) =>
  `<TTL>60</TTL><ResourceRecords>${all.map((one) => `<ResourceRecord><Value>${one}</Value></ResourceRecord>`).join('')}</ResourceRecords>`

/** Of S3 and Route 53: operation → [path and query, headers, body]. An `{id}` of Route 53 is what it answers: `/hostedzone/Z…`. */
export const restRecipes: Record<string, [path: string, headers?: Record<string, string>, body?: string][]> =
  {
    CreateBucket: [
      [
        '/bucket-{n}',
        {},
        '<CreateBucketConfiguration><LocationConstraint>us-west-2</LocationConstraint></CreateBucketConfiguration>',
      ],
    ],
    DeleteBucket: [['/bucket-{n}']],
    PutObject: [
      ['/{bucket}/o{n}', { 'content-type': 'text/plain', 'x-amz-meta-a': 'b' }, 'content {n}'],
      ['/{bucket}/o{n}', { 'x-amz-tagging': 'a=b&c={n}' }, ''],
    ],
    GetObject: [['/{bucket}/{key}'], ['/{bucket}/o{n}', { range: 'bytes=0-{n}' }]],
    HeadObject: [['/{bucket}/{key}']],
    CopyObject: [['/{bucket}/o{n}', { 'x-amz-copy-source': '{bucket}/{key}' }]],
    DeleteObject: [['/{bucket}/o{n}']],
    DeleteObjects: [['/{bucket}?delete', {}, '<Delete><Object><Key>o{n}</Key></Object></Delete>']],
    GetObjectTagging: [['/{bucket}/{key}?tagging']],
    PutObjectTagging: [
      [
        '/{bucket}/{key}?tagging',
        {},
        '<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>',
      ],
    ],
    DeleteObjectTagging: [['/{bucket}/{key}?tagging']],
    CreateMultipartUpload: [['/{bucket}/m1?uploads']],
    UploadPart: [['/{bucket}/m1?uploadId={uploadid}&partNumber={n}', {}, 'part']],
    UploadPartCopy: [
      ['/{bucket}/m1?uploadId={uploadid}&partNumber=1', { 'x-amz-copy-source': '{bucket}/{key}' }],
    ],
    ListParts: [['/{bucket}/m1?uploadId={uploadid}']],
    CompleteMultipartUpload: [
      [
        '/{bucket}/m1?uploadId={uploadid}',
        {},
        '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>',
      ],
    ],
    AbortMultipartUpload: [['/{bucket}/m1?uploadId={uploadid}']],
    ListObjects: [['/{bucket}?delimiter=/&prefix=o&max-keys={n}']],
    ListObjectsV2: [['/{bucket}?list-type=2&max-keys={n}']],
    ListMultipartUploads: [['/{bucket}?uploads&delimiter=/&max-uploads={n}']],

    CreateHostedZone: [
      [
        '/2013-04-01/hostedzone',
        {},
        '<CreateHostedZoneRequest><Name>zone{n}.example</Name><CallerReference>r{n}</CallerReference></CreateHostedZoneRequest>',
      ],
      [
        '/2013-04-01/hostedzone',
        {},
        '<CreateHostedZoneRequest><Name>zone{n}.example</Name><VPC><VPCRegion>us-west-2</VPCRegion><VPCId>{vpcid}</VPCId></VPC><CallerReference>p{n}</CallerReference></CreateHostedZoneRequest>',
      ],
    ],
    ListHostedZonesByVPC: [['/2013-04-01/hostedzonesbyvpc?vpcid={vpcid}&vpcregion=us-west-2&maxitems={n}']],
    AssociateVPCWithHostedZone: [
      [
        '/2013-04-01{id}/associatevpc',
        {},
        '<AssociateVPCWithHostedZoneRequest><VPC><VPCRegion>us-west-2</VPCRegion><VPCId>{vpcid}</VPCId></VPC></AssociateVPCWithHostedZoneRequest>',
      ],
    ],
    DisassociateVPCFromHostedZone: [
      [
        '/2013-04-01{id}/disassociatevpc',
        {},
        '<DisassociateVPCFromHostedZoneRequest><VPC><VPCRegion>us-west-2</VPCRegion><VPCId>{vpcid}</VPCId></VPC></DisassociateVPCFromHostedZoneRequest>',
      ],
    ],
    GetHostedZone: [['/2013-04-01{id}']],
    DeleteHostedZone: [['/2013-04-01{id}']],
    GetChange: [['/2013-04-01{id}']],
    UpdateHostedZoneComment: [
      [
        '/2013-04-01{id}',
        {},
        '<UpdateHostedZoneCommentRequest><Comment>c</Comment></UpdateHostedZoneCommentRequest>',
      ],
    ],
    ListHostedZones: [['/2013-04-01/hostedzone?maxitems={n}']],
    ListHostedZonesByName: [['/2013-04-01/hostedzonesbyname?dnsname=zone{n}.example&maxitems={n}']],
    ListResourceRecordSets: [['/2013-04-01{id}/rrset?name=a.example.com&type=A&maxitems={n}']],
    ChangeResourceRecordSets: [
      ['/2013-04-01{id}/rrset', {}, rrset('UPSERT', 'h{n}.example.com', 'A', values('192.0.2.{n}'))],
      [
        '/2013-04-01{id}/rrset/',
        {},
        rrset('CREATE', 'h{n}.zone{n}.example', 'TXT', values('&quot;a{n}&quot;')),
      ],
      ['/2013-04-01{id}/rrset', {}, rrset('DELETE', 'h{n}.example.com', 'A', values('192.0.2.{n}'))],
      [
        '/2013-04-01{id}/rrset',
        {},
        rrset(
          'UPSERT',
          'a{n}.example.com',
          'A',
          '<AliasTarget><HostedZoneId>Z1</HostedZoneId><DNSName>{dnsname}</DNSName><EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget>',
        ),
      ],
      [
        '/2013-04-01{id}/rrset',
        {},
        rrset(
          'UPSERT',
          'w.example.com',
          'A',
          `<SetIdentifier>s{n}</SetIdentifier><Weight>{n}</Weight>${values('192.0.2.{n}')}`,
        ),
      ],
    ],
    CreateKeySigningKey: [
      [
        '/2013-04-01/keysigningkey',
        {},
        '<CreateKeySigningKeyRequest><CallerReference>k{n}</CallerReference><HostedZoneId>{hostedzoneid}</HostedZoneId><KeyManagementServiceArn>arn:aws:kms:us-east-1:123456789012:key/k{n}</KeyManagementServiceArn><Name>first</Name><Status>ACTIVE</Status></CreateKeySigningKeyRequest>',
      ],
    ],
    ActivateKeySigningKey: [['/2013-04-01/keysigningkey/{hostedzoneid}/first/activate']],
    DeactivateKeySigningKey: [['/2013-04-01/keysigningkey/{hostedzoneid}/first/deactivate']],
    DeleteKeySigningKey: [['/2013-04-01/keysigningkey/{hostedzoneid}/first']],
    EnableHostedZoneDNSSEC: [['/2013-04-01{id}/enable-dnssec']],
    DisableHostedZoneDNSSEC: [['/2013-04-01{id}/disable-dnssec']],
    GetDNSSEC: [['/2013-04-01{id}/dnssec']],
    ChangeTagsForResource: [
      [
        '/2013-04-01/tags/hostedzone/{hostedzoneid}',
        {},
        '<ChangeTagsForResourceRequest><AddTags><Tag><Key>k{n}</Key><Value>v</Value></Tag></AddTags></ChangeTagsForResourceRequest>',
      ],
    ],
    ListTagsForResource: [['/2013-04-01/tags/hostedzone/{hostedzoneid}']],
    ListTagsForResources: [
      [
        '/2013-04-01/tags/hostedzone',
        {},
        '<ListTagsForResourcesRequest><ResourceIds><ResourceId>{hostedzoneid}</ResourceId></ResourceIds></ListTagsForResourcesRequest>',
      ],
    ],
    CreateHealthCheck: [
      [
        '/2013-04-01/healthcheck',
        {},
        '<CreateHealthCheckRequest><CallerReference>h{n}</CallerReference><HealthCheckConfig><Type>HTTP</Type><IPAddress>192.0.2.{n}</IPAddress></HealthCheckConfig></CreateHealthCheckRequest>',
      ],
    ],
    GetHealthCheck: [['/2013-04-01/healthcheck/{id}']],
    UpdateHealthCheck: [
      [
        '/2013-04-01/healthcheck/{id}',
        {},
        '<UpdateHealthCheckRequest><FailureThreshold>{n}</FailureThreshold></UpdateHealthCheckRequest>',
      ],
    ],
    DeleteHealthCheck: [['/2013-04-01/healthcheck/{id}']],
    GetHealthCheckStatus: [['/2013-04-01/healthcheck/{id}/status']],
    GetHealthCheckLastFailureReason: [['/2013-04-01/healthcheck/{id}/lastfailurereason']],
    ListHealthChecks: [['/2013-04-01/healthcheck?maxitems={n}']],
    GetHostedZoneLimit: [['/2013-04-01/hostedzonelimit/{hostedzoneid}/MAX_RRSETS_BY_ZONE']],
    GetAccountLimit: [['/2013-04-01/accountlimit/MAX_HOSTED_ZONES_BY_OWNER']],
  }
