import type { IamOperations } from '../../generated/iam.ts'
import type { ServiceDeps } from '../../service.ts'
import { checkName, checkPath, joinTags, pageOf } from '../checks.ts'
import { deleteConflict, entityAlreadyExists, limitExceeded, noSuchEntity } from '../errors.ts'
import { limits } from '../limits.ts'
import { describeInstanceProfile, findInstanceProfile, findRole, tagsOf } from '../lookup.ts'
import { count, instanceProfileRow, type InstanceProfileRow } from '../store.ts'

type Names =
  | 'createInstanceProfile'
  | 'getInstanceProfile'
  | 'listInstanceProfiles'
  | 'listInstanceProfilesForRole'
  | 'deleteInstanceProfile'
  | 'addRoleToInstanceProfile'
  | 'removeRoleFromInstanceProfile'
  | 'tagInstanceProfile'
  | 'untagInstanceProfile'
  | 'listInstanceProfileTags'

export function makeInstanceProfileOperations(deps: ServiceDeps): Pick<IamOperations, Names> {
  const { store, clock, ids } = deps
  const change = ({ account, name }: InstanceProfileRow, set: Partial<InstanceProfileRow>) =>
    void store.update('iam_instance_profile', { account, name }, set)
  const all = (account: string) =>
    store.all<InstanceProfileRow>(
      'select * from iam_instance_profile where account = :account order by name',
      { account },
    )

  return {
    createInstanceProfile({ account }, input) {
      const name = checkName(input.InstanceProfileName, 'instanceProfileName', 128)
      const profile: InstanceProfileRow = {
        account,
        name,
        path: checkPath(input.Path),
        id: ids.upper('AIPA', 17),
        roleName: null,
        tags: JSON.stringify(joinTags([], input.Tags ?? [])),
        createdAt: clock.now(),
      }
      if (instanceProfileRow(store, account, name))
        throw entityAlreadyExists(`Instance Profile ${name} already exists.`)
      if (count(store, 'iam_instance_profile', account) >= limits.instanceProfilesMax)
        throw limitExceeded('InstanceProfilesPerAccount', limits.instanceProfilesMax)
      store.insert('iam_instance_profile', profile)
      return { InstanceProfile: { ...describeInstanceProfile(deps, profile), ...tagsMember(profile) } }
    },

    getInstanceProfile({ account }, input) {
      const profile = findInstanceProfile(deps, account, input.InstanceProfileName)
      return { InstanceProfile: { ...describeInstanceProfile(deps, profile), ...tagsMember(profile) } }
    },

    listInstanceProfiles({ account }, input) {
      const found = all(account).filter((profile) => profile.path.startsWith(input.PathPrefix ?? '/'))
      const { page, paging } = pageOf(found, (profile) => profile.name, input)
      return { InstanceProfiles: page.map((profile) => describeInstanceProfile(deps, profile)), ...paging }
    },

    listInstanceProfilesForRole({ account }, input) {
      const role = findRole(deps, account, input.RoleName)
      const found = all(account).filter((profile) => profile.roleName === role.name)
      const { page, paging } = pageOf(found, (profile) => profile.name, input)
      return { InstanceProfiles: page.map((profile) => describeInstanceProfile(deps, profile)), ...paging }
    },

    deleteInstanceProfile({ account }, input) {
      const { name, roleName } = findInstanceProfile(deps, account, input.InstanceProfileName)
      if (roleName !== null)
        throw deleteConflict('Cannot delete entity, must remove roles from instance profile first.')
      store.remove('iam_instance_profile', { account, name })
      return {}
    },

    addRoleToInstanceProfile({ account }, input) {
      const profile = findInstanceProfile(deps, account, input.InstanceProfileName)
      const role = findRole(deps, account, input.RoleName)
      // AWS says so, with this quota's odd name, whichever role the profile has.
      if (profile.roleName !== null) throw limitExceeded('InstanceSessionsPerInstanceProfile', 1)
      change(profile, { roleName: role.name })
      return {}
    },

    removeRoleFromInstanceProfile({ account }, input) {
      const profile = findInstanceProfile(deps, account, input.InstanceProfileName)
      const role = findRole(deps, account, input.RoleName)
      if (profile.roleName !== role.name)
        throw noSuchEntity(
          `The role with name ${role.name} cannot be found in the instance profile ${profile.name}.`,
        )
      change(profile, { roleName: null })
      return {}
    },

    tagInstanceProfile({ account }, input) {
      const profile = findInstanceProfile(deps, account, input.InstanceProfileName)
      change(profile, { tags: JSON.stringify(joinTags(tagsOf(profile), input.Tags ?? [])) })
      return {}
    },

    untagInstanceProfile({ account }, input) {
      const profile = findInstanceProfile(deps, account, input.InstanceProfileName)
      change(profile, {
        tags: JSON.stringify(tagsOf(profile).filter((tag) => !input.TagKeys?.includes(tag.Key))),
      })
      return {}
    },

    listInstanceProfileTags({ account }, input) {
      const profile = findInstanceProfile(deps, account, input.InstanceProfileName)
      const { page, paging } = pageOf(tagsOf(profile), (tag) => tag.Key, input)
      return { Tags: page, ...paging }
    },
  }
}

const tagsMember = (profile: InstanceProfileRow) =>
  tagsOf(profile).length > 0 ? { Tags: tagsOf(profile) } : {}
