// What DescribeInstances and DescribeInstanceStatus filter by.
import type { Context } from '../context.ts'
import { instanceTypes } from './catalogue.ts'
import type { Ec2Deps } from './deps.ts'
import { describeState, privateDnsName, profileArn, statusOf } from './describe-instance.ts'
import type { FilterTable } from './filters.ts'
import { ROOT_DEVICE } from './image.ts'
import { optionsOf } from './metadata/options.ts'
import { addressesOf, networkInterfacesOf, securityGroupsOf, type InstanceRow } from './store.ts'

export function instanceFilters({ store }: Ec2Deps, context: Context): FilterTable<InstanceRow> {
  const groupsOfInterface = lazily(
    () =>
      new Map(networkInterfacesOf(store, context).map((row) => [row.id, JSON.parse(row.groups) as string[]])),
  )
  const nameOfGroup = lazily(
    () => new Map(securityGroupsOf(store, context).map((group) => [group.id, group.name])),
  )
  const elasticOf = lazily(
    () => new Map(addressesOf(store, context).map((row) => [row.networkInterfaceId, row.publicIp])),
  )
  const live = (value: (row: InstanceRow) => string) => (row: InstanceRow) =>
    row.state === 'terminated' ? [] : [value(row)]
  const groups = (row: InstanceRow) => groupsOfInterface().get(row.networkInterfaceId) ?? []
  const groupNames = (row: InstanceRow) => groups(row).map((id) => nameOfGroup().get(id))
  const elastic = (row: InstanceRow) => {
    const found = elasticOf().get(row.networkInterfaceId)
    return found === undefined ? [] : [found]
  }
  const address = (row: InstanceRow) => (row.address === null ? [] : [row.address])
  return {
    ...STATE_FILTERS,
    architecture: (row) => [instanceTypes.get(row.instanceType)?.architecture],
    'client-token': (row) => [row.clientToken],
    'group-id': groups,
    'group-name': groupNames,
    hypervisor: () => ['xen'],
    'iam-instance-profile.arn': (row) => (row.iamInstanceProfile === null ? [] : [profileArn(row)]),
    'image-id': (row) => [row.imageId],
    'instance-id': (row) => [row.id],
    'instance-type': (row) => [row.instanceType],
    'instance.group-id': groups,
    'instance.group-name': groupNames,
    'ip-address': elastic,
    'key-name': (row) => (row.keyName === null ? [] : [row.keyName]),
    'launch-index': (row) => [row.launchIndex],
    'launch-time': (row) => [new Date(row.launchedAt).toISOString()],
    'metadata-options.http-endpoint': (row) => [optionsOf(row).HttpEndpoint],
    'metadata-options.http-put-response-hop-limit': (row) => [optionsOf(row).HttpPutResponseHopLimit],
    'metadata-options.http-tokens': (row) => [optionsOf(row).HttpTokens],
    'metadata-options.instance-metadata-tags': (row) => [optionsOf(row).InstanceMetadataTags],
    'monitoring-state': (row) => [row.monitoring ? 'enabled' : 'disabled'],
    'network-interface.addresses.association.public-ip': elastic,
    'network-interface.addresses.private-ip-address': address,
    'network-interface.association.public-ip': elastic,
    'network-interface.group-id': groups,
    'network-interface.group-name': groupNames,
    'network-interface.network-interface-id': live((row) => row.networkInterfaceId),
    'network-interface.subnet-id': live((row) => row.subnetId),
    'network-interface.vpc-id': live((row) => row.vpcId),
    'owner-id': (row) => [row.account],
    'private-dns-name': (row) => address(row).map((one) => privateDnsName(row.region, one)),
    'private-ip-address': address,
    reason: (row) => [row.stateTransitionReason],
    'reservation-id': (row) => [row.reservationId],
    'root-device-name': () => [ROOT_DEVICE],
    'root-device-type': () => ['ebs'],
    'source-dest-check': () => [true],
    'state-reason-code': (row) => [row.stateReasonCode],
    'state-reason-message': (row) => [row.stateReasonMessage],
    'subnet-id': live((row) => row.subnetId),
    tenancy: () => ['default'],
    'virtualization-type': () => ['hvm'],
    'vpc-id': live((row) => row.vpcId),
  }
}

/** AWS has these, too: of what there is not (volumes, spot and dedicated instances, hibernation), or that says nothing. */
export const UNANSWERED_FILTERS: readonly string[] = `
  affinity association.public-ip block-device-mapping.attach-time block-device-mapping.delete-on-termination
  block-device-mapping.device-name block-device-mapping.status block-device-mapping.volume-id boot-mode
  capacity-reservation-id current-instance-boot-mode dns-name enclave-options.enabled
  hibernation-options.configured host-id instance-lifecycle kernel-id maintenance-options.auto-recovery
  metadata-options.state placement-group-name placement-partition-number platform platform-details product-code
  product-code.type ramdisk-id requester-id spot-instance-request-id usage-operation usage-operation-update-time
`
  .trim()
  .split(/\s+/)

const STATE_FILTERS: FilterTable<InstanceRow> = {
  'availability-zone': (row) => [row.zone],
  'instance-state-code': (row) => [describeState(row.state).Code],
  'instance-state-name': (row) => [row.state],
}

const reachability = (row: InstanceRow) => statusOf(row).Details.map((detail) => detail.Status)

export const STATUS_FILTERS: FilterTable<InstanceRow> = {
  ...STATE_FILTERS,
  'instance-status.reachability': reachability,
  'instance-status.status': (row) => [statusOf(row).Status],
  'system-status.reachability': reachability,
  'system-status.status': (row) => [statusOf(row).Status],
}

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}
