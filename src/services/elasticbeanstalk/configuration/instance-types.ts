import type { Cloud } from '../../cloud.ts'
import type { Context } from '../../context.ts'

export type InstanceTypeSource = { cloud: { ec2: Pick<Cloud['ec2'], 'describeInstanceTypes'> } }

/** The names of the instance types that ec2 has, for ResolveInput.instanceTypes. */
export function knownInstanceTypes({ cloud }: InstanceTypeSource, context: Context): ReadonlySet<string> {
  const names = new Set<string>()
  let token: string | undefined
  do {
    const page = cloud.ec2.describeInstanceTypes(context, token === undefined ? {} : { NextToken: token })
    for (const { InstanceType: name } of page.InstanceTypes ?? []) if (name !== undefined) names.add(name)
    token = page.NextToken || undefined
  } while (token !== undefined)
  return names
}
