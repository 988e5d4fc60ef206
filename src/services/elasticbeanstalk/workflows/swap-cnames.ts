// Two environments exchange their names, with what leads to them: requests of one go to the other's front from one moment on, at the
// balancer and at the name server. What was asked before is answered where it was asked.
import type { Workflow } from '../../../control/workflows.ts'
import { domainsOf, withDomains } from '../domains.ts'
import { ofEnvironment } from '../events.ts'
import { frontOf, putNames } from '../front.ts'
import { cnameOf } from '../names.ts'
import type { Parts } from '../parts.ts'
import { environmentById, resourcesOf, type EnvironmentRow } from '../store.ts'
import { configurationOfSettings } from '../software.ts'
import { putListeners } from './listeners.ts'
import { current, workOn } from './work.ts'

type Params = { environmentId: string; destinationId: string; requestId: string }

/** Until then both must follow; they take milliseconds when nothing is wrong with them. */
const FOLLOW_MS = 120_000

export function makeSwapWorkflow(parts: Parts): Workflow<Params> {
  const { store, clock, events, cloud, domain } = parts
  // Of the call that began it, whatever has begun on them since.
  const tell = (
    row: EnvironmentRow,
    { requestId }: Params,
    severity: 'INFO' | 'WARN' | 'ERROR',
    text: string,
  ) => events.write(ofEnvironment(row, requestId), severity, text)
  const becomeReady = ({ environmentId, destinationId }: Params) => {
    for (const id of [environmentId, destinationId])
      if (environmentById(store, id)?.status === 'Updating')
        store.update(
          'environment',
          { id },
          { status: 'Ready', statusSince: clock.now(), updatedAt: clock.now() },
        )
  }
  return {
    kind: 'elasticbeanstalk.swap-cnames',
    version: 1,
    run(step, params) {
      const { environmentId, destinationId } = params
      // One of them may have begun to be terminated meanwhile: then each keeps what it has.
      const isSwapped = step.do('swap', () => {
        const [source, destination] = [current(parts, environmentId), current(parts, destinationId)]
        if ([source, destination].some(({ status }) => status !== 'Updating')) return false
        // Behind a load balancer that is shared an environment has no further names.
        const moves = [source, destination].every((row) => !resourcesOf(row).sharesLoadBalancer)
        const [mine, theirs] = [domainsOf(source), domainsOf(destination)]
        // Two live environments never have one name, not even for a moment.
        store.update('environment', { id: source.id }, { cnamePrefix: `${source.cnamePrefix}.${source.id}` })
        store.update(
          'environment',
          { id: destination.id },
          {
            cnamePrefix: source.cnamePrefix,
            settings: moves ? withDomains(destination, mine) : destination.settings,
          },
        )
        store.update(
          'environment',
          { id: source.id },
          {
            cnamePrefix: destination.cnamePrefix,
            settings: moves ? withDomains(source, theirs) : source.settings,
          },
        )
        for (const { id } of [source, destination]) {
          const row = current(parts, id)
          // Its rules there tell its name.
          if (resourcesOf(row).sharesLoadBalancer)
            putListeners(workOn(parts, row, configurationOfSettings(row)))
          putNames(parts, id, frontOf(row))
          tell(source, params, 'INFO', `'${cnameOf(row, domain)}' now points to '${endpointOf(row)}'.`)
        }
        return true
      })
      if (isSwapped)
        step.until(
          'names lead there',
          () => (cloud.elasticloadbalancingv2.isApplied() && cloud.route53.isServed() ? true : undefined),
          {
            timeoutMs: FOLLOW_MS,
            onTimeout: () => {
              const text = `The balancer or the name server has not followed within ${FOLLOW_MS / 1000} seconds; requests may still go to the other environment.`
              tell(current(parts, environmentId), params, 'WARN', text)
              return true
            },
          },
        )
      step.do('end', () => {
        becomeReady(params)
        const [source, destination] = [current(parts, environmentId), current(parts, destinationId)]
        const both = `environments '${source.name}' and '${destination.name}'`
        if (!isSwapped)
          return tell(
            source,
            params,
            'ERROR',
            `Failed to swap CNAMEs for ${both}: one of them is being terminated.`,
          )
        tell(source, params, 'INFO', `Completed swapping CNAMEs for ${both}.`)
        const text = `The CNAME was swapped with that of environment '${source.name}'.`
        events.write(ofEnvironment(destination, null), 'INFO', text)
      })
    },
    failed(params, failure) {
      const row = environmentById(store, params.environmentId)
      if (row) tell(row, params, 'ERROR', `Failed to swap CNAMEs: ${failure}`)
      becomeReady(params)
    },
  }
}

const endpointOf = (row: EnvironmentRow): string => {
  const { loadBalancerDnsName, elasticAddress } = resourcesOf(row)
  return (frontOf(row) === 'load balancer' ? loadBalancerDnsName : elasticAddress) ?? ''
}
