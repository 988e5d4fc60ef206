import type { Context } from '../../context.ts'
import type { Parts } from '../parts.ts'

/** The names of the instance types that ec2 has, for ResolveInput.instanceTypes. */
export function knownInstanceTypes({ cloud }: Pick<Parts, 'cloud'>, context: Context): ReadonlySet<string> {
  const names = new Set<string>()
  let token: string | undefined
  do {
    const page = cloud.ec2.describeInstanceTypes(context, token === undefined ? {} : { NextToken: token })
    for (const { InstanceType: name } of page.InstanceTypes ?? []) if (name !== undefined) names.add(name)
    token = page.NextToken || undefined
  } while (token !== undefined)
  return names
}
