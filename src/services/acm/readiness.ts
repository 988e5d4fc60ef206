// Whether an authority that asks now would find what it looks for. An order that fails counts against its names, so none is made
// before.
import { type Challenge, challengeName, challengePath } from '../../engines/acme/engine.ts'
import { isChallenge } from '../../engines/balancer/engine.ts'
import type { Challenges } from '../cloud.ts'
import { makeAuthorizations } from './authorizations.ts'
import type { AcmDeps } from './deps.ts'
import { validationName, validationRecord, withoutWildcard } from './names.ts'
import { namesOfOrder, type OrderRow } from './store.ts'

export function makeReadiness(deps: AcmDeps) {
  const { acme, cloud, outside, domain } = deps
  const authorizations = makeAuthorizations(deps)
  return {
    /** What has to be done first, for whoever asked for the certificate; '' = nothing. Rejects when that cannot be told. */
    async obstacle(row: OrderRow): Promise<string> {
      if (row.method === 'HTTP' && !cloud.elasticloadbalancingv2.servesHttp())
        return 'no load balancer of this home that others reach has a listener of HTTP at port 80'
      const found = await Promise.all(namesOfOrder(row).map((name) => obstacleOf(row, name)))
      return found.find((one) => one !== '') ?? ''
    },
    /** Whether the balancer and the name server have the challenges of an order. */
    isServed: (row: OrderRow, challenges: Challenge[]): boolean =>
      row.method === 'HTTP'
        ? cloud.elasticloadbalancingv2.isApplied() && cloud.elasticloadbalancingv2.servesHttp()
        : cloud.route53.areServed(challenges.map(({ name }) => challengeName(name))),
  }

  async function obstacleOf(row: OrderRow, name: string): Promise<string> {
    const own = row.method === 'DNS' ? await delegation(row, withoutWildcard(name)) : await address(name)
    return own || authorizations.problem(name)
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
    const wanted = [...A, ...AAAA].join(', ')
    if (ipv4.length + ipv6.length === 0) return `${name} has no address; it is to be ${wanted}`
    return strange.length === 0 ? '' : `${name} is ${strange.join(', ')}, and is to be ${wanted}`
  }
}

/** What the balancer and the name server answer now. What an authority says is not believed: one wrong text must not stop all others. */
export function challengesIn(all: (Challenge & { account: string })[], domain: string): Challenges {
  const http = all
    .filter(({ type }) => type === 'http-01')
    .map((one) => ({ path: challengePath(one), body: one.content }))
    .filter(isChallenge)
  const texts = all
    .filter(({ type, content }) => type === 'dns-01' && TEXT.test(content))
    .flatMap(({ account, name, content }) =>
      [challengeName(name), validationName(account, domain, name)].map((at) => [at, content] as const),
    )
  const dns = Map.groupBy(texts, ([at]) => at)
  return {
    http: [...new Map(http.map((one) => [one.path, one])).values()],
    dns: new Map([...dns].map(([at, found]) => [at, [...new Set(found.map(([, text]) => text))]])),
  }
}

const TEXT = /^[A-Za-z0-9._-]{1,255}$/
