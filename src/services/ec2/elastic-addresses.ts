// Elastic addresses: of this machine's loopback, 127.<second byte of the VPC>.0.1 and so on, so that those of two homes
// differ. Each belongs to a network interface while it is associated; the balancer engine carries what comes to it.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import type { Ec2Internal, ElasticAddress } from '../cloud.ts'
import type { Context } from '../context.ts'
import { systemContext } from '../service.ts'
import type { Ec2Deps } from './deps.ts'
import { ADDRESS_REST_MS, instanceOf, networkInterfaceOf, type AddressRow } from './store.ts'

/** AWS: 5 a region, more on request; one environment of a single instance takes one. */
export const ADDRESSES_MAX = 250

/** The lowest one that nobody has or had within ADDRESS_REST_MS. Throws `AddressLimitExceeded`. */
export function freeElasticAddress({ store, clock, networkOf }: Ec2Deps, context: Context): string {
  store.run('delete from ec2_address where released_at <= :until', { until: clock.now() - ADDRESS_REST_MS })
  const taken = new Set(
    store.all<{ publicIp: string }>('select public_ip from ec2_address').map((row) => row.publicIp),
  )
  const second = networkOf(context).cidr.split('.')[1]
  for (let last = 1; last <= ADDRESSES_MAX; last++) {
    const address = `127.${second}.0.${last}`
    if (!taken.has(address)) return address
  }
  throw new DeclaredError('AddressLimitExceeded', 'The maximum number of addresses has been reached.')
}

export const elasticAddressOf = (store: Store, networkInterfaceId: string) =>
  store.get<AddressRow>(
    'select * from ec2_address where network_interface_id = :networkInterfaceId and released_at is null',
    { networkInterfaceId },
  )

/** Takes its elastic address away from an interface; quiet when it has none. */
export const dissociate = (store: Store, networkInterfaceId: string): void =>
  void store.run(
    `update ec2_address set association_id = null, network_interface_id = null
     where network_interface_id = :networkInterfaceId`,
    { networkInterfaceId },
  )

type Internal = Pick<
  Ec2Internal,
  'putAddressNames' | 'elasticAddress' | 'elasticAddresses' | 'noteElasticAddresses'
>

/** What AWS keeps inside itself: what an address leads to, and under which names (cloud.ts). */
export function makeElasticAddresses({ store, networkOf }: Ec2Deps): Internal {
  const describe = (row: AddressRow): ElasticAddress => {
    const { id, account, region, publicIp, networkInterfaceId, loopbackPort, leadsTo, inFlight, impairment } =
      row
    const context = systemContext(account, region, '')
    const found = networkInterfaceId ? networkInterfaceOf(store, context, networkInterfaceId) : undefined
    const instance = found?.instanceId ? instanceOf(store, context, found.instanceId) : undefined
    const runs = instance?.state === 'running' || instance?.state === 'pending'
    return {
      ...{ id, publicIp, networkInterfaceId, loopbackPort, leadsTo, inFlight, impairment },
      hosts: JSON.parse(row.hosts) as string[],
      edge: networkOf(context).edge,
      associatedWith: found?.instanceId ?? null,
      instance: instance && found && runs ? { id: instance.id, address: found.address } : null,
    }
  }
  const live = 'select * from ec2_address where released_at is null'
  return {
    putAddressNames({ account, region }, id, { hosts, loopbackPort }) {
      const names = [...new Set(hosts.map((host) => host.toLowerCase()))].sort()
      store.update('ec2_address', { id, account, region }, { hosts: names, loopbackPort })
    },
    elasticAddress(id) {
      const row = store.get<AddressRow>(`${live} and id = :id`, { id })
      return row && describe(row)
    },
    elasticAddresses: () => store.all<AddressRow>(`${live} order by id`).map(describe),
    noteElasticAddresses(seen) {
      for (const { id, leadsTo, inFlight, impairment } of seen)
        store.run(
          `update ec2_address set leads_to = :leadsTo, in_flight = :inFlight, impairment = :impairment
           where id = :id and (leads_to is not :leadsTo or in_flight <> :inFlight or impairment <> :impairment)`,
          { id, leadsTo, inFlight, impairment },
        )
    },
  }
}
