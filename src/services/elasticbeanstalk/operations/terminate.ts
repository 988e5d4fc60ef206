import type { Context } from '../../context.ts'
import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { ofEnvironment } from '../events.ts'
import type { Parts } from '../parts.ts'
import { environmentById, type EnvironmentRow } from '../store.ts'
import { invalidValue, notImplemented } from '../validation.ts'
import { describeEnvironment } from './describe-environment.ts'
import { findEnvironment } from './find-environment.ts'

export function makeTerminateEnvironment(parts: Parts): ElasticbeanstalkOperations['terminateEnvironment'] {
  return (context, input) => {
    const row = findEnvironment(parts.store, context, input)
    if (input.TerminateResources === false)
      throw notImplemented('TerminateResources=false (keeping the resources)')
    if (row.status === 'Terminating')
      throw invalidValue(
        `Environment named ${row.name} is in an invalid state for this operation. Must be Ready.`,
      )
    return describeEnvironment(parts, beginTermination(parts, context, row))
  }
}

/** Ends whatever is under way on the environment and starts to take it down. Joins the caller's transaction. */
export function beginTermination(parts: Parts, context: Context, row: EnvironmentRow): EnvironmentRow {
  const { store, clock, events, workflows } = parts
  for (const run of workflows.active(row.id)) workflows.cancel(run.id, 'the environment is being terminated')
  const now = clock.now()
  const state = {
    status: 'Terminating',
    abortable: 0,
    requestId: context.requestId,
    updatedAt: now,
    statusSince: now,
  }
  store.update('environment', { id: row.id }, state)
  const current = environmentById(store, row.id) ?? row
  events.write(ofEnvironment(current), 'INFO', 'terminateEnvironment is starting.')
  workflows.start('elasticbeanstalk.terminate-environment', row.id, { environmentId: row.id })
  return current
}
