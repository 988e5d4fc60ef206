// Host names of an environment besides its CNAME, for zones that are elsewhere (polebean:domains). Names of hosted zones here lead to it
// by themselves.
import { loadBalancerDomainOf } from '../domains.ts'
import { DOMAINS } from './configuration/domains.ts'
import type { Setting } from './configuration/types.ts'
import { cnameOf } from './names.ts'
import type { Parts } from './parts.ts'
import { configurationOfSettings } from './software.ts'
import { type EnvironmentRow, liveEnvironments, resourcesOf, settingsOf } from './store.ts'
import { invalidValue } from './validation.ts'

/** Names by which clients ask for an environment; `domains`: those of other settings than it has now. */
export const hostsOf = (row: EnvironmentRow, domain: string, domains = domainsOf(row)): string[] => [
  cnameOf(row, domain),
  ...domains,
]

/** @throws DeclaredError for a name that is somebody else's, or Polebean's own. `row`: null of an environment that is being made. */
export function refuseTakenDomains(
  { store, domain, cloud }: Pick<Parts, 'store' | 'domain' | 'cloud'>,
  row: EnvironmentRow | null,
  domains: string[],
): void {
  if (domains.length === 0) return
  const own = domains.find((one) =>
    [domain, loadBalancerDomainOf(domain)].some((zone) => one === zone || one.endsWith(`.${zone}`)),
  )
  if (own !== undefined) throw invalidValue(`${own} is a name of Polebean's own domain.`)
  for (const other of liveEnvironments(store)) {
    if (other.id === row?.id) continue
    const coming =
      other.draftState === 'pending' && other.draft
        ? configurationOfSettings({ ...other, settings: other.draft })
        : null
    const theirs = [...hostsOf(other, domain), ...(coming?.domains ?? [])]
    const taken = domains.find((one) => theirs.includes(one))
    if (taken !== undefined)
      throw invalidValue(`${taken} is a name of the environment ${other.name} already.`)
  }
  const hosts = cloud.elasticloadbalancingv2.hostNames()
  const { loadBalancerArn = '', elasticAddressId } = row ? resourcesOf(row) : {}
  const ids = [loadBalancerArn.split('/').at(-1), elasticAddressId]
  for (const [name, host] of cloud.route53.customNames(hosts))
    if (domains.includes(name) && !ids.includes(hosts.get(host)?.id))
      throw invalidValue(`${name} is a name of a hosted zone that leads to ${host}.`)
}

/** Of settings that are no environment's yet. */
export const domainsIn = (platformArn: string, settings: Setting[]): string[] =>
  configurationOfSettings({ platformArn, settings: JSON.stringify(settings) }).domains

export const domainsOf = (row: EnvironmentRow): string[] => configurationOfSettings(row).domains

/** The settings of an environment, as JSON, with these names in place of its own. */
export function withDomains(row: EnvironmentRow, domains: string[]): string {
  const { namespace, optionName, resourceName } = DOMAINS
  const others = settingsOf(row).filter((one) => one.namespace !== namespace || one.optionName !== optionName)
  const own = { namespace, optionName, resourceName, value: domains.join(',') }
  return JSON.stringify(domains.length === 0 ? others : [...others, own])
}
