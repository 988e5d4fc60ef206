// Tells, once, that another program on this machine has a port at which an environment should be reached.
import type {
  DescribeLoadBalancersOutput,
  LoadBalancerState,
} from '@aws-sdk/client-elastic-load-balancing-v2'
import { DeclaredError } from '../../kernel/errors.ts'
import { systemContext } from '../service.ts'
import { ofEnvironment } from './events.ts'
import type { Parts } from './parts.ts'
import { environmentById, resourcesOf } from './store.ts'

/** Writes the load balancer's impairment, with an event when it comes and when it goes. Joins a transaction. */
export function refreshPortProblem({ store, cloud, events }: Parts, environmentId: string): void {
  const row = environmentById(store, environmentId)
  const { loadBalancerArn } = row ? resourcesOf(row) : {}
  if (!row || !loadBalancerArn || row.status === 'Terminating') return
  const context = systemContext(row.account, row.region, row.requestId)
  const { Code, Reason = '' } = stateOf(() =>
    cloud.elasticloadbalancingv2.describeLoadBalancers(context, { LoadBalancerArns: [loadBalancerArn] }),
  )
  const now = Code === 'active_impaired' ? Reason : ''
  // The same program under another process id is no news.
  if (gistOf(now) === gistOf(row.portProblem)) return
  store.update('environment', { id: row.id }, { portProblem: now })
  const own = now.includes(`port ${row.loopbackPort} `) || now.includes(`:${row.loopbackPort} `)
  if (now === '')
    events.write(ofEnvironment(row, null), 'INFO', 'The environment is reached at all of its ports again.')
  else
    events.write(
      ofEnvironment(row, null),
      'WARN',
      own
        ? `On this machine ${now}; the environment answers at its name.`
        : now.includes('is taken by')
          ? `On this machine ${now}; end that program and the environment answers there.`
          : `On this machine ${now}; the environment answers at its other addresses.`,
    )
}

function stateOf(describe: () => DescribeLoadBalancersOutput): LoadBalancerState {
  try {
    return describe().LoadBalancers?.[0]?.State ?? {}
  } catch (error) {
    if (error instanceof DeclaredError) return {} // somebody deleted it
    throw error
  }
}

const gistOf = (reason: string) => reason.replaceAll(/ \(pid \d+\)/g, '')
