// How services reach each other: `cloud.<service>.<operation>(context, input)`, in process, typed from the AWS model and
// handed in by main.ts (no imports between services, so no cycles). Only what somebody calls is listed here.
import type { CloudwatchOperations } from './generated/cloudwatch.ts'
import type { AutoscalingOperations } from './generated/autoscaling.ts'
import type { Ec2Operations } from './generated/ec2.ts'
import type { Elasticloadbalancingv2Operations } from './generated/elasticloadbalancingv2.ts'
import type { S3Operations } from './generated/s3.ts'
import type { AutoscalingInternal, CloudwatchInternal } from './cloud-scaling.ts'
import type { AsyncOperation, Context } from './context.ts'
import type { MetadataAnswer, MetadataRequest } from '../engines/metadata/engine.ts'
import type { Software, LayerMount } from '../engines/compute/engine.ts'

export type { Context } from './context.ts'
export type * from './cloud-scaling.ts'

/** Operations that AWS keeps inside itself: Beanstalk's agent on the instance, the bodies behind S3's keys. */
export type Ec2Internal = {
  /** What EB's agent on the instance would install. Writes intent; `instanceSoftware` tells how far it got.
   *  Software for an instance that was launched with `polebean:awaits-software` = `true` in its tags lets it start. */
  putInstanceSoftware(context: Context, instanceId: string, software: SoftwareIntent): void
  instanceSoftware(context: Context, instanceId: string): SoftwareState | undefined
  /** Digests of the layers that the software of any instance names, terminated ones aside. */
  layersInUse(): string[]
  /** Those of whom the kernel ended processes. */
  instancesShortOfMemory(): InstanceMemoryState[]
  /** Of instances that are gone, newest first. */
  keptLogs(): KeptLog[]
  keptLogText(instanceId: string): string | undefined
  /** Removes what is older than a week, and the oldest above `bytesMax`; answers how many bytes. */
  removeKeptLogs(bytesMax: number): number
  /** What an instance that asks for its metadata is told. */
  metadata(request: MetadataRequest): MetadataAnswer
  /** Names by which the public listeners know an elastic address, and its loopback port. Beanstalk's CNAME is one of them. */
  putAddressNames(
    context: Context,
    allocationId: string,
    names: { hosts: string[]; loopbackPort: number | null },
  ): void
  /** Undefined once it is released. */
  elasticAddress(allocationId: string): ElasticAddress | undefined
  /** All of the home, with what they lead to. */
  elasticAddresses(): ElasticAddress[]
  /** What the engine that carries them was seen to do. */
  noteElasticAddresses(seen: Pick<ElasticAddress, 'id' | 'leadsTo' | 'inFlight' | 'impairment'>[]): void
  /** What security groups mean to clients outside of the VPC, as they are now. */
  clientRules(): ClientRules
}

export type ElasticAddress = {
  /** Of the allocation: `eipalloc-…`. */
  id: string
  publicIp: string
  /** Null while it is not associated. */
  networkInterfaceId: string | null
  /** Id of the instance whose interface that is, whatever its state. */
  associatedWith: string | null
  /** The same with its address in the VPC; null while it does not run. */
  instance: { id: string; address: string } | null
  hosts: string[]
  loopbackPort: number | null
  /** The address of the VPC from which the instance is dialled. */
  edge: string
  /** Id of the instance that the engine leads to; null = to none, or nobody knows. */
  leadsTo: string | null
  /** Requests that it was seen to answer just then. */
  inFlight: number
  /** Where it is not reached, and why; '' = nowhere. */
  impairment: string
}

export type ClientRules = {
  /** From where `port` (TCP) of an interface may be opened: ranges of IPv4 and IPv6, each once. */
  ranges(networkInterfaceId: string, port: number): string[]
  /** Whether connections end with the rule that let them in. */
  cutsOnRevoke(networkInterfaceId: string): boolean
}

export type InstanceMemoryState = {
  instanceId: string
  instanceType: string
  limitMiB: number
  /** Of the same family, with more memory. */
  nextType: { name: string; memoryMiB: number } | null
  /** Processes that the kernel ended for want of memory since the launch. */
  oomKills: number
  /** The last of them; '' = not known. */
  oomProcess: string
  oomOfMachine: boolean
  /** When the last was seen. */
  oomAt: number | null
}

export type KeptLog = {
  instanceId: string
  /** Its environment's name, if it had one. */
  environment: string
  endedAt: number
  /** Why it ended, as DescribeInstances says it; '' when nothing was wrong. */
  reason: string
  /** As it is kept, compressed. */
  bytes: number
}

export type SoftwareIntent = {
  platform: { name: string; version: string }
  layers: LayerMount[]
  env: Record<string, string>
  files: Software['files']
  /** Run inside as root after each (re)start; exit 0 means that the application has started. Its output is kept. */
  startCheck: { argv: string[]; timeoutMs: number }
}

export type SoftwareState = {
  /** Counts up from 1 with each put. */
  revision: number
  /** `pending` until the start check of this revision ended. */
  state: 'pending' | 'applied' | 'failed'
  /** Output of the start check (its last 8 KiB), or the engine's reason. */
  output: string
}

export type S3Internal = {
  /** Where the body of an object lies, for the build sandbox; undefined when there is no such object. */
  objectBody(
    context: Context,
    bucket: string,
    key: string,
  ): { id: string; bytes: number; sha256Hex: string } | undefined
  /** All bodies of the home together. */
  bytesUsed(): number
  hasBucket(context: Context, bucket: string): boolean
  /** Creates the bucket if it is not there. */
  ensureBucket(context: Context, bucket: string): void
}

export type Cloud = {
  ec2: Pick<
    Ec2Operations,
    | 'runInstances'
    | 'describeInstances'
    | 'terminateInstances'
    | 'createSecurityGroup'
    | 'describeSecurityGroups'
    | 'describeSecurityGroupRules'
    | 'authorizeSecurityGroupIngress'
    | 'revokeSecurityGroupIngress'
    | 'deleteSecurityGroup'
    | 'createNetworkInterface'
    | 'describeNetworkInterfaces'
    | 'modifyNetworkInterfaceAttribute'
    | 'deleteNetworkInterface'
    | 'describeImages'
    | 'describeVpcs'
    | 'describeSubnets'
    | 'createTags'
    | 'deleteTags'
    | 'describeInstanceTypes'
    | 'describeKeyPairs'
    | 'describeLaunchTemplateVersions'
    | 'allocateAddress'
    | 'associateAddress'
    | 'disassociateAddress'
    | 'releaseAddress'
    | 'describeAddresses'
  > &
    Ec2Internal
  autoscaling: Pick<
    AutoscalingOperations,
    | 'createLaunchConfiguration'
    | 'deleteLaunchConfiguration'
    | 'createAutoScalingGroup'
    | 'updateAutoScalingGroup'
    | 'deleteAutoScalingGroup'
    | 'describeAutoScalingGroups'
    | 'describeScalingActivities'
    | 'createOrUpdateTags'
    | 'deleteTags'
    | 'setDesiredCapacity'
    | 'attachLoadBalancerTargetGroups'
    | 'detachLoadBalancerTargetGroups'
    | 'terminateInstanceInAutoScalingGroup'
    | 'putScalingPolicy'
    | 'deletePolicy'
    | 'describePolicies'
    | 'putScheduledUpdateGroupAction'
    | 'deleteScheduledAction'
    | 'describeScheduledActions'
  > &
    AutoscalingInternal
  elasticloadbalancingv2: Pick<
    Elasticloadbalancingv2Operations,
    | 'createTargetGroup'
    | 'modifyTargetGroup'
    | 'modifyTargetGroupAttributes'
    | 'deleteTargetGroup'
    | 'describeTargetGroups'
    | 'createLoadBalancer'
    | 'deleteLoadBalancer'
    | 'describeLoadBalancers'
    | 'createListener'
    | 'modifyListener'
    | 'describeListenerCertificates'
    | 'addListenerCertificates'
    | 'removeListenerCertificates'
    | 'describeSSLPolicies'
    | 'deleteListener'
    | 'describeListeners'
    | 'registerTargets'
    | 'deregisterTargets'
    | 'describeTargetHealth'
    | 'modifyLoadBalancerAttributes'
    | 'setSecurityGroups'
    | 'describeLoadBalancerAttributes'
    | 'describeTargetGroupAttributes'
    | 'describeTags'
    | 'removeTags'
    | 'addTags'
    | 'createRule'
    | 'modifyRule'
    | 'deleteRule'
    | 'describeRules'
    | 'setRulePriorities'
  > &
    Elbv2Internal
  cloudwatch: Pick<
    CloudwatchOperations,
    'putMetricAlarm' | 'deleteAlarms' | 'describeAlarms' | 'setAlarmState' | 'putMetricData'
  > &
    CloudwatchInternal
  logs: LogsInternal
  acm: AcmInternal
  route53: Route53Internal
  iam: IamInternal
  s3: Pick<S3Operations, 'deleteObject'> & S3Internal & { putObject: AsyncOperation<ObjectToPut, object> }
}

/** S3's PutObject with the body as the service takes it; it streams, so only reconcilers call it. */
type ObjectToPut = { Bucket: string; Key: string; Body: AsyncIterable<Uint8Array>; ContentType?: string }

export type LogsInternal = {
  /** Takes in lines; the group and the stream are made if they are not there. `retentionDays` is set on the group when it is
   *  another one than the last that was asked for here. `position`: how far the lines' source was read, kept with them in one
   *  write, so that what is read again after a crash is not written again. Joins a transaction; what is written stays when that
   *  is undone later. */
  ingest(
    context: Context,
    to: { group: string; stream: string; retentionDays: number | null },
    events: { timestamp: number; message: string }[],
    position?: string,
  ): void
  /** What was given last; null = nothing, or the stream is not there any more. */
  position(context: Context, of: { group: string; stream: string }): string | null
  /** The same of the group alone. Joins a transaction. */
  ensureGroup(context: Context, group: string, retentionDays: number | null): void
  /** Names of groups that begin so. */
  groupsBelow(context: Context, prefix: string): string[]
  /** Removes a group with all of its streams; one that is not there is none. Joins a transaction. */
  removeGroup(context: Context, group: string): void
  /** Of the file of events. */
  bytesUsed(): number
}

export type Route53Internal = {
  /** Names of hosted zones that lead to one of these names, with that name. */
  customNames(hosts: ReadonlyMap<string, Pick<HostName, 'isHealthy'>>): ReadonlyMap<string, string>
  /** Whether the name server answers for environments and load balancers as the rows say. */
  isServed(): boolean
  /** Whether these names are answered as the rows say. */
  areServed(names: string[]): boolean
  /** Why names of new environments, and a name, would not lead to this machine; '' = they do. */
  nameProblem(): string
  hostProblem(name: string): string
  /** Whether a public hosted zone here has the name. */
  hasZoneOf(name: string): boolean
  /** What the name server says of all names that lead somewhere here; not for use in a transaction. */
  report(): Promise<NamesReport>
}

export type NamesReport = {
  zones: { name: string; isPrivate: boolean; recordSets: number | null; inSync: boolean }[]
  names: {
    name: string
    /** Told to instances alone. */
    isPrivate: boolean
    /** As the server answers them: `name type value`. */
    answers: string[]
    leadsTo: string
    why: string
    /** What is wrong with it; '' = nothing. */
    problem: string
  }[]
}

export type IamInternal = Pick<AcmInternal, 'certificatePem'>

/** What others are told of a name, and what they should be. */
export type DomainReport = {
  name: string
  /** Below .localhost: of this machine alone. */
  isLocal: boolean
  /** A hosted zone here has it. */
  isOurs: boolean
  wanted: { A: string[]; AAAA: string[] }
  /** Null = nobody could be asked. */
  found: { A: string[]; AAAA: string[] } | null
  /** Where this machine serves listeners of these ports. */
  ports: { http: number; https: number }
  /** What keeps an authority from issuing. */
  problems: string[]
}

/** How far a certificate that was asked for is. */
export type RequestedCertificate = {
  arn: string
  names: string[]
  method: 'DNS' | 'HTTP'
  stage: 'rehearsal' | 'production' | 'issued' | 'timed out'
  /** Why it is not issued, or not renewed; '' = all is well. */
  reason: string
  /** Milliseconds since 1970; null = it is not issued. */
  until: number | null
  /** When it is looked at again, in milliseconds since 1970. */
  nextAt: number
}

/** What shows authorities of certificates that names are ours. */
export type Challenges = {
  http: { path: string; body: string }[]
  /** Texts by the name at which they are asked for. */
  dns: ReadonlyMap<string, string[]>
}

export type AcmInternal = {
  /** Of orders that are under way. */
  challenges(): Challenges
  /** Private key, certificate and chain; undefined for one that is not there. */
  certificatePem(context: Context, arn: string): string | undefined
}

/** What makes a load balancer a classic one (the service elasticloadbalancing): it is answered to nobody who has not its ARN. */
export type ClassicInternal = {
  putClassicLoadBalancer(context: Context, arn: string): void
  /** `check`: a load balancer asks all of its targets the same, at this port. TCP: it is enough that somebody takes the connection. */
  putClassicTargetGroup(
    context: Context,
    arn: string,
    check: { protocol: 'HTTP' | 'HTTPS' | 'TCP'; port: number },
  ): void
  classicLoadBalancers(context: Context): { name: string; arn: string }[]
  /** Names of those whose listeners lead to one of these target groups. */
  classicNamesOf(context: Context, targetGroupArns: string[]): string[]
}

export type Elbv2Internal = ClassicInternal & {
  /** ARNs of the load balancers whose listeners show a certificate. */
  certificateUses(context: Context, certificateArn: string): string[]
  /** ARNs of all certificates that listeners show. */
  certificatesInUse(context: Context): Set<string>
  /** Names by which the public listeners know a load balancer, and its loopback port. Beanstalk's CNAME is one of them. */
  putLoadBalancerNames(
    context: Context,
    loadBalancerArn: string,
    names: { hosts: string[]; loopbackPort: number | null },
  ): void
  /** The name, and loopback port, by which one of several who share a load balancer is known; null = it does not any more. */
  putSharer(
    context: Context,
    loadBalancerArn: string,
    sharer: string,
    name: { host: string; loopbackPort: number | null } | null,
  ): void
  /** Whether the engine was told what the rows say now. */
  isApplied(): boolean
  /** Whether a load balancer here is to be reached by HTTP at port 80 from elsewhere. */
  servesHttp(): boolean
  /** Every name that leads to a load balancer or elastic address, in lower case. */
  hostNames(): ReadonlyMap<string, HostName>
  /** Who shares a load balancer. */
  sharers(context: Context, loadBalancerArn: string): string[]
  /** A sentence for visitors on this machine who get no answer of a target; '' = none. By the ARN of a load balancer or target
   *  group, or the id of an elastic address's allocation. */
  putReason(context: Context, of: string, reason: string): void
  /** The last counters that were seen, and those before, for rates; undefined until seen. */
  loadBalancerCounters(context: Context, loadBalancerArn: string): RequestCounters | undefined
  /** Of one target in those target groups. */
  targetCounters(context: Context, targetGroupArns: string[], targetId: string): RequestCounters | undefined
  /** Of all targets of those target groups. */
  targetGroupCounters(context: Context, targetGroupArns: string[]): RequestCounters | undefined
  /** Of what comes through an elastic address. */
  addressCounters(context: Context, allocationId: string): RequestCounters | undefined
  /** Who is let in at the public sockets, asked of the engine; not for use in a transaction. */
  publicListeners(): Promise<PublicListener[]>
}

export type HostName = {
  /** Of the load balancer; of an elastic address, itself. */
  name: string
  /** Its environment's, if it has one of its own. */
  environment: string | null
  /** Of the load balancer, or of the elastic address's allocation. */
  id: string
  /** Addresses at which it is reached from inside of the VPC. */
  inside: string[]
  /** Whether somebody is there who answers. */
  isHealthy: boolean
}

export type PublicListener = {
  /** Of the load balancer; of an elastic address, itself. */
  name: string
  kind: 'load balancer' | 'elastic address'
  networkInterfaceId: string
  /** Its environment's name, if it has one. */
  environment: string | null
  internetFacing: boolean
  port: number
  /** Of this machine's loopback, where it is served too. */
  loopbackPort: number | null
  /** Ranges in force, and those that the rows say. */
  clients: string[]
  wanted: string[]
}

/** How many requests ended in `seconds`, and how: what clients were told. */
export type RequestCounts = {
  seconds: number
  requests: number
  status2xx: number
  status3xx: number
  status4xx: number
  status5xx: number
  /** Of those, what the load balancer itself answered. */
  balancer4xx: number
  balancer5xx: number
}

/** Requests over the last `seconds` (about 10), not since the start. */
export type RequestCounters = RequestCounts & {
  /** When they were last seen, in milliseconds since 1970. */
  at: number
  responseTimeAverageMs: number
  /** Milliseconds that so many percent of the answers did not take longer than; undefined when there were none. */
  responseTimeMs(percent: number): number | undefined
  /** The same since a moment (milliseconds since 1970), of the last minute at most; undefined while nothing was seen since. */
  since(at: number): RequestCounts | undefined
}
