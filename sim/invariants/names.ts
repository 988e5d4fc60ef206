// Who asks for a name is led where the rows say, at the name server and at the balancer alike.
import type { World } from '../world.ts'
import { DOMAIN, REGION } from '../world.ts'
import { column, environmentsOf, resourcesOf, same } from './rows.ts'

export function names(world: World): string[] {
  const { dns, privateDns, store, balancer } = world
  const addressOf = new Map(
    balancer.model().loadBalancers.flatMap(({ hosts, id, address, elasticAddress }) => {
      const inside = elasticAddress === null ? address : instanceBehind(world, id)
      return hosts.map((host) => [host, { id, inside }] as const)
    }),
  )
  const zoneIs = (isPrivate: 0 | 1) => `zone_id in (select id from route53_zone where private = ${isPrivate})`
  const asked = (name: string, from: 'inside' | 'outside', server = dns) =>
    server
      .query(name, 'A', from)
      .answers.filter((one) => one.split(' ')[1] === 'A')
      .map((one) => one.split(' ')[2]!)
  const served = environmentsOf(world).filter((row) => resourcesOf(row).front !== undefined)
  return [
    ...same('zones of the name server', dns.names(), 'zones', [
      ...[DOMAIN, 'elb.localhost'],
      ...column(world, 'select name from route53_zone where private = 0'),
    ]),
    ...same('zones of the private name server', privateDns.names(), 'zones', [
      ...column(world, 'select name from route53_zone where private = 1'),
    ]),
    ...column(world, 'select name from route53_carried where put_serial <> serial').map(
      (name) => `the zone ${name} is not in sync`,
    ),
    ...served.flatMap(({ name, cnamePrefix, ...row }) => {
      const cname = `${cnamePrefix}.${REGION}.${DOMAIN}`
      const { loadBalancerArn = '', elasticAddressId, front } = resourcesOf({ name, cnamePrefix, ...row })
      const id = front === 'elastic address' ? elasticAddressId : loadBalancerArn.split('/').at(-1)
      const led = addressOf.get(cname)
      if (led?.id !== id) return [`${cname} of ${name} leads to ${led?.id ?? 'nobody'}, not to ${id}`]
      const wanted = led?.inside === undefined ? [] : [led.inside]
      const [inside, outside] = [asked(cname, 'inside'), asked(cname, 'outside')]
      return [
        ...(inside.join() === wanted.join()
          ? []
          : [`${cname} is ${inside.join() || 'nowhere'} inside, not ${wanted.join()}`]),
        ...(outside.join() === (wanted.length > 0 ? '127.0.0.1' : '')
          ? []
          : [`${cname} is ${outside.join() || 'nowhere'} outside`]),
      ]
    }),
    // Where a name of the zone is answered inside, the balancer there knows the name.
    ...column(
      world,
      `select name from route53_record_set where (alias is not null or type = 'CNAME') and ${zoneIs(0)}`,
    ).flatMap((name) => {
      const [address] = asked(name.replace('*', 'any'), 'inside')
      const known = addressOf.get(name)
      return address === known?.inside
        ? []
        : [`${name} is ${address} inside, and ${known?.inside} at the balancer`]
    }),
    ...([0, 1] as const).flatMap((isPrivate) =>
      store
        .all<{ name: string; records: string }>(
          `select name, records from route53_record_set where type = 'A' and alias is null and set_identifier = '' and ${zoneIs(isPrivate)}`,
        )
        .filter(
          ({ name, records }) =>
            asked(name, 'outside', isPrivate ? privateDns : dns)
              .toSorted()
              .join() !== (JSON.parse(records) as string[]).toSorted().join(),
        )
        .map(({ name }) => `${name} is not what its ${isPrivate ? 'private ' : ''}zone says`),
    ),
    // Whoever asks a private zone is inside.
    ...column(
      world,
      `select name from route53_record_set where alias is not null and type = 'A' and ${zoneIs(1)}`,
    ).flatMap((name) => {
      const strange = asked(name, 'outside', privateDns).filter((one) => one === '127.0.0.1')
      return strange.length === 0 ? [] : [`${name} of the private zone is ${strange.join()}`]
    }),
  ]
}

const instanceBehind = ({ balancer }: World, id: string): string | undefined =>
  balancer.model().targetGroups.find((group) => group.id.startsWith(`${id}/`))?.targets[0]?.address
