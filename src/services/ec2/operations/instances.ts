import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import { requireCapacity } from '../capacity.ts'
import { instanceTypes } from '../catalogue.ts'
import { isInternal, type Ec2Deps } from '../deps.ts'
import { describeReservations, describeState, statusOf } from '../describe-instance.ts'
import { missing, noInstance, paging } from '../errors.ts'
import { filtered } from '../filters.ts'
import { UNANSWERED_FILTERS, instanceFilters, STATUS_FILTERS } from '../instance-filters.ts'
import { instancesOf, tagsOf, type InstanceRow } from '../store.ts'

type Implemented = Pick<
  Ec2Operations,
  | 'describeInstances'
  | 'describeInstanceStatus'
  | 'terminateInstances'
  | 'stopInstances'
  | 'startInstances'
  | 'rebootInstances'
>

export function makeInstanceOperations(deps: Ec2Deps): Implemented {
  const { store, clock } = deps

  function find(context: Context, ids: string[] | undefined): InstanceRow[] {
    const rows = instancesOf(store, context)
    if (!ids?.length) return rows
    const wrong = ids.filter((id) => !rows.some((row) => row.id === id))
    if (wrong.length > 0) throw noInstance(wrong)
    return rows.filter((row) => ids.includes(row.id))
  }

  function change(
    context: Context,
    ids: string[] | undefined,
    move: (row: InstanceRow) => Partial<InstanceRow>,
  ) {
    if (!ids?.length) throw missing('InstanceId')
    const rows = find(context, ids)
    const moves = rows.map((row) => ({ row, set: move(row) }))
    return moves.map(({ row, set }) => {
      if (Object.keys(set).length > 0) store.update('ec2_instance', { id: row.id }, set)
      return {
        InstanceId: row.id,
        PreviousState: describeState(row.state),
        CurrentState: describeState(set.state ?? row.state),
      }
    })
  }

  // One that is stopped holds no memory, so it must fit again.
  function requireRoom([first, ...others]: InstanceRow[]) {
    if (!first) return
    const [type, ...more] = [first, ...others].map((row) => instanceTypes.get(row.instanceType)!)
    const memoryMiB = more.reduce((sum, one) => sum + one.memoryMiB, type!.memoryMiB)
    requireCapacity(store, { ...type!, memoryMiB }, 1, first.zone, deps.budgets?.().memoryOvercommit)
  }

  const byUser = () =>
    `User initiated (${new Date(clock.now()).toISOString().slice(0, 19).replace('T', ' ')} GMT)`

  return {
    describeInstances(context, input) {
      requireNoIds(input.MaxResults, input.InstanceIds)
      const found = filtered(
        find(context, input.InstanceIds),
        input.Filters,
        instanceFilters(deps, context),
        (row) => tagsOf(store, row.id),
        UNANSWERED_FILTERS,
      )
      const limits = { token: input.NextToken, max: input.MaxResults }
      const page = pageOf(
        found,
        (row) => `${String(row.launchedAt).padStart(15, '0')} ${row.id}`,
        limits,
        paging(),
      )
      return { NextToken: page.next, Reservations: describeReservations(deps, context, page.items) }
    },
    describeInstanceStatus(context, input) {
      requireNoIds(input.MaxResults, input.InstanceIds)
      const rows = find(context, input.InstanceIds).filter(
        (row) => input.IncludeAllInstances || row.state === 'running',
      )
      const found = filtered(rows, input.Filters, STATUS_FILTERS, (row) => tagsOf(store, row.id))
      const limits = { token: input.NextToken, max: input.MaxResults }
      const page = pageOf(found, (row) => row.id, limits, paging())
      return {
        NextToken: page.next,
        InstanceStatuses: page.items.map((row) => ({
          InstanceId: row.id,
          AvailabilityZone: row.zone,
          InstanceState: describeState(row.state),
          Events: [],
          InstanceStatus: statusOf(row),
          SystemStatus: statusOf(row),
        })),
      }
    },
    terminateInstances(context, input) {
      const changes = change(context, input.InstanceIds, (row) => {
        if (row.desired === 'terminated') return {}
        // AWS: its group may terminate a protected instance all the same.
        if (row.disableApiTermination && !isInternal(context))
          throw isProtected(row, 'terminated', 'Termination')
        return {
          desired: 'terminated',
          state: 'shutting-down',
          stateReasonCode: 'Client.UserInitiatedShutdown',
          stateReasonMessage: 'Client.UserInitiatedShutdown: User initiated shutdown',
          stateTransitionReason: byUser(),
        }
      })
      return { TerminatingInstances: changes }
    },
    stopInstances(context, input) {
      const changes = change(context, input.InstanceIds, (row) => {
        if (row.state === 'stopped' || row.state === 'stopping') return {}
        if (row.state !== 'running') throw wrongState(row, 'stopped')
        if (row.disableApiStop) throw isProtected(row, 'stopped', 'Stop')
        return {
          desired: 'stopped',
          state: 'stopping',
          rebootBoot: null,
          stateReasonCode: 'Client.UserInitiatedShutdown',
          stateReasonMessage: 'Client.UserInitiatedShutdown: User initiated shutdown',
          stateTransitionReason: byUser(),
        }
      })
      return { StoppingInstances: changes }
    },
    startInstances(context, input) {
      const stopped = find(context, input.InstanceIds).filter((row) => row.state === 'stopped')
      if (input.InstanceIds?.length) requireRoom(stopped)
      const changes = change(context, input.InstanceIds, (row) => {
        if (row.state === 'running' || row.state === 'pending') return {}
        if (row.state !== 'stopped') throw wrongState(row, 'started')
        const told = { stateReasonCode: null, stateReasonMessage: null, stateTransitionReason: '' }
        return {
          desired: 'running',
          state: 'pending',
          launchedAt: clock.now(),
          recoveries: '[]',
          downSince: null,
          ...told,
        }
      })
      return { StartingInstances: changes }
    },
    rebootInstances(context, input) {
      change(context, input.InstanceIds, (row) => {
        if (row.state === 'running') return { rebootBoot: row.boot }
        if (row.state === 'pending') return {}
        throw wrongState(row, 'rebooted')
      })
      return {}
    },
  }
}

const wrongState = (row: InstanceRow, verb: string) =>
  new DeclaredError(
    'IncorrectInstanceState',
    `The instance '${row.id}' is not in a state from which it can be ${verb}.`,
  )

const isProtected = (row: InstanceRow, verb: string, attribute: string) =>
  new DeclaredError(
    'OperationNotPermitted',
    `The instance '${row.id}' may not be ${verb}. Modify its 'disableApi${attribute}' instance attribute and try again.`,
  )

function requireNoIds(max: number | undefined, ids: string[] | undefined) {
  if (max !== undefined && ids?.length)
    throw new DeclaredError(
      'InvalidParameterCombination',
      'The parameter instancesSet cannot be used with the parameter maxResults',
    )
}
