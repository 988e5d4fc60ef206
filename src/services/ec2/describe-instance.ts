// Rows of instances as EC2 shows them.
import type { Instance, InstanceState, Reservation } from '@aws-sdk/client-ec2'
import { hardwareAddressOf } from '../../kernel/hardware-address.ts'
import type { Store } from '../../store/store.ts'
import type { Context } from '../context.ts'
import { instanceTypes } from './catalogue.ts'
import type { Ec2Deps } from './deps.ts'
import { elasticAddressOf } from './elastic-addresses.ts'
import { ROOT_DEVICE } from './image.ts'
import { describeOptions } from './metadata/options.ts'
import { describeTagsOf } from './operations/tags.ts'
import { networkInterfaceOf, securityGroupOf, type InstanceRow } from './store.ts'

const CODES: Record<InstanceRow['state'], number> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
}

export const describeState = (state: InstanceRow['state']): InstanceState => ({
  Code: CODES[state],
  Name: state,
})

/** Rows as reservations, in the order of the rows. */
export function describeReservations(deps: Ec2Deps, context: Context, rows: InstanceRow[]): Reservation[] {
  const reservations = new Map<string, Reservation>()
  for (const row of rows) {
    const reservation: Reservation = reservations.get(row.reservationId) ?? {
      ReservationId: row.reservationId,
      OwnerId: row.account,
      Groups: [],
      Instances: [],
    }
    reservations.set(row.reservationId, reservation)
    const networkInterface = networkInterfaceOf(deps.store, context, row.networkInterfaceId)
    const groups = (JSON.parse(networkInterface?.groups ?? '[]') as string[]).map((GroupId) => ({
      GroupId,
      GroupName: securityGroupOf(deps.store, context, GroupId)?.name,
    }))
    reservation.Instances!.push(describeInstance(deps, row, groups))
  }
  return [...reservations.values()]
}

function describeInstance(
  deps: Ec2Deps,
  row: InstanceRow,
  groups: { GroupId: string; GroupName: string | undefined }[],
): Instance {
  const type = instanceTypes.get(row.instanceType)
  const gone = row.state === 'terminated'
  // Null until the engine reports it (design §10); a terminated instance has none any more.
  const association = gone ? undefined : associationOf(deps.store, row.networkInterfaceId)
  const address = gone ? undefined : (row.address ?? undefined)
  return {
    InstanceId: row.id,
    ImageId: row.imageId,
    InstanceType: row.instanceType as never,
    State: describeState(row.state),
    StateTransitionReason: row.stateTransitionReason,
    ...(row.stateReasonCode && {
      StateReason: { Code: row.stateReasonCode, Message: row.stateReasonMessage ?? row.stateReasonCode },
    }),
    LaunchTime: new Date(row.launchedAt),
    AmiLaunchIndex: row.launchIndex,
    Placement: { AvailabilityZone: row.zone, GroupName: '', Tenancy: 'default' },
    Monitoring: { State: row.monitoring ? 'enabled' : 'disabled' },
    Architecture: type?.architecture ?? 'x86_64',
    Hypervisor: 'xen',
    VirtualizationType: 'hvm',
    RootDeviceType: 'ebs',
    RootDeviceName: ROOT_DEVICE,
    EbsOptimized: false,
    EnaSupport: true,
    SourceDestCheck: true,
    CpuOptions: {
      CoreCount: Math.max(1, (type?.vcpus ?? 1) / 2),
      ThreadsPerCore: (type?.vcpus ?? 1) > 1 ? 2 : 1,
    },
    BlockDeviceMappings: [],
    ProductCodes: [],
    ...(row.clientToken && { ClientToken: row.clientToken }),
    PublicDnsName: '',
    PrivateDnsName: address ? privateDnsName(row.region, address) : '',
    ...(address && { PrivateIpAddress: address }),
    ...(row.iamInstanceProfile && { IamInstanceProfile: { Arn: profileArn(row) } }),
    ...(!gone && { SubnetId: row.subnetId, VpcId: row.vpcId }),
    ...(row.keyName && { KeyName: row.keyName }),
    ...(association && { PublicIpAddress: association.PublicIp }),
    SecurityGroups: gone ? [] : groups,
    NetworkInterfaces: gone ? [] : [describeAttached(row, groups, address, association)],
    MetadataOptions: describeOptions(row),
    Tags: describeTagsOf(deps, row.id),
  }
}

const describeAttached = (
  row: InstanceRow,
  groups: { GroupId: string; GroupName: string | undefined }[],
  address: string | undefined,
  association: ReturnType<typeof associationOf>,
) => ({
  NetworkInterfaceId: row.networkInterfaceId,
  SubnetId: row.subnetId,
  VpcId: row.vpcId,
  OwnerId: row.account,
  Status: 'in-use' as const,
  SourceDestCheck: true,
  Groups: groups,
  ...(address && {
    MacAddress: hardwareAddressOf(address),
    PrivateIpAddress: address,
    PrivateIpAddresses: [
      { Primary: true, PrivateIpAddress: address, ...(association && { Association: association }) },
    ],
  }),
  ...(association && { Association: association }),
  Attachment: {
    AttachmentId: row.networkInterfaceId.replace('eni-', 'eni-attach-'),
    DeviceIndex: 0,
    DeleteOnTermination: true,
    Status: 'attached' as const,
    AttachTime: new Date(row.launchedAt),
  },
})

export const privateDnsName = (region: string, address: string) =>
  `ip-${address.replaceAll('.', '-')}.${region}.compute.internal`

/** The elastic address of an interface, if it has one. */
export function associationOf(store: Store, networkInterfaceId: string) {
  const address = elasticAddressOf(store, networkInterfaceId)
  return address && { PublicIp: address.publicIp, PublicDnsName: '', IpOwnerId: address.account }
}

export const profileArn = ({ iamInstanceProfile: given, account }: InstanceRow) =>
  given?.startsWith('arn:') ? given : `arn:aws:iam::${account}:instance-profile/${given}`

/** `impaired` while the engine cannot see it run although it should. */
export function statusOf(row: InstanceRow) {
  if (row.state === 'pending') return { Status: 'initializing' as const, Details: [] }
  if (row.state !== 'running') return { Status: 'not-applicable' as const, Details: [] }
  const passed = row.engineState === 'running'
  return {
    Status: passed ? ('ok' as const) : ('impaired' as const),
    Details: [
      {
        Name: 'reachability' as const,
        Status: passed ? ('passed' as const) : ('failed' as const),
        ...(row.downSince !== null && { ImpairedSince: new Date(row.downSince) }),
      },
    ],
  }
}
