// Names that settings give an environment besides its CNAME.
import { isName } from '../../../engines/dns/engine.ts'
import { listItems } from '../options/check-value.ts'
import { valueError } from './findings.ts'
import type { EnvironmentConfiguration, Finding } from './types.ts'

export const DOMAINS = { namespace: 'polebean:domains', optionName: 'Hosts', resourceName: null }
const DOMAINS_MAX = 100

export const domainsIn = (read: (namespace: string, optionName: string) => string): string[] =>
  listItems(read(DOMAINS.namespace, DOMAINS.optionName)).map((one) => one.toLowerCase().replace(/\.$/, ''))

export function domainFindings({ domains, sharedLoadBalancer }: EnvironmentConfiguration): Finding[] {
  if (domains.length === 0) return []
  const shown = domains.join(',').slice(0, 300)
  if (sharedLoadBalancer !== '')
    return [valueError(DOMAINS, shown, 'A shared load balancer leads by the host headers of listener rules.')]
  if (domains.length > DOMAINS_MAX)
    return [valueError(DOMAINS, shown, `An environment has at most ${DOMAINS_MAX} of them.`)]
  const wrong = domains.find((one) => !isName(one) || !one.includes('.'))
  return wrong === undefined
    ? []
    : [
        valueError(
          DOMAINS,
          wrong,
          'It is a list of host names in lower case, as www.example.org,*.shop.example.org.',
        ),
      ]
}
