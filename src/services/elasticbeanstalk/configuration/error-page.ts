// The environment's own page in place of answers for want of an instance, as its settings say it.
import { isPage } from '../../../engines/balancer/engine.ts'
import { valueError } from './findings.ts'
import type { EnvironmentConfiguration, Finding } from './types.ts'

export function pageFindings({ loadBalanced, errorPage }: EnvironmentConfiguration): Finding[] {
  if (!loadBalanced || errorPage === '' || isPage(errorPage)) return []
  const key = { namespace: 'polebean:loadbalancer', optionName: 'ErrorPage', resourceName: null }
  return [
    valueError(
      key,
      '…',
      'A page is text of at most 8 KB, in which a percent sign counts twice, with at most one #{reason}.',
    ),
  ]
}
