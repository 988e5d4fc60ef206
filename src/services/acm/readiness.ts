// Whether an authority that asks now would find what it looks for. An order that fails counts against its names, so none is made
// before.
import { challengeName, challengePath } from '../../engines/acme/engine.ts'
import type { AcmDeps } from './deps.ts'
import type { Challenges } from '../cloud.ts'
import { validationName, validationRecord, withoutWildcard } from './names.ts'
import { challengesOf, namesOfOrder, type OrderRow } from './store.ts'

export function makeReadiness({ acme, cloud, outside, domain }: AcmDeps) {
  return {
    /** What has to be done first, for whoever asked for the certificate; '' = nothing. Rejects when that cannot be told. */
    async obstacle(row: OrderRow): Promise<string> {
      for (const name of namesOfOrder(row).map(withoutWildcard)) {
        const problem = row.method === 'DNS' ? await delegation(row, name) : await address(name)
        if (problem !== '') return problem
      }
      return ''
    },
    /** Whether the balancer and the name server have the challenges of an order. */
    isServed: (row: OrderRow): boolean =>
      row.method === 'HTTP'
        ? cloud.elasticloadbalancingv2.isApplied()
        : cloud.route53.areServed(challengesOf(row).map(({ name }) => challengeName(name))),
  }

  /** A name of a zone here is shown by itself; one of a zone elsewhere by a CNAME to a name of ours. */
  async function delegation({ account }: OrderRow, name: string): Promise<string> {
    if (cloud.route53.hasZoneOf(name)) return ''
    const record = validationRecord(account, domain, name)
    const found = await acme.resolve(record.name, 'CNAME')
    return found.some((one) => one.toLowerCase().replace(/\.$/, '') === record.target)
      ? ''
      : `${record.name} is to be a CNAME to ${record.target}, and ${found.length === 0 ? 'is none' : `is one to ${found.join(', ')}`}`
  }

  async function address(name: string): Promise<string> {
    const { A, AAAA } = outside()
    const [ipv4, ipv6] = await Promise.all([acme.resolve(name, 'A'), acme.resolve(name, 'AAAA')])
    const strange = [...ipv4.filter((one) => !A.includes(one)), ...ipv6.filter((one) => !AAAA.includes(one))]
    if (ipv4.length + ipv6.length === 0)
      return `${name} has no address; it is to be ${[...A, ...AAAA].join(', ')}`
    return strange.length === 0
      ? ''
      : `${name} is ${strange.join(', ')}, and is to be ${[...A, ...AAAA].join(', ')}`
  }
}

/** What the balancer and the name server answer now, of all orders under way. */
export function challengesIn(rows: OrderRow[], domain: string): Challenges {
  const all = rows.flatMap((row) => challengesOf(row).map((challenge) => ({ row, ...challenge })))
  const http = all
    .filter(({ type }) => type === 'http-01')
    .map((one) => ({ path: challengePath(one), body: one.content }))
  const texts = all
    .filter(({ type }) => type === 'dns-01')
    .flatMap(({ row, name, content }) =>
      [challengeName(name), validationName(row.account, domain, name)].map((at) => [at, content] as const),
    )
  const dns = Map.groupBy(texts, ([at]) => at)
  return { http, dns: new Map([...dns].map(([at, found]) => [at, found.map(([, text]) => text)])) }
}
