// Rows found or refused, and described.
import type { ServiceDeps } from '../service.ts'
import { checkName, type Tag } from './checks.ts'
import { noSuchEntity } from './errors.ts'
import { instanceProfileRow, roleRow, type InstanceProfileRow, type RoleRow } from './store.ts'

export function findRole({ store }: ServiceDeps, account: string, name: string | undefined): RoleRow {
  const row = roleRow(store, account, checkName(name, 'roleName', 64))
  if (!row) throw noSuchEntity(`The role with name ${name} cannot be found.`)
  return row
}

export function findInstanceProfile(
  { store }: ServiceDeps,
  account: string,
  name: string | undefined,
): InstanceProfileRow {
  const row = instanceProfileRow(store, account, checkName(name, 'instanceProfileName', 128))
  if (!row) throw noSuchEntity(`Instance Profile ${name} cannot be found.`)
  return row
}

export const tagsOf = (row: { tags: string }): Tag[] => JSON.parse(row.tags)

/** Policies travel percent-encoded (RFC 3986) in every answer. */
export const encodePolicy = (document: string) =>
  encodeURIComponent(document).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/** As in lists; GetRole and CreateRole add the tags. */
export const describeRole = (row: RoleRow) => ({
  Path: row.path,
  RoleName: row.name,
  RoleId: row.id,
  Arn: `arn:aws:iam::${row.account}:role${row.path}${row.name}`,
  CreateDate: new Date(row.createdAt),
  AssumeRolePolicyDocument: encodePolicy(row.trustPolicy),
  Description: row.description ?? undefined,
  MaxSessionDuration: row.sessionSecondsMax,
})

export function describeInstanceProfile({ store }: ServiceDeps, row: InstanceProfileRow) {
  const role = row.roleName === null ? undefined : roleRow(store, row.account, row.roleName)
  return {
    Path: row.path,
    InstanceProfileName: row.name,
    InstanceProfileId: row.id,
    Arn: `arn:aws:iam::${row.account}:instance-profile${row.path}${row.name}`,
    CreateDate: new Date(row.createdAt),
    Roles: role ? [describeRole(role)] : [],
  }
}
