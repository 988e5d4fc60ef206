import type { Context } from '../../context.ts'
import type { Store } from '../../../store/store.ts'
import { environmentById, liveEnvironment, type EnvironmentRow } from '../store.ts'
import { invalidCombination, invalidValue } from '../validation.ts'

type Named = {
  ApplicationName?: string | undefined
  EnvironmentId?: string | undefined
  EnvironmentName?: string | undefined
}

/** The live environment that a request names by id, name or both.
 *  @throws DeclaredError in AWS's words when there is none. */
export function findEnvironment(store: Store, context: Context, named: Named): EnvironmentRow {
  const { ApplicationName: application, EnvironmentId: id, EnvironmentName: name } = named
  if (id === undefined && name === undefined)
    throw invalidCombination('You must specify either the EnvironmentId or the EnvironmentName.')
  const row = id === undefined ? liveEnvironment(store, context, name) : environmentById(store, id)
  const fits =
    row !== undefined &&
    row.terminatedAt === null &&
    row.account === context.account &&
    row.region === context.region &&
    (name === undefined || row.name === name) &&
    (application === undefined || row.applicationName === application)
  if (fits) return row
  throw invalidValue(
    id === undefined
      ? `No Environment found for EnvironmentName = '${name}'.`
      : `No Environment found for EnvironmentId = '${id}'.`,
  )
}

/** @throws DeclaredError unless the environment takes operations now. */
export function checkReady(row: EnvironmentRow): void {
  if (row.status !== 'Ready')
    throw invalidValue(
      `Environment named ${row.name} is in an invalid state for this operation. Must be Ready.`,
    )
}
