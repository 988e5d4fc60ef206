import type { IamOperations } from '../../generated/iam.ts'
import type { ServiceDeps } from '../../service.ts'
import { checkName, checkPolicy, pageOf } from '../checks.ts'
import { invalidInput, limitExceeded, noSuchEntity, unmodifiable } from '../errors.ts'
import { limits } from '../limits.ts'
import { encodePolicy, findRole } from '../lookup.ts'
import { attachments, rolePolicies } from '../store.ts'

type Names =
  | 'attachRolePolicy'
  | 'detachRolePolicy'
  | 'listAttachedRolePolicies'
  | 'putRolePolicy'
  | 'getRolePolicy'
  | 'deleteRolePolicy'
  | 'listRolePolicies'

/** AWS's managed policies are taken by name; there are no others. */
const MANAGED = /^arn:aws:iam::aws:policy\/(?:[\w+=,.@-]+\/)*([\w+=,.@-]+)$/

export function makeRolePolicyOperations(deps: ServiceDeps): Pick<IamOperations, Names> {
  const { store } = deps
  const findOwnRole = (account: string, name: string | undefined) => {
    const role = findRole(deps, account, name)
    if (role.serviceName !== null) throw unmodifiable(role.name)
    return role
  }

  return {
    attachRolePolicy({ account }, input) {
      const { name: roleName } = findOwnRole(account, input.RoleName)
      const policyArn = checkArn(input.PolicyArn)
      if (!MANAGED.test(policyArn))
        throw noSuchEntity(`Policy ${policyArn} does not exist or is not attachable.`)
      const attached = attachments(store, account, roleName)
      if (attached.includes(policyArn)) return {}
      if (attached.length >= limits.attachmentsMax)
        throw limitExceeded('PoliciesPerRole', limits.attachmentsMax)
      store.insert('iam_role_attachment', { account, roleName, policyArn })
      return {}
    },

    detachRolePolicy({ account }, input) {
      const { name: roleName } = findOwnRole(account, input.RoleName)
      const policyArn = checkArn(input.PolicyArn)
      if (store.remove('iam_role_attachment', { account, roleName, policyArn }) === 0)
        throw noSuchEntity(`Policy ${policyArn} was not found.`)
      return {}
    },

    listAttachedRolePolicies({ account }, input) {
      const role = findRole(deps, account, input.RoleName)
      const all = attachments(store, account, role.name)
        .map((arn) => ({
          PolicyArn: arn,
          PolicyName: MANAGED.exec(arn)?.[1] ?? '',
          path: arn.replace(/^.*?:policy(\/.*\/|\/).*$/, '$1'),
        }))
        .filter(({ path }) => path.startsWith(input.PathPrefix ?? '/'))
      const { page, paging } = pageOf(all, (policy) => policy.PolicyArn, input)
      return {
        AttachedPolicies: page.map(({ PolicyArn, PolicyName }) => ({ PolicyArn, PolicyName })),
        ...paging,
      }
    },

    putRolePolicy({ account }, input) {
      const { name: roleName } = findOwnRole(account, input.RoleName)
      const name = checkName(input.PolicyName, 'policyName', 128)
      const document = checkPolicy(input.PolicyDocument, limits.inlinePolicyCharactersMax)
      const others = rolePolicies(store, account, roleName).filter((policy) => policy.name !== name)
      const characters = [...others, { document }].reduce(
        (sum, one) => sum + one.document.replace(/\s/g, '').length,
        0,
      )
      if (characters > limits.inlinePolicyCharactersMax)
        throw limitExceeded('RolePolicySize', limits.inlinePolicyCharactersMax)
      store.put('iam_role_policy', { account, roleName, name, document })
      return {}
    },

    getRolePolicy({ account }, input) {
      const role = findRole(deps, account, input.RoleName)
      const policy = rolePolicies(store, account, role.name).find((one) => one.name === input.PolicyName)
      if (!policy) throw noSuchEntity(`The role policy with name ${input.PolicyName} cannot be found.`)
      return { RoleName: role.name, PolicyName: policy.name, PolicyDocument: encodePolicy(policy.document) }
    },

    deleteRolePolicy({ account }, input) {
      const { name: roleName } = findOwnRole(account, input.RoleName)
      const name = checkName(input.PolicyName, 'policyName', 128)
      if (store.remove('iam_role_policy', { account, roleName, name }) === 0)
        throw noSuchEntity(`The role policy with name ${name} cannot be found.`)
      return {}
    },

    listRolePolicies({ account }, input) {
      const role = findRole(deps, account, input.RoleName)
      const names = rolePolicies(store, account, role.name).map((policy) => policy.name)
      const { page, paging } = pageOf(names, (name) => name, input)
      return { PolicyNames: page, ...paging }
    },
  }
}

function checkArn(arn: string | undefined): string {
  if (arn && arn.length >= 20 && arn.length <= 2048 && arn.startsWith('arn:')) return arn
  throw invalidInput(`ARN ${arn ?? ''} is not valid.`)
}
