// What the name server says of all names that lead to load balancers and elastic addresses here: asked of it, beside what the rows say.
import { loadBalancerDomainOf } from '../domains.ts'
import type { NamesReport, Route53Internal } from '../cloud.ts'
import { type Clock, withTimeout } from '../../kernel/clock.ts'
import { reasonOf } from '../../kernel/errors.ts'
import type { Answered, DnsEngine, RecordType } from '../../engines/dns/engine.ts'
import type { Route53Deps } from './deps.ts'
import { isWithin } from './names.ts'
import { aliasOf, type CarriedRow, countRecordSets, type RecordSetRow, valuesOf, zoneNamed } from './store.ts'
import { systemZoneNames } from './system-zones.ts'

const ANSWER_MS = 5_000
/** More would be a flood, and nobody reads them. */
const NAMES_MAX = 1_000
const ASKED_AT_ONCE = 50

export async function readReport(
  deps: Route53Deps,
  customNamesIn: (isPrivate: 0 | 1) => Route53Internal['customNames'],
): Promise<NamesReport> {
  const { store, cloud, domain, outside } = deps
  const hosts = cloud.elasticloadbalancingv2.hostNames()
  const customIn = (isPrivate: 0 | 1) =>
    [...customNamesIn(isPrivate)(hosts)].map(([name, to]) => ({
      ...{ name, host: hosts.get(to)!, isPrivate: isPrivate === 1, why: whyOf(name, to, isPrivate) },
    }))
  const carried = store.all<CarriedRow>('select * from route53_carried order by name, private')
  const zones = carried.map(({ name, private: isPrivate, serial, putSerial }) => {
    const id = zoneNamed(store, { name, private: isPrivate })?.id
    return {
      ...{ name, isPrivate: isPrivate === 1 },
      recordSets: id === undefined ? null : countRecordSets(store, id),
      inSync: serial === putSerial,
    }
  })
  const isBalancers = (name: string) => isWithin(name, loadBalancerDomainOf(domain))
  const own = [...hosts].filter(([name]) => systemZoneNames(domain).some((zone) => isWithin(name, zone)))
  const told = [
    ...own.map(([name, host]) => ({
      ...{ name, host, isPrivate: false },
      why: isBalancers(name) ? 'name of the load balancer' : 'CNAME of the environment',
    })),
    ...customIn(0),
    ...customIn(1),
    ...[...hosts]
      .filter(([name]) => !own.some(([one]) => one === name))
      .map(([name, host]) => ({ name, host, isPrivate: false, why: 'setting polebean:domains' })),
  ]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, NAMES_MAX)
  const names: NamesReport['names'] = []
  for (let from = 0; from < told.length; from += ASKED_AT_ONCE)
    names.push(...(await Promise.all(told.slice(from, from + ASKED_AT_ONCE).map(look))))
  return { zones, names }

  async function look({
    name,
    host,
    isPrivate,
    why,
  }: (typeof told)[number]): Promise<NamesReport['names'][number]> {
    const leadsTo = host.environment ?? host.name
    // Zones that are elsewhere are not ours to answer.
    const isOurs = carried.some((zone) => (zone.private === 1) === isPrivate && isWithin(name, zone.name))
    const server = isPrivate ? deps.privateDns : deps.dns
    const asked = isOurs ? await ask(deps.clock, server, name.replace('*', 'any'), 'A') : undefined
    const answers = asked && 'answers' in asked ? asked.answers : []
    return {
      name,
      isPrivate,
      answers,
      leadsTo,
      why,
      problem: asked ? problemOf(asked, isPrivate ? host.inside : outside().A) : '',
    }
  }

  function problemOf(asked: Answered | { failure: string }, wanted: string[]): string {
    if ('failure' in asked) return asked.failure
    const addresses = asked.answers.flatMap((one) => one.split(' A ')[1] ?? [])
    if (addresses.length === 0)
      return `the name server says ${asked.rcode}${asked.rcode === 'NOERROR' ? ', without an address' : ''}`
    return addresses.some((one) => wanted.includes(one))
      ? ''
      : `the name server says ${addresses.join(', ')}, not ${wanted.join(', ')}`
  }

  function whyOf(name: string, to: string, isPrivate: 0 | 1): string {
    const [row] = store.all<RecordSetRow>(
      `select * from route53_record_set where name = :name and (alias is not null or type = 'CNAME')
         and zone_id in (select id from route53_zone where private = :isPrivate) order by type`,
      { name, isPrivate },
    )
    if (!row) return to
    const alias = aliasOf(row)
    const next = alias?.dnsName ?? (valuesOf(row)[0] ?? '').toLowerCase().replace(/\.$/, '')
    return `${alias ? 'alias of' : 'CNAME to'} ${next}${next === to ? '' : `, which leads to ${to}`}`
  }
}

const ask = (
  clock: Clock,
  dns: DnsEngine,
  name: string,
  type: RecordType,
): Promise<Answered | { failure: string }> =>
  withTimeout(clock, ANSWER_MS, 'dns.query', () => dns.query(name, type)).catch((error: unknown) => ({
    failure: reasonOf(error),
  }))
