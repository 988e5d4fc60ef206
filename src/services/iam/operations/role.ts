import type { IamOperations } from '../../generated/iam.ts'
import type { ServiceDeps } from '../../service.ts'
import { checkName, checkPath, checkPolicy, joinTags, pageOf } from '../checks.ts'
import {
  deleteConflict,
  entityAlreadyExists,
  invalidInput,
  limitExceeded,
  unmodifiable,
  validationError,
} from '../errors.ts'
import { limits } from '../limits.ts'
import { describeRole, findRole, tagsOf } from '../lookup.ts'
import { attachments, count, rolePolicies, roleRow, type RoleRow } from '../store.ts'

type Names =
  | 'createRole'
  | 'getRole'
  | 'listRoles'
  | 'deleteRole'
  | 'updateRole'
  | 'updateRoleDescription'
  | 'updateAssumeRolePolicy'
  | 'tagRole'
  | 'untagRole'
  | 'listRoleTags'

export function makeRoleOperations(deps: ServiceDeps): Pick<IamOperations, Names> {
  const { store, clock, ids } = deps
  const change = ({ account, name }: RoleRow, set: Partial<RoleRow>) =>
    void store.update('iam_role', { account, name }, set)
  const findOwnRole = (account: string, name: string | undefined) => {
    const role = findRole(deps, account, name)
    if (role.serviceName !== null) throw unmodifiable(role.name)
    return role
  }

  return {
    createRole({ account }, input) {
      const name = checkName(input.RoleName, 'roleName', 64)
      if (input.PermissionsBoundary) throw invalidInput('Permissions boundaries are not supported.')
      const path = checkPath(input.Path)
      if (path.startsWith('/aws-service-role/'))
        throw validationError(path, 'path', 'Paths that start with /aws-service-role/ are reserved')
      const role: RoleRow = {
        account,
        name,
        path,
        id: ids.upper('AROA', 17),
        trustPolicy: checkPolicy(input.AssumeRolePolicyDocument, limits.trustPolicyCharactersMax),
        description: checkDescription(input.Description) ?? null,
        sessionSecondsMax: checkSession(input.MaxSessionDuration) ?? 3600,
        serviceName: null,
        tags: JSON.stringify(joinTags([], input.Tags ?? [])),
        createdAt: clock.now(),
      }
      if (roleRow(store, account, name)) throw entityAlreadyExists(`Role with name ${name} already exists.`)
      if (count(store, 'iam_role', account) >= limits.rolesMax)
        throw limitExceeded('RolesPerAccount', limits.rolesMax)
      store.insert('iam_role', role)
      return { Role: { ...describeRole(role), ...tagsMember(role) } }
    },

    getRole({ account }, input) {
      const role = findRole(deps, account, input.RoleName)
      return { Role: { ...describeRole(role), ...tagsMember(role), RoleLastUsed: {} } }
    },

    listRoles({ account }, input) {
      const roles = store
        .all<RoleRow>('select * from iam_role where account = :account order by name', { account })
        .filter((role) => role.path.startsWith(input.PathPrefix ?? '/'))
      const { page, paging } = pageOf(roles, (role) => role.name, input)
      return { Roles: page.map(describeRole), ...paging }
    },

    deleteRole({ account }, input) {
      const { name } = findOwnRole(account, input.RoleName)
      if (
        store.get('select 1 from iam_instance_profile where account = :account and role_name = :name', {
          account,
          name,
        })
      )
        throw deleteConflict('Cannot delete entity, must remove roles from instance profile first.')
      if (attachments(store, account, name).length > 0)
        throw deleteConflict('Cannot delete entity, must detach all policies first.')
      if (rolePolicies(store, account, name).length > 0)
        throw deleteConflict('Cannot delete entity, must delete policies first.')
      store.remove('iam_role', { account, name })
      return {}
    },

    updateRole({ account }, input) {
      const role = findOwnRole(account, input.RoleName)
      change(role, {
        description: checkDescription(input.Description) ?? role.description,
        sessionSecondsMax: checkSession(input.MaxSessionDuration) ?? role.sessionSecondsMax,
      })
      return {}
    },

    updateRoleDescription({ account }, input) {
      const role = findOwnRole(account, input.RoleName)
      const description = checkDescription(input.Description) ?? null
      change(role, { description })
      return { Role: describeRole({ ...role, description }) }
    },

    updateAssumeRolePolicy({ account }, input) {
      const role = findOwnRole(account, input.RoleName)
      change(role, { trustPolicy: checkPolicy(input.PolicyDocument, limits.trustPolicyCharactersMax) })
      return {}
    },

    tagRole({ account }, input) {
      const role = findRole(deps, account, input.RoleName)
      change(role, { tags: JSON.stringify(joinTags(tagsOf(role), input.Tags ?? [])) })
      return {}
    },

    untagRole({ account }, input) {
      const role = findRole(deps, account, input.RoleName)
      change(role, { tags: JSON.stringify(tagsOf(role).filter((tag) => !input.TagKeys?.includes(tag.Key))) })
      return {}
    },

    listRoleTags({ account }, input) {
      const { page, paging } = pageOf(
        tagsOf(findRole(deps, account, input.RoleName)),
        (tag) => tag.Key,
        input,
      )
      return { Tags: page, ...paging }
    },
  }
}

const tagsMember = (role: RoleRow) => (tagsOf(role).length > 0 ? { Tags: tagsOf(role) } : {})

function checkDescription(description: string | undefined): string | undefined {
  if (description !== undefined && description.length > 1000)
    throw validationError(description, 'description', 'Member must have length less than or equal to 1000')
  return description
}

function checkSession(seconds: number | undefined): number | undefined {
  if (seconds === undefined || (seconds >= 3600 && seconds <= 43_200)) return seconds
  throw validationError(
    String(seconds),
    'maxSessionDuration',
    'Member must have value between 3600 and 43200',
  )
}
