// Zones that nobody made: the domain of environments, and that of load balancers' names. Pure.
import { isName, type RecordSet, type Zone } from '../../engines/dns/engine.ts'
import { loadBalancerDomainOf } from '../domains.ts'
import { challengeSet, type Facts, resolvedHost } from './compile.ts'
import { isWithin } from './names.ts'

const TTL = 60
/** How long nobody asks again for a name that is not there. */
const NEGATIVE_SECONDS = 10

/** The two names by which the name server itself is known. */
export const nameServersOf = (domain: string): string[] => [`ns1.${domain}`, `ns2.${domain}`]

/** What a zone has of itself. `serial` is the server's to fill. */
export const startOf = (zone: string, domain: string, negativeSeconds: number): RecordSet[] => [
  {
    ...{ name: zone, type: 'SOA' as const, ttl: 900 },
    values: [`${nameServersOf(domain)[0]}. hostmaster.${domain}. 1 7200 900 1209600 ${negativeSeconds}`],
  },
  { name: zone, type: 'NS', ttl: 172_800, values: nameServersOf(domain).map((name) => `${name}.`) },
]

export const systemZoneNames = (domain: string): string[] => [domain, loadBalancerDomainOf(domain)]

export const systemZones = (domain: string, facts: Facts): Zone[] =>
  systemZoneNames(domain).map((zone) => ({
    name: zone,
    recordSets: [
      ...startOf(zone, domain, NEGATIVE_SECONDS),
      ...(zone === domain ? nameServersOf(domain).flatMap((name) => outsideOf(name, facts)) : []),
      ...[...facts.challenges]
        .filter(([name]) => systemZoneOf(name, domain) === zone)
        .map(([name, texts]) => challengeSet(name, texts)),
      ...[...facts.hosts]
        .filter(
          ([host]) =>
            host !== zone &&
            isName(host) &&
            !nameServersOf(domain).includes(host) &&
            systemZoneOf(host, domain) === zone,
        )
        .flatMap(([host, to]) =>
          (['A', 'AAAA'] as const).flatMap((type): RecordSet[] => {
            const resolved = resolvedHost(to, type, facts.outside)
            if (!resolved) return []
            const { outside, inside } = resolved
            return [{ name: host, type, ttl: TTL, chosen: outside, inside }]
          }),
        ),
    ],
  }))

function outsideOf(name: string, { outside }: Facts): RecordSet[] {
  return (['A', 'AAAA'] as const).flatMap((type) =>
    outside[type].length > 0 ? [{ name, type, ttl: TTL, values: outside[type] }] : [],
  )
}

/** Which of the two a name is in: the longest. */
export const systemZoneOf = (name: string, domain: string): string | undefined =>
  systemZoneNames(domain)
    .filter((zone) => isWithin(name, zone))
    .sort((a, b) => b.length - a.length)[0]
