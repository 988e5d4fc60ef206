import { BlockList, isIPv4 } from 'node:net'
import type { TargetDescription, TargetHealthDescription } from '@aws-sdk/client-elastic-load-balancing-v2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { refuseOthers } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Elasticloadbalancingv2Operations } from '../../generated/elasticloadbalancingv2.ts'
import { DEREGISTRATION_DELAY, numberOf, targetGroupAttributes } from '../attributes.ts'
import { requireTargetGroup, type Elbv2Deps } from '../deps.ts'
import { missing, unsupported, validation } from '../errors.ts'
import { deregistrationInProgress, registrationInProgress, unusedTarget } from '../health.ts'
import {
  attributesOf,
  healthCheckOf,
  loadBalancersOf,
  removeTarget,
  targetsOf,
  updateTarget,
  usesOf,
  type TargetGroupRow,
  type TargetRow,
} from '../store.ts'
import { requirePort } from './target-groups.ts'

type Implemented = Pick<
  Elasticloadbalancingv2Operations,
  'registerTargets' | 'deregisterTargets' | 'describeTargetHealth'
>

/** AWS: 1,000 per load balancer. */
export const TARGETS_MAX = 1_000

export function makeTargetOperations(deps: Elbv2Deps): Implemented {
  const { store, clock } = deps
  return {
    registerTargets(context, input) {
      refuseOthers(input, ['TargetGroupArn', 'Targets'], unsupported)
      const group = requireTargetGroup(deps, context, input.TargetGroupArn)
      const wanted = targetsOfInput(group, input.Targets)
      const ids = wanted.map(({ targetId }) => targetId)
      if (group.targetType === 'ip') requireInVpc(context, group, ids)
      else requireRunning(context, ids)
      const before = targetsOf(store, group.arn)
      const added = wanted.filter(
        (one) => !before.some((row) => row.targetId === one.targetId && row.port === one.port),
      )
      if (before.length + added.length > TARGETS_MAX)
        throw new DeclaredError(
          'TooManyTargets',
          `The maximum number of targets (${TARGETS_MAX}) has been reached`,
        )
      const { account, region } = context
      const health = isUsed(context, group) ? registrationInProgress : unusedTarget
      for (const { targetId, port } of wanted) {
        const row = before.find((one) => one.targetId === targetId && one.port === port)
        const fresh = { registeredAt: clock.now(), drainingSince: null, inFlight: 0, ...health }
        // A target that drains and is registered again starts anew; one that is there stays as it is.
        if (row && row.drainingSince !== null) updateTarget(store, row, fresh)
        if (!row)
          store.insert('elbv2_target', {
            targetGroupArn: group.arn,
            targetId,
            port,
            account,
            region,
            ...fresh,
          })
      }
      return {}
    },
    // AWS: success also for targets that are not registered.
    deregisterTargets(context, input) {
      refuseOthers(input, ['TargetGroupArn', 'Targets'], unsupported)
      const group = requireTargetGroup(deps, context, input.TargetGroupArn)
      if (!input.Targets?.length) throw missing('targets')
      const delay = numberOf(targetGroupAttributes, attributesOf(group.attributes), DEREGISTRATION_DELAY)
      const atOnce = delay === 0 || !isUsed(context, group)
      for (const { Id, Port } of input.Targets)
        for (const row of targetsOf(store, group.arn)) {
          if (row.targetId !== Id || (Port !== undefined && row.port !== Port)) continue
          if (atOnce) removeTarget(store, row)
          else if (row.drainingSince === null)
            updateTarget(store, row, { drainingSince: clock.now(), ...deregistrationInProgress })
        }
      return {}
    },
    describeTargetHealth(context, input) {
      refuseOthers(input, ['TargetGroupArn', 'Targets', 'Include'], unsupported)
      const group = requireTargetGroup(deps, context, input.TargetGroupArn)
      const rows = targetsOf(store, group.arn)
      if (!input.Targets?.length) return { TargetHealthDescriptions: rows.map((row) => describe(group, row)) }
      return {
        TargetHealthDescriptions: targetsOfInput(group, input.Targets).map(({ targetId, port }) => {
          const row = rows.find((one) => one.targetId === targetId && one.port === port)
          return row ? describe(group, row) : notRegistered(targetId, port)
        }),
      }
    },
  }

  function isUsed(context: Context, group: TargetGroupRow): boolean {
    return usesOf(store, context).some((use) => use.targetGroupArn === group.arn)
  }

  function targetsOfInput(group: TargetGroupRow, targets: TargetDescription[] | undefined) {
    if (!targets?.length) throw missing('targets')
    return targets.map((target) => {
      refuseOthers(target, ['Id', 'Port'], (member) => unsupported(`Targets.${member}`))
      if (!target.Id) throw missing('targets.id')
      return { targetId: target.Id, port: target.Port === undefined ? group.port : requirePort(target.Port) }
    })
  }

  // AWS takes private addresses of elsewhere too; here no route leads to them from a load balancer.
  function requireInVpc(context: Context, { vpcId }: TargetGroupRow, ids: string[]) {
    const malformed = ids.find((id) => !isIPv4(id))
    if (malformed !== undefined) throw validation(`The IP address '${malformed}' is not a valid IPv4 address`)
    const [vpc] = deps.cloud.ec2.describeVpcs(context, { VpcIds: [vpcId] }).Vpcs ?? []
    const [network = '', bits] = (vpc?.CidrBlock ?? '').split('/')
    const range = new BlockList()
    range.addSubnet(network, Number(bits))
    const outside = ids.filter((id) => !range.check(id))
    // One that leads to itself would go round for as long as headers have room.
    const balancers = loadBalancersOf(store, context).map(({ address }) => address)
    const balancer = ids.find((id) => balancers.includes(id))
    if (balancer !== undefined)
      throw new DeclaredError('InvalidTarget', `The target '${balancer}' is a load balancer's address`)
    if (outside.length > 0)
      throw new DeclaredError(
        'InvalidTarget',
        `The following targets are not within the VPC '${vpcId}': ${outside.map((id) => `'${id}'`).join(', ')}`,
      )
  }

  function requireRunning(context: Context, ids: string[]) {
    const Filters = [{ Name: 'instance-id', Values: ids }]
    const found = (deps.cloud.ec2.describeInstances(context, { Filters }).Reservations ?? []).flatMap(
      (one) => one.Instances ?? [],
    )
    const unknown = ids.filter((id) => !found.some((instance) => instance.InstanceId === id))
    if (unknown.length > 0)
      throw new DeclaredError(
        'InvalidTarget',
        `The following targets are not valid instances: ${unknown.map((id) => `'${id}'`).join(', ')}`,
      )
    const idle = found
      .filter((instance) => instance.State?.Name !== 'running')
      .map((instance) => `'${instance.InstanceId}'`)
    if (idle.length > 0)
      throw new DeclaredError(
        'InvalidTarget',
        `The following targets are not in a running state and cannot be registered: ${idle.join(', ')}`,
      )
  }
}

const describe = (group: TargetGroupRow, row: TargetRow): TargetHealthDescription => ({
  Target: { Id: row.targetId, Port: row.port },
  HealthCheckPort: String(healthCheckOf(group).port ?? row.port),
  TargetHealth: {
    State: row.health,
    ...(row.reason !== '' && { Reason: row.reason as never }),
    ...(row.description !== '' && { Description: row.description }),
  },
  AdministrativeOverride: {
    State: 'no_override',
    Reason: 'AdministrativeOverride.NoOverride',
    Description: 'No override is currently active on target',
  },
})

const notRegistered = (Id: string, Port: number): TargetHealthDescription => ({
  Target: { Id, Port },
  TargetHealth: {
    State: 'unused',
    Reason: 'Target.NotRegistered',
    Description: 'Target is not registered to the target group',
  },
})
