import type { Cloud } from '../../cloud.ts'
import type { Context } from '../../context.ts'

export type InstanceTypeSource = {
  cloud: { ec2: Pick<Cloud['ec2'], 'describeInstanceTypes' | 'describeImages'> }
}

/** The names of the instance types that this machine can be, for ResolveInput.instanceTypes. */
export function knownInstanceTypes({ cloud }: InstanceTypeSource, context: Context): ReadonlySet<string> {
  const names = new Set<string>()
  const architectures = (cloud.ec2.describeImages(context, {}).Images ?? []).flatMap(
    (image) => image.Architecture ?? [],
  )
  const Filters = [{ Name: 'processor-info.supported-architecture', Values: architectures }]
  let token: string | undefined
  do {
    const page = cloud.ec2.describeInstanceTypes(context, { Filters, NextToken: token })
    for (const { InstanceType: name } of page.InstanceTypes ?? []) if (name !== undefined) names.add(name)
    token = page.NextToken || undefined
  } while (token !== undefined)
  return names
}
