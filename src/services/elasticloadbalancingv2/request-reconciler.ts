// elasticloadbalancingv2.requests: what the engine says of requests that ended becomes access logs, response times and points.
import type { BalancerEngine, RequestEntry } from '../../engines/balancer/engine.ts'
import type { Reconciler } from '../../control/reconciler.ts'
import { withTimeout } from '../../kernel/clock.ts'
import { systemContext, type ServiceDeps } from '../service.ts'
import {
  boundWaiting,
  type DueObject,
  dueObjects,
  keepLines,
  PERIOD_MS,
  logsTo,
  openObject,
  periodEnd,
} from './access-logs.ts'
import { makeLogNames } from './log-names.ts'
import { accessLogLine } from './access-log-line.ts'
import type { Latencies } from './latencies.ts'
import { groupPath, kindOf } from './metrics.ts'
import { ofLoadBalancer, ofTarget, ofTargetGroup } from './latencies.ts'
import { responsePoints } from './response-points.ts'
import { idOfArn, pathOf, type LoadBalancerRow, type TargetGroupRow } from './store.ts'

const NAME = 'elasticloadbalancingv2.requests'
const EVERY_MS = 2_000
/** Of a megabyte each: other reconcilers have their turn as well. */
const READS_A_PASS = 20
const READ_TIMEOUT_MS = 10_000
const PUBLISH_TIMEOUT_MS = 60_000

type Read = { position: string; publishedUntil: number; generation: number }

export function makeRequestReconciler(
  deps: ServiceDeps,
  balancer: BalancerEngine,
  latencies: Latencies,
): Reconciler {
  const { store, clock, cloud, log, account, region } = deps
  const lanes = deps.makeLanes(NAME, 2)

  return {
    name: NAME,
    everyMs: EVERY_MS,
    // Not by its own table: with each line it would wake itself.
    wakes: [],
    async reconcile() {
      for (let reads = 1; ; reads++) {
        const { more, lastAt } = await read()
        if (more && reads < READS_A_PASS) {
          // Reading, parsing and compressing are done at once: whoever else waits has their turn in between.
          await clock.sleep(1)
          continue
        }
        // Before everything is read that ended in a period, its object is not whole.
        publish(more ? lastAt : clock.now())
        return { upToDate: !more }
      }
    },
  }

  /** `lastAt`: when the last of them ended. */
  async function read(): Promise<{ more: boolean; lastAt: number }> {
    const before = readBefore()
    const { entries, position, lost, more } = await withTimeout(
      clock,
      READ_TIMEOUT_MS,
      'balancer.requests',
      () => balancer.requests(before.position),
    )
    const lastAt = entries.at(-1)?.at ?? -Infinity
    if (lost) log.warn('requests went unread: access logs and response times lack them', { position })
    if (position === before.position) return { more, lastAt }
    store.transaction(() => {
      keepAll(entries, before)
      store.put('elbv2_requests_read', { id: 1, ...before, position })
    })
    for (const entry of entries) seeResponse(entry)
    latencies.forget()
    if (entries.length > 0) recordPoints(entries)
    return { more, lastAt }
  }

  // A clock that was set back by more than objects wait: what was published then comes again.
  function readBefore(): Omit<Read, 'position'> & { position: string | null } {
    const row = store.get<Read>('select position, published_until, generation from elbv2_requests_read')
    if (!row) return { position: null, publishedUntil: 0, generation: 0 }
    if (row.publishedUntil <= clock.now() + PERIOD_MS) return row
    return { ...row, publishedUntil: clock.now(), generation: row.generation + 1 }
  }

  // What ended in a period whose object may be there already is in the next one's.
  function keepAll(entries: RequestEntry[], { publishedUntil, generation }: Omit<Read, 'position'>) {
    const logged = entries.filter(({ isLogged }) => isLogged)
    if (logged.length === 0) return
    const rows = new Map(
      store
        .all<LoadBalancerRow>('select * from elbv2_load_balancer')
        .flatMap((row) => (logsTo(row).bucket === '' ? [] : [[row.id, row] as const])),
    )
    const names = makeLogNames(deps)
    const own = logged.filter(({ id }) => rows.has(id))
    const byObject = Map.groupBy(own, ({ id, at }) => `${id} ${periodEnd(Math.max(at, publishedUntil))}`)
    for (const [object, all] of byObject) {
      const [id = '', end] = object.split(' ')
      const row = rows.get(id)!
      const lines = all.map((entry) => accessLogLine(entry, names(row, entry)))
      keepLines(store, row, logsTo(row), { end: Number(end), generation }, lines)
    }
    const dropped = byObject.size > 0 ? boundWaiting(store) : 0
    if (dropped > 0)
      log.warn('access logs wait for a bucket that takes none; the oldest are gone', { parts: dropped })
  }

  /** What was due then; all that ended until then is kept. */
  function publish(upTo: number) {
    const due = dueObjects(store, upTo, clock.now())
    if (due.length === 0) return
    store.run('update elbv2_requests_read set published_until = :upTo where published_until < :upTo', {
      upTo,
    })
    lanes.submit(
      due.map((object) => ({
        what: 'publish',
        lane: `access-log/${object.loadBalancerId}/${object.bucket}`,
        timeoutMs: PUBLISH_TIMEOUT_MS,
        perform: () => put(object),
      })),
    )
  }

  async function put(object: DueObject): Promise<void> {
    const { bucket, key, account, region } = object
    const { content, published } = openObject(store, object)
    await cloud.s3.putObject(systemContext(account, region, ''), {
      ...{ Bucket: bucket, Key: key, Body: content() },
      ContentType: key.endsWith('.gz') ? 'application/x-gzip' : 'text/plain',
    })
    published()
  }

  function seeResponse({ id, at, targetGroupId, target, targetMs, weight, isOfTarget }: RequestEntry) {
    if (!isOfTarget || targetGroupId === null) return
    for (const subject of [ofLoadBalancer(id), ofTargetGroup(targetGroupId)])
      latencies.add(subject, at, targetMs, weight)
    if (target?.id) latencies.add(ofTarget(targetGroupId, target.id), at, targetMs, weight)
  }

  function recordPoints(entries: RequestEntry[]) {
    const balancers = new Map(
      store
        .all<LoadBalancerRow>('select * from elbv2_load_balancer where deleted_at is null')
        .map((row) => [row.id, { ...row, kind: kindOf(row), path: pathOf(row) }]),
    )
    const groups = new Map(
      store
        .all<Pick<TargetGroupRow, 'arn'>>('select arn from elbv2_target_group')
        .map(({ arn }) => [idOfArn(arn), { path: groupPath(arn) }]),
    )
    const names = { balancer: (id: string) => balancers.get(id), group: (id: string) => groups.get(id) }
    const ownerOf = ({ id }: RequestEntry) => `${balancers.get(id)?.account}/${balancers.get(id)?.region}`
    for (const own of Map.groupBy(entries, ownerOf).values())
      cloud.cloudwatch.record(
        balancers.get(own[0]!.id) ?? { account, region },
        responsePoints(own, names, clock.now()),
      )
  }
}
