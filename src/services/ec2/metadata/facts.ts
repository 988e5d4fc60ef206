// What there is to tell of an instance, from the rows, at the moment when somebody at an address asks.
import { hardwareAddressOf } from '../../../kernel/hardware-address.ts'
import type { Store } from '../../../store/store.ts'
import { instanceTypes } from '../catalogue.ts'
import type { Ec2Deps } from '../deps.ts'
import { privateDnsName } from '../describe-instance.ts'
import { elasticAddressOf } from '../elastic-addresses.ts'
import { zoneIdOf } from '../network.ts'
import { tagsOf, type InstanceRow, type NetworkInterfaceRow, type SecurityGroupRow } from '../store.ts'
import { optionsOf, type MetadataOptions } from './options.ts'

export type InstanceFacts = {
  options: MetadataOptions
  instanceId: string
  imageId: string
  instanceType: string
  architecture: string
  launchIndex: number
  reservationId: string
  launchedAt: number
  account: string
  region: string
  zone: string
  zoneId: string
  address: string
  mac: string
  hostname: string
  publicIp: string | null
  networkInterfaceId: string
  groups: { id: string; name: string }[]
  subnet: { id: string; cidr: string }
  vpc: { id: string; cidr: string }
  key: { name: string; publicKey: string } | null
  /** Key and value; null while they are not to be shown. */
  tags: [key: string, value: string][] | null
  userData: Buffer | null
}

/** Of the instance that has the address and may run; undefined when none has. */
export function factsAt({ store, networkOf }: Ec2Deps, address: string): InstanceFacts | undefined {
  const networkInterface = store.get<NetworkInterfaceRow>(
    'select * from ec2_network_interface where address = :address and released_at is null',
    { address },
  )
  const row = store.get<InstanceRow>(
    `select * from ec2_instance where id = :id and state not in ('stopped', 'terminated')`,
    { id: networkInterface?.instanceId ?? null },
  )
  if (!networkInterface || !row) return undefined
  const { vpcId, cidr, subnets } = networkOf(row)
  const subnet = subnets.find((one) => one.id === row.subnetId)
  const options = optionsOf(row)
  return {
    options,
    instanceId: row.id,
    imageId: row.imageId,
    instanceType: row.instanceType,
    architecture: instanceTypes.get(row.instanceType)?.architecture ?? 'x86_64',
    launchIndex: row.launchIndex,
    reservationId: row.reservationId,
    launchedAt: row.launchedAt,
    account: row.account,
    region: row.region,
    zone: row.zone,
    zoneId: zoneIdOf(subnets, row.zone),
    address,
    mac: hardwareAddressOf(address),
    hostname: privateDnsName(row.region, address),
    publicIp: elasticAddressOf(store, networkInterface.id)?.publicIp ?? null,
    networkInterfaceId: networkInterface.id,
    groups: (JSON.parse(networkInterface.groups) as string[]).map((id) => ({ id, name: nameOf(store, id) })),
    subnet: { id: row.subnetId, cidr: subnet?.cidr ?? cidr },
    vpc: { id: vpcId, cidr },
    key:
      row.keyName === null || row.publicKey === null ? null : { name: row.keyName, publicKey: row.publicKey },
    tags:
      options.InstanceMetadataTags === 'disabled'
        ? null
        : tagsOf(store, row.id).map(({ key, value }) => [key, value]),
    userData: row.userData === null ? null : Buffer.from(row.userData, 'base64'),
  }
}

const nameOf = (store: Store, id: string) =>
  store.get<Pick<SecurityGroupRow, 'name'>>('select name from ec2_security_group where id = :id', { id })
    ?.name ?? id
