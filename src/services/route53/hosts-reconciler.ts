// route53.hosts: names below AWS's own domain lead to this machine for the programs on it, which else would reach somebody's production.
// For any other domain there is nothing to do.
import type { Reconciler } from '../../control/reconciler.ts'
import { withTimeout } from '../../kernel/clock.ts'
import { EngineError, reasonOf } from '../../kernel/errors.ts'
import { isOfAws } from '../domains.ts'
import type { Route53Deps } from './deps.ts'
import { isWithin } from './names.ts'

const EVERY_MS = 30_000
const CALL_MS = 20_000
/** Where nothing leads here yet, it is looked again soon: somebody waits for an environment. */
const SOON_MS = 1_000

type HostRow = { name: string; problem: string }

export function makeHostsReconciler(deps: Route53Deps) {
  const { store, clock, hosts, domain, region, cloud } = deps
  /** A name that nobody has: whether a name of a new environment would lead here. */
  const probe = `polebean-probe.${region}.${domain}`
  let isWhole = true

  const reconciler: Reconciler = {
    name: 'route53.hosts',
    get everyMs() {
      return isWhole ? EVERY_MS : SOON_MS
    },
    wakes: isOfAws(domain) ? ['elbv2_load_balancer', 'elbv2_sharer', 'ec2_address'] : [],
    async reconcile() {
      const names = isOfAws(domain)
        ? [probe, ...cloud.elasticloadbalancingv2.hostNames().keys()].filter((name) => isWithin(name, domain))
        : []
      const failure = await call('hosts.put', () => hosts.put(names)).then(
        () => '',
        (error: unknown) => reasonOf(error),
      )
      const seen = await Promise.all(
        names.map(async (name) => ({ name, problem: failure || (await problemOf(name)) })),
      )
      store.transaction(() => {
        const before = new Map(
          store.all<HostRow>('select * from route53_host').map((row) => [row.name, row.problem]),
        )
        for (const row of seen) {
          if (before.get(row.name) !== row.problem) store.put('route53_host', row)
          before.delete(row.name)
        }
        for (const name of before.keys()) store.remove('route53_host', { name })
      })
      isWhole = seen.every(({ problem }) => problem === '')
      if (failure !== '' && isOfAws(domain)) throw new EngineError(failure)
      return { names: names.length, isWhole }
    },
  }

  return {
    reconciler,
    /** Why names of new environments would not lead here; '' = they would. */
    nameProblem: (): string => (isOfAws(domain) ? problemSeen(probe) : ''),
    /** '' also for a name of a domain that is not AWS's. */
    hostProblem: (name: string): string => (isOfAws(domain) ? problemSeen(name) : ''),
  }

  function call<T>(what: string, ask: () => Promise<T>): Promise<T> {
    return withTimeout(clock, CALL_MS, what, ask)
  }

  async function problemOf(name: string): Promise<string> {
    const found = await call('hosts.lookup', () => hosts.lookup(name)).catch((error: unknown) => [
      reasonOf(error),
    ])
    const strange = found.filter((one) => !/^(127\.[\d.]+|::1)$/.test(one))
    return found.length > 0 && strange.length === 0
      ? ''
      : `${name} is ${strange.join(', ') || 'nowhere'} for programs of this machine, not its loopback`
  }

  function problemSeen(name: string): string {
    const row = store.get<HostRow>('select * from route53_host where name = :name', { name })
    return row ? row.problem : `whether ${name} leads to this machine was not looked at yet`
  }
}
