// elasticloadbalancingv2.balancer: the engine carries what the rows say, and the rows show what the engine sees.
import { isIPv4 } from 'node:net'
import type { BalancerEngine, BalancerModel, BalancerObservation } from '../../engines/balancer/engine.ts'
import { hasPublicHttp } from '../../engines/balancer/engine.ts'
import type { Reconciler } from '../../control/reconciler.ts'
import { withTimeout } from '../../kernel/clock.ts'
import { DeclaredError, reasonOf } from '../../kernel/errors.ts'
import { certificatePem } from '../server-certificate.ts'
import { systemContext, type ServiceDeps } from '../service.ts'
import { DEREGISTRATION_DELAY, numberOf, targetGroupAttributes } from './attributes.ts'
import type { Rates } from './counters.ts'
import { BLIND_GRACE_MS, targetHealth, type InstanceFacts } from './health.ts'
import { customNames } from './host-names.ts'
import { buildModel, groupBehind, usedGroups, type Rows } from './model.ts'
import { certificatesOf } from './secure.ts'
import {
  attributesOf,
  idOfArn,
  removeTarget,
  updateTarget,
  type ListenerRow,
  type LoadBalancerRow,
  type RuleRow,
  type TargetGroupRow,
  type SharerRow,
  type TargetRow,
} from './store.ts'

const NAME = 'elasticloadbalancingv2.balancer'
/** EC2 takes 200 values of a filter; so many instances are on one page. */
const IDS_AT_ONCE = 200
/** The pace while a target is new or leaving, or a load balancer comes or goes. */
const UNSETTLED_MS = 500
const SETTLED_MS = 2_000
/** The same model is handed over again after this, should the engine have lost it. */
const AGAIN_MS = 5_000
const LOOK_TIMEOUT_MS = 10_000
const APPLY_TIMEOUT_MS = 30_000

export function makeBalancerReconciler(
  deps: ServiceDeps,
  balancer: BalancerEngine,
  rates: Rates,
): { reconciler: Reconciler; isApplied(): boolean; servesHttp(): boolean } {
  const { store, clock, cloud } = deps
  const lanes = deps.makeLanes(NAME, 1)
  let settled = false
  let applied: { model: string; at: number } | undefined
  let seenAt = clock.monotonic()

  const reconciler: Reconciler = {
    name: NAME,
    get everyMs() {
      return settled ? SETTLED_MS : UNSETTLED_MS
    },
    wakes: [
      'elbv2_load_balancer',
      'elbv2_target_group',
      'elbv2_listener',
      'elbv2_rule',
      'elbv2_sharer',
      'route53_record_set',
      'route53_health_check',
      'route53_zone',
      'acm_certificate',
      'acm_challenge',
      'iam_server_certificate',
      'elbv2_reason',
      'elbv2_target',
      'ec2_instance',
      'ec2_security_group_rule',
      'ec2_network_interface',
      'ec2_address',
      'ec2_tag',
    ],
    async reconcile() {
      // What was asked does not wait for what is seen: a revoked client is let in until it is applied.
      if (applied && applied.model !== modelNow().text) submitApply()
      const observed = await look()
      const model = store.transaction(() => {
        const rows = rowsNow()
        record(rows, observed.seen)
        if (observed.seen) recordTaken(rows.loadBalancers, observed.seen)
        recordAddresses(rows, observed.seen)
        settled = isSettled(rowsNow())
        return modelNow().text
      })
      const due = !applied || applied.model !== model || clock.monotonic() - applied.at >= AGAIN_MS
      if (due) submitApply()
      // An engine that was never told anything cannot be seen either; only then is that no failure.
      if (observed.failure && applied) throw observed.failure
      return { settled, observed: observed.failure ? reasonOf(observed.failure) : 'yes' }
    },
  }

  return {
    reconciler,
    servesHttp: () => hasPublicHttp(modelNow().model),
    isApplied: () => applied?.model === modelNow().text,
  }

  function modelNow(): { model: BalancerModel; text: string } {
    return store.remember(`${NAME} model`, () => {
      const model = buildModel(rowsNow())
      return { model, text: JSON.stringify(model) }
    })
  }

  function rowsNow(): Rows {
    return store.remember(`${NAME} rows`, readRows)
  }

  function submitApply() {
    lanes.submit([{ what: 'apply', lane: 'balancer', timeoutMs: APPLY_TIMEOUT_MS, perform: apply }])
  }

  async function look(): Promise<{ seen?: BalancerObservation; failure?: unknown }> {
    try {
      const seen = await withTimeout(clock, LOOK_TIMEOUT_MS, 'balancer.observe', () => balancer.observe())
      rates.see(seen)
      seenAt = clock.monotonic()
      return { seen }
    } catch (failure) {
      return { failure }
    }
  }

  // The newest rows, however long it waited for its turn.
  async function apply() {
    const rows = rowsNow()
    const { model, text } = modelNow()
    await balancer.apply(model)
    applied = { model: text, at: clock.monotonic() }
    store.transaction(() => {
      const there = new Set(
        [...rows.loadBalancers, ...rows.targetGroups, ...rows.addresses].map(({ id }) => id),
      )
      for (const id of rows.reasons.keys()) if (!there.has(id)) store.remove('elbv2_reason', { id })
      for (const row of rows.loadBalancers) {
        if (row.deletedAt !== null) release(row)
        else if (row.state === 'provisioning')
          store.update('elbv2_load_balancer', { arn: row.arn }, { state: 'active' })
      }
    })
  }

  // The engine does not carry it any more: now its address may rest and its row may go.
  function release(row: LoadBalancerRow) {
    const context = systemContext(row.account, row.region, '')
    try {
      cloud.ec2.deleteNetworkInterface(context, { NetworkInterfaceId: row.networkInterfaceId })
    } catch (error) {
      if (!(error instanceof DeclaredError)) throw error // it is gone already
    }
    store.remove('elbv2_load_balancer', { arn: row.arn })
  }

  // Without sight of the engine only what needs none is decided: a drain whose time is over, an instance that is gone;
  // and, after a while, that nobody knows how the others are.
  function record(
    { targets, targetGroups, listeners, rules, instances }: Rows,
    seen: BalancerObservation | undefined,
  ): void {
    const now = clock.now()
    const groups = new Map(targetGroups.map((one) => [one.arn, one]))
    const observations = new Map(
      seen?.targets.map((one) => [`${one.targetGroupId} ${one.targetId} ${one.port}`, one]),
    )
    const used = usedGroups({ listeners, rules })
    const blindMs = seen ? 0 : Math.max(1, clock.monotonic() - seenAt)
    for (const row of targets) {
      const group = groups.get(row.targetGroupArn)
      const observed = observations.get(`${idOfArn(row.targetGroupArn)} ${row.targetId} ${row.port}`)
      const health = targetHealth(
        {
          row,
          observed,
          blindMs,
          used: used.has(row.targetGroupArn),
          instance: instances.get(row.targetId),
          deregistrationDelayMs:
            1000 *
            numberOf(targetGroupAttributes, attributesOf(group?.attributes ?? '{}'), DEREGISTRATION_DELAY),
        },
        now,
      )
      if (health === 'gone') {
        removeTarget(store, row)
        continue
      }
      const next = {
        ...health,
        inFlight: row.drainingSince === null ? 0 : (observed?.current ?? (seen ? 0 : row.inFlight)),
      }
      const same =
        next.health === row.health &&
        next.reason === row.reason &&
        next.description === row.description &&
        next.inFlight === row.inFlight
      if (!same) updateTarget(store, row, next)
    }
  }

  // Without sight of the engine what was seen last holds for a while, as for targets.
  function recordAddresses({ addresses }: Rows, seen: BalancerObservation | undefined) {
    const isBlind = clock.monotonic() - seenAt >= BLIND_GRACE_MS
    if (!seen && !isBlind) return
    const found = addresses.map((address) => {
      const { id, impairment } = address
      const group = groupBehind(address)
      const target = seen?.targets.find((one) => one.targetGroupId === group && one.health === 'healthy')
      return {
        ...{ id, leadsTo: target?.targetId ?? null, inFlight: target?.current ?? 0 },
        impairment: seen ? takenFrom(seen, id) : impairment,
      }
    })
    cloud.ec2.noteElasticAddresses(found)
  }

  function recordTaken(loadBalancers: LoadBalancerRow[], seen: BalancerObservation): void {
    for (const { arn, id, impairment } of loadBalancers)
      if (takenFrom(seen, id) !== impairment)
        store.update('elbv2_load_balancer', { arn }, { impairment: takenFrom(seen, id) })
  }

  function readRows(): Rows {
    const tables = {
      loadBalancers: store.all<LoadBalancerRow>('select * from elbv2_load_balancer'),
      listeners: store.all<ListenerRow>('select * from elbv2_listener'),
      rules: store.all<RuleRow>('select * from elbv2_rule'),
      targetGroups: store.all<TargetGroupRow>('select * from elbv2_target_group'),
      targets: store.all<TargetRow>('select * from elbv2_target'),
      sharers: store.all<SharerRow>('select * from elbv2_sharer'),
    }
    return {
      ...tables,
      instances: instancesOf(tables.targets),
      clientRules: cloud.ec2.clientRules(),
      addresses: cloud.ec2.elasticAddresses(),
      customNames: customNames(deps),
      certificates: certificatesIn(tables.listeners),
      challenges: cloud.acm.challenges().http,
      reasons: new Map(
        store
          .all<{ id: string; reason: string }>('select * from elbv2_reason')
          .map(({ id, reason }) => [id, reason]),
      ),
    }
  }

  function certificatesIn(listeners: ListenerRow[]): Map<string, string> {
    const pems = new Map<string, string>()
    for (const { account, region, ...row } of listeners)
      for (const arn of certificatesOf(row)) {
        const pem = pems.get(arn) ?? certificatePem(cloud, systemContext(account, region, ''), arn)
        if (pem !== undefined) pems.set(arn, pem)
      }
    return pems
  }

  function instancesOf(targets: TargetRow[]): Map<string, InstanceFacts> {
    // An address is there for as long as it is registered: whose it is nobody asks.
    const facts = new Map<string, InstanceFacts>(
      targets
        .filter(({ targetId }) => isIPv4(targetId))
        .map(({ targetId }) => [targetId, { state: 'running', address: targetId }]),
    )
    for (const rows of Map.groupBy(targets, (row) => `${row.account}/${row.region}`).values()) {
      const context = systemContext(rows[0]!.account, rows[0]!.region, '')
      const ids = [...new Set(rows.map((row) => row.targetId))].filter((id) => !isIPv4(id))
      for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
        const Filters = [{ Name: 'instance-id', Values: ids.slice(from, from + IDS_AT_ONCE) }]
        const { Reservations = [] } = cloud.ec2.describeInstances(context, { Filters })
        for (const { InstanceId, State, PrivateIpAddress } of Reservations.flatMap(
          (one) => one.Instances ?? [],
        ))
          facts.set(InstanceId ?? '', { state: State?.Name ?? '', address: PrivateIpAddress })
      }
    }
    return facts
  }
}

const isSettled = ({ loadBalancers, targets }: Rows) =>
  loadBalancers.every((row) => row.state === 'active' && row.deletedAt === null) &&
  targets.every((row) => row.health !== 'initial' && row.health !== 'draining')

/** Why a load balancer or elastic address is not reached at some port; '' = it is. */
const takenFrom = ({ taken }: BalancerObservation, id: string): string =>
  [...new Set(taken.filter((one) => one.id === id).map(({ reason }) => reason))].join('; ')
