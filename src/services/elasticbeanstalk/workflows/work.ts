// What the steps of a workflow work with: the environment, what was made for it, and what it shall be.
import type { Context } from '../../context.ts'
import { systemContext } from '../../service.ts'
import type { EnvironmentConfiguration } from '../configuration/types.ts'
import type { Parts } from '../parts.ts'
import { environmentById, resourcesOf, type EnvironmentResources, type EnvironmentRow } from '../store.ts'

export type Work = {
  parts: Parts
  row: EnvironmentRow
  context: Context
  configuration: EnvironmentConfiguration
}

export const workOn = (parts: Parts, row: EnvironmentRow, configuration: EnvironmentConfiguration): Work => ({
  parts,
  row,
  context: systemContext(row.account, row.region, row.requestId),
  configuration,
})

/** The environment as it is now. @throws Error when its row is gone, which ends a workflow. */
export function current({ store }: Parts, environmentId: string): EnvironmentRow {
  const row = environmentById(store, environmentId)
  if (!row) throw new Error(`environment ${environmentId} is gone`)
  return row
}

export function remember({ store }: Parts, environmentId: string, made: EnvironmentResources): void {
  const row = environmentById(store, environmentId)
  if (row) store.update('environment', { id: environmentId }, { resources: { ...resourcesOf(row), ...made } })
}

export function forget(
  { store }: Parts,
  environmentId: string,
  ...members: (keyof EnvironmentResources)[]
): void {
  const row = environmentById(store, environmentId)
  if (!row) return
  const resources = resourcesOf(row)
  for (const member of members) delete resources[member]
  store.update('environment', { id: environmentId }, { resources })
}

export const stackName = (row: EnvironmentRow) => `awseb-${row.id}-stack`

export const defaultVpc = ({ cloud }: Parts, context: Context) =>
  required(cloud.ec2.describeVpcs(context, {}).Vpcs?.[0]?.VpcId, 'describeVpcs')

/** @throws Error */
export function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} answered nothing`)
  return value
}

export const awsTags = (row: EnvironmentRow) => [
  { Key: 'Name', Value: row.name },
  { Key: 'elasticbeanstalk:environment-id', Value: row.id },
  { Key: 'elasticbeanstalk:environment-name', Value: row.name },
]
