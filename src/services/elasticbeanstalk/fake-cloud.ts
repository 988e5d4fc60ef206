// The services that Beanstalk composes, for its unit tests: just enough of them, in memory, moved by the clock alone.
import type { PutScalingPolicyType, PutScheduledUpdateGroupActionType } from '@aws-sdk/client-auto-scaling'
import type { PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch'
import type { ProtocolEnum } from '@aws-sdk/client-elastic-load-balancing-v2'
import { DeclaredError } from '../../kernel/errors.ts'
import type { Clock } from '../../kernel/clock.ts'
import { makeFakeScaling } from './fake-scaling.ts'
import type {
  Cloud,
  ElasticAddress,
  InstanceMemoryState,
  KeptLog,
  MetricPoint,
  SoftwareIntent,
  TargetTracking,
} from '../cloud.ts'

type Instance = { id: string; intent: SoftwareIntent | null; revision: number; putAt: number; type: string }
type Group = {
  name: string
  min: number
  max: number
  desired: number
  instances: Instance[]
  configuration: string
  targetGroups: string[]
  healthCheck: { type: string | undefined; graceSeconds: number | undefined }
  deletedAt: number | null
}

export type World = {
  groups: Map<string, Group>
  /** By ARN: what was put, or of target tracking what it was told. */
  policies: Map<string, PutScalingPolicyType | (TargetTracking & { AutoScalingGroupName: string })>
  /** By name. */
  alarms: Map<string, PutMetricAlarmInput>
  scheduledActions: Map<string, PutScheduledUpdateGroupActionType>
  configurations: Map<string, { type: string }>
  securityGroups: Map<string, string>
  /** By ARN. */
  targetGroups: Map<string, { Port: number | undefined; Protocol: ProtocolEnum | undefined }>
  loadBalancers: Set<string>
  listeners: Set<string>
  names: { hosts: string[]; loopbackPort: number | null }[]
  /** Elastic addresses, by allocation id. */
  addresses: Map<string, ElasticAddress>
  objects: Map<string, { id: string; bytes: number; sha256Hex: string }>
  /** Bodies of what was put. */
  written: Map<string, Buffer>
  buckets: Set<string>
  healthChecks: string[]
  /** What the start check of that software says; '' = it passes, null = it never ends. */
  starts: (intent: SoftwareIntent, instanceId: string) => string | null
  /** What the load balancer says of an instance whose software was applied; '' = healthy. */
  checks: (intent: SoftwareIntent, instanceId: string) => string
  /** Why load balancers are not reached at some port; '' = they are. */
  impairment: string
  /** Of whom the kernel ended processes. */
  starved: InstanceMemoryState[]
  /** By instance, of those that are gone. */
  keptLogs: Map<string, { log: KeptLog; text: string }>
  /** Why no instance can be launched; '' = it can. */
  launchFailure: string
  /** Points that CloudWatch was told. */
  measured: (points: MetricPoint[]) => void
  /** An instance dies; its group launches another one. */
  kill(instanceId: string): void
  instances(): Instance[]
}

export const START_MS = 2_000
const DELETION_MS = 3_000
const ELB = 'arn:aws:elasticloadbalancing:us-west-2:000000000000'

export function makeFakeCloud(clock: Clock): { cloud: Cloud; world: World } {
  let count = 0
  let interfacesGoneAt = 0
  const next = (prefix: string, digits: number) => prefix + (++count).toString(16).padStart(digits, '0')
  const world: World = {
    measured: () => undefined,
    groups: new Map(),
    policies: new Map(),
    alarms: new Map(),
    scheduledActions: new Map(),
    configurations: new Map(),
    securityGroups: new Map(),
    targetGroups: new Map(),
    loadBalancers: new Set(),
    listeners: new Set(),
    names: [],
    addresses: new Map(),
    objects: new Map(),
    written: new Map(),
    buckets: new Set(),
    healthChecks: [],
    starts: () => '',
    checks: () => '',
    impairment: '',
    starved: [],
    keptLogs: new Map(),
    launchFailure: '',
    kill: (id) => {
      for (const group of world.groups.values())
        group.instances = group.instances.filter((one) => one.id !== id)
    },
    instances: () => [...world.groups.values()].flatMap((group) => group.instances),
  }
  const instance = (id: string) => world.instances().find((one) => one.id === id)
  const softwareOf = (id: string) => {
    const one = instance(id)
    if (!one?.intent) return undefined
    const said = world.starts(one.intent, id)
    const over = said !== null && clock.now() - one.putAt >= START_MS
    const state = !over ? ('pending' as const) : said === '' ? ('applied' as const) : ('failed' as const)
    return { revision: one.revision, state, output: over ? said : '' }
  }
  const settle = (group: Group) => {
    const type = world.configurations.get(group.configuration)?.type ?? ''
    while (world.launchFailure === '' && group.deletedAt === null && group.instances.length < group.desired)
      group.instances.push({ id: next('i-', 17), intent: null, revision: 0, putAt: 0, type })
    while (group.instances.length > group.desired) group.instances.shift() // AWS: the oldest launch configuration goes first
  }
  const missing = (what: string) => new DeclaredError('NotFound', `${what} not found`)

  const ec2: Partial<Cloud['ec2']> = {
    describeVpcs: () => ({ Vpcs: [{ VpcId: 'vpc-1' }] }),
    describeSubnets: () => ({ Subnets: [{ SubnetId: 'subnet-1' }, { SubnetId: 'subnet-2' }] }),
    describeImages: () => ({ Images: [{ ImageId: 'ami-00000000000000001' }] }),
    describeInstanceTypes: () => ({
      InstanceTypes: [
        { InstanceType: 't3.micro', VCpuInfo: { DefaultVCpus: 2 } },
        { InstanceType: 't3.small', VCpuInfo: { DefaultVCpus: 2 } },
      ],
    }),
    createSecurityGroup(_context, { GroupName = '' }) {
      const id = next('sg-', 17)
      world.securityGroups.set(id, GroupName)
      return { GroupId: id }
    },
    authorizeSecurityGroupIngress: () => ({
      SecurityGroupRules: [{ SecurityGroupRuleId: 'sgr-1' }],
    }),
    revokeSecurityGroupIngress: () => ({}),
    describeSecurityGroupRules: () => ({}),
    // No rule of a group that nobody made is about another one.
    describeSecurityGroups: () => ({}),
    describeKeyPairs: () => ({}),
    allocateAddress() {
      const id = next('eipalloc-', 17)
      const publicIp = `127.9.0.${world.addresses.size + 1}`
      world.addresses.set(id, {
        ...{
          id,
          publicIp,
          networkInterfaceId: null,
          associatedWith: null,
          instance: null,
        },
        ...{ hosts: [], loopbackPort: null, edge: '10.9.0.3', leadsTo: null, inFlight: 0, impairment: '' },
      })
      return { AllocationId: id, PublicIp: publicIp }
    },
    associateAddress(_context, { AllocationId = '', InstanceId = '' }) {
      const address = world.addresses.get(AllocationId)!
      Object.assign(address, {
        ...{ associatedWith: InstanceId, networkInterfaceId: `eni-${InstanceId}`, leadsTo: InstanceId },
        instance: { id: InstanceId, address: '10.9.1.1' },
      })
      return { AssociationId: `eipassoc-${AllocationId}` }
    },
    disassociateAddress(_context, { AssociationId = '' }) {
      const address = world.addresses.get(AssociationId.replace('eipassoc-', ''))!
      Object.assign(address, {
        associatedWith: null,
        networkInterfaceId: null,
        leadsTo: null,
        instance: null,
      })
      return {}
    },
    releaseAddress(_context, { AllocationId = '' }) {
      if (world.addresses.get(AllocationId)?.associatedWith)
        throw new DeclaredError('InvalidIPAddress.InUse', '')
      if (!world.addresses.delete(AllocationId)) throw missing(AllocationId)
      return {}
    },
    describeAddresses(_context, { AllocationIds: [id = ''] = [] }) {
      const address = world.addresses.get(id)
      if (!address) throw missing(id)
      return { Addresses: [address.associatedWith ? { AssociationId: `eipassoc-${id}` } : {}] }
    },
    elasticAddress: (id) => world.addresses.get(id),
    putAddressNames: (_context, id, names) => void Object.assign(world.addresses.get(id)!, names),
    createTags: () => ({}),
    deleteTags: () => ({}),
    deleteSecurityGroup(_context, { GroupId = '' }) {
      const isUsed = world.securityGroups.get(GroupId)?.includes('LoadBalancer')
        ? world.loadBalancers.size > 0 || clock.now() < interfacesGoneAt
        : world.groups.size > 0
      if (isUsed) throw new DeclaredError('DependencyViolation', 'has a dependent object')
      if (!world.securityGroups.delete(GroupId)) throw missing(GroupId)
      return {}
    },
    describeInstances: () => ({
      Reservations: [
        {
          Instances: world.instances().map((one) => ({
            InstanceId: one.id,
            InstanceType: 't3.micro' as const,
            LaunchTime: new Date(clock.now()),
            Placement: { AvailabilityZone: 'us-west-2a' },
          })),
        },
      ],
    }),
    putInstanceSoftware(_context, id, intent) {
      const one = instance(id)
      if (!one) throw missing(id)
      Object.assign(one, { intent, revision: one.revision + 1, putAt: clock.now() })
    },
    instanceSoftware: (_context, id) => softwareOf(id),
    instancesShortOfMemory: () => world.starved,
    keptLogs: () => [...world.keptLogs.values()].map(({ log }) => log),
    keptLogText: (id) => world.keptLogs.get(id)?.text,
    removeKeptLogs: (bytesMax) => {
      if (bytesMax === 0) world.keptLogs.clear()
      return 0
    },
    layersInUse: () =>
      world.instances().flatMap(({ intent }) => intent?.layers.map(({ digest }) => digest) ?? []),
  }
  const autoscaling: Partial<Cloud['autoscaling']> = {
    createOrUpdateTags: () => ({}),
    deleteTags: () => ({}),
    createLaunchConfiguration(_context, { LaunchConfigurationName = '', InstanceType = '' }) {
      world.configurations.set(LaunchConfigurationName, { type: InstanceType })
      return {}
    },
    deleteLaunchConfiguration(_context, { LaunchConfigurationName = '' }) {
      if ([...world.groups.values()].some((group) => group.configuration === LaunchConfigurationName))
        throw new DeclaredError('ResourceInUse', 'in use')
      if (!world.configurations.delete(LaunchConfigurationName)) throw missing(LaunchConfigurationName)
      return {}
    },
    attachLoadBalancerTargetGroups: (_context, { AutoScalingGroupName = '', TargetGroupARNs = [] }) => {
      world.groups.get(AutoScalingGroupName)!.targetGroups.push(...TargetGroupARNs)
      return {}
    },
    detachLoadBalancerTargetGroups: (_context, { AutoScalingGroupName = '', TargetGroupARNs = [] }) => {
      const group = world.groups.get(AutoScalingGroupName)!
      group.targetGroups = group.targetGroups.filter((arn) => !TargetGroupARNs.includes(arn))
      return {}
    },
    createAutoScalingGroup(_context, input) {
      const name = input.AutoScalingGroupName ?? ''
      const { MinSize: min = 0, MaxSize: max = 0, LaunchConfigurationName: configuration = '' } = input
      const targetGroups = input.TargetGroupARNs ?? []
      const sizes = { min, max, desired: min }
      const healthCheck = { type: input.HealthCheckType, graceSeconds: input.HealthCheckGracePeriod }
      world.groups.set(name, {
        ...{ name, ...sizes, instances: [], configuration, targetGroups, healthCheck, deletedAt: null },
      })
      return {}
    },
    updateAutoScalingGroup(_context, { AutoScalingGroupName = '', ...input }) {
      const { MinSize, MaxSize, DesiredCapacity, LaunchConfigurationName } = input
      const group = world.groups.get(AutoScalingGroupName)
      if (!group) throw missing(AutoScalingGroupName)
      group.min = MinSize ?? group.min
      group.max = MaxSize ?? group.max
      group.desired = DesiredCapacity ?? Math.min(Math.max(group.desired, group.min), group.max)
      group.configuration = LaunchConfigurationName ?? group.configuration
      group.healthCheck.type = input.HealthCheckType ?? group.healthCheck.type
      group.healthCheck.graceSeconds = input.HealthCheckGracePeriod ?? group.healthCheck.graceSeconds
      return {}
    },
    deleteAutoScalingGroup(_context, { AutoScalingGroupName = '' }) {
      const group = world.groups.get(AutoScalingGroupName)
      if (!group) throw missing(AutoScalingGroupName)
      group.deletedAt = clock.now()
      return {}
    },
    describeAutoScalingGroups(_context, { AutoScalingGroupNames = [] }) {
      for (const group of world.groups.values())
        if (group.deletedAt !== null && clock.now() - group.deletedAt >= DELETION_MS) {
          world.groups.delete(group.name)
          for (const [arn, { AutoScalingGroupName: of }] of world.policies)
            if (of === group.name) world.policies.delete(arn)
        }
      const groups = [...world.groups.values()].filter(({ name }) => AutoScalingGroupNames.includes(name))
      for (const group of groups) settle(group)
      return {
        AutoScalingGroups: groups.map((group) => ({
          AutoScalingGroupName: group.name,
          TargetGroupARNs: group.targetGroups,
          MinSize: group.min,
          MaxSize: group.max,
          DesiredCapacity: group.desired,
          DefaultCooldown: 360,
          AvailabilityZones: [],
          HealthCheckType: 'EC2',
          CreatedTime: new Date(0),
          Instances: group.instances.map(({ id }) => ({
            InstanceId: id,
            AvailabilityZone: 'us-west-2a',
            LifecycleState: softwareOf(id) ? ('InService' as const) : ('Pending' as const),
            HealthStatus: 'Healthy',
            ProtectedFromScaleIn: false,
          })),
        })),
      }
    },
    describeScalingActivities: (_context, { AutoScalingGroupName }) => ({
      Activities: world.launchFailure
        ? [
            {
              ActivityId: '1',
              AutoScalingGroupName,
              Cause: '',
              StartTime: new Date(0),
              StatusCode: 'Failed',
              StatusMessage: world.launchFailure,
            },
          ]
        : [],
    }),
    terminateInstanceInAutoScalingGroup(_context, { InstanceId = '', ShouldDecrementDesiredCapacity }) {
      const group = [...world.groups.values()].find((one) => one.instances.includes(instance(InstanceId)!))
      if (group && ShouldDecrementDesiredCapacity) group.desired--
      world.kill(InstanceId)
      return {}
    },
  }
  const scaling = makeFakeScaling(world)
  const elasticloadbalancingv2: Partial<Cloud['elasticloadbalancingv2']> = {
    isApplied: () => true,
    servesHttp: () => true,
    createTargetGroup(_context, { Name, HealthCheckPath = '', Port, Protocol }) {
      const arn = `${ELB}:targetgroup/${Name}/1`
      world.targetGroups.set(arn, { Port, Protocol })
      world.healthChecks.push(HealthCheckPath)
      return { TargetGroups: [{ TargetGroupArn: arn }] }
    },
    describeTargetGroups(_context, { TargetGroupArns: [arn = ''] = [] }) {
      const found = world.targetGroups.get(arn)
      if (!found) throw new DeclaredError('TargetGroupNotFound', arn)
      return { TargetGroups: [{ TargetGroupArn: arn, ...found }] }
    },
    modifyTargetGroup(_context, { HealthCheckPath = '' }) {
      world.healthChecks.push(HealthCheckPath)
      return {}
    },
    modifyTargetGroupAttributes: () => ({}),
    modifyLoadBalancerAttributes: () => ({}),
    setSecurityGroups: () => ({}),
    deleteTargetGroup(_context, { TargetGroupArn = '' }) {
      if (!world.targetGroups.delete(TargetGroupArn)) throw missing(TargetGroupArn)
      return {}
    },
    describeLoadBalancers(_context, { LoadBalancerArns: [arn = ''] = [] }) {
      if (!world.loadBalancers.has(arn)) throw new DeclaredError('LoadBalancerNotFound', arn)
      const State = world.impairment
        ? { Code: 'active_impaired' as const, Reason: world.impairment }
        : { Code: 'active' as const }
      return { LoadBalancers: [{ LoadBalancerArn: arn, State }] }
    },
    createLoadBalancer(_context, { Name }) {
      const arn = `${ELB}:loadbalancer/app/${Name}/1`
      world.loadBalancers.add(arn)
      return { LoadBalancers: [{ LoadBalancerArn: arn, DNSName: `${Name}-1.us-west-2.elb.localhost` }] }
    },
    deleteLoadBalancer(_context, { LoadBalancerArn = '' }) {
      world.loadBalancers.delete(LoadBalancerArn)
      interfacesGoneAt = clock.now() + DELETION_MS // its network interfaces go a little later
      return {}
    },
    describeListeners(_context, { ListenerArns: [arn = ''] = [] }) {
      if (!world.listeners.has(arn)) throw new DeclaredError('ListenerNotFound', arn)
      return { Listeners: [{ ListenerArn: arn }] }
    },
    createListener(_context, { LoadBalancerArn }) {
      const arn = `${LoadBalancerArn}/listener`
      world.listeners.add(arn)
      return { Listeners: [{ ListenerArn: arn }] }
    },
    modifyListener: () => ({}),
    deleteListener(_context, { ListenerArn = '' }) {
      if (!world.listeners.delete(ListenerArn)) throw missing(ListenerArn)
      return {}
    },
    describeTargetHealth: () => ({
      TargetHealthDescriptions: world.instances().map((one) => {
        const applied = one.intent && softwareOf(one.id)?.state === 'applied'
        const reason = applied && one.intent ? world.checks(one.intent, one.id) : 'Elb.InitialHealthChecking'
        const State =
          world.listeners.size === 0
            ? ('unused' as const)
            : !applied
              ? ('initial' as const)
              : reason === ''
                ? ('healthy' as const)
                : ('unhealthy' as const)
        return { Target: { Id: one.id, Port: 80 }, TargetHealth: { State, Description: reason } }
      }),
    }),
    putClassicLoadBalancer: () => {},
    putClassicTargetGroup: () => {},
    classicNamesOf: () => [],
    putSharer: () => {},
    sharers: () => [],
    putLoadBalancerNames: (_context, _arn, names) => void world.names.push(names),
    putReason: () => undefined,
    addressCounters: () => undefined,
    loadBalancerCounters: () => undefined,
    targetCounters: () => undefined,
    targetGroupCounters: () => undefined,
  }
  const s3: Partial<Cloud['s3']> = {
    hasBucket: () => true,
    ensureBucket: (_context, bucket) => void world.buckets.add(bucket),
    bytesUsed: () => [...world.objects.values()].reduce((sum, { bytes }) => sum + bytes, 0),
    objectBody: (_context, bucket, key) => world.objects.get(`${bucket}/${key}`),
    async putObject(_context, { Bucket, Key, Body }) {
      const chunks: Uint8Array[] = []
      for await (const chunk of Body) chunks.push(chunk)
      world.written.set(`${Bucket}/${Key}`, Buffer.concat(chunks))
      return {}
    },
    deleteObject: (_context, { Bucket, Key }) => {
      world.written.delete(`${Bucket}/${Key}`)
      world.objects.delete(`${Bucket}/${Key}`)
      return {}
    },
  }
  const route53: Partial<Cloud['route53']> = {
    isServed: () => true,
    nameProblem: () => '',
    hostProblem: () => '',
  }
  const logs: Partial<Cloud['logs']> = {
    groupsBelow: () => [],
    removeGroup: () => undefined,
    bytesUsed: () => 0,
  }
  const cloud = {
    ...{ ec2, elasticloadbalancingv2, route53, s3, logs, cloudwatch: scaling.cloudwatch },
    autoscaling: { ...autoscaling, ...scaling.autoscaling },
  } as Cloud
  return { cloud, world }
}
