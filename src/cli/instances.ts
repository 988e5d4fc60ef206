// The instances of an environment, as their health tells of them.
import type { Top } from '../services/elasticbeanstalk/top.ts'
import type { Api, ApiHome } from './client.ts'
import type { Environment } from './environments.ts'
import { listOf, structureOf, textOf } from './xml.ts'

export type Instance = {
  id: string
  health: string
  zone: string
  version: string
  /** AWS's word for how far that is; '' = not known. */
  deployment: string
  causes: string[]
}

export const readTop = async (api: Api<ApiHome>, environment: string | undefined): Promise<Top> =>
  JSON.parse(
    await api.get(
      `/polebean/top${environment === undefined ? '' : `?environment=${encodeURIComponent(environment)}`}`,
    ),
  ) as Top

/** In the order in which they were launched. */
export async function instancesOf(
  api: Api<ApiHome>,
  { name, healthStatus }: Pick<Environment, 'name' | 'healthStatus'>,
): Promise<Instance[]> {
  // Where health is basic AWS describes none.
  if (healthStatus === '')
    return (await readTop(api, name)).instances.map(({ id, health, zone, versionLabel, causes }) => ({
      ...{ id, health, zone, version: versionLabel, deployment: '', causes },
    }))
  const { result } = await api.call('elasticbeanstalk', 'DescribeInstancesHealth', {
    EnvironmentName: name,
    AttributeNames: ['All'],
  })
  return listOf(result.InstanceHealthList).map((one) => {
    const deployment = structureOf(one.Deployment)
    return {
      id: textOf(one.InstanceId),
      health: textOf(one.HealthStatus),
      zone: textOf(one.AvailabilityZone),
      version: textOf(deployment.VersionLabel),
      deployment: textOf(deployment.Status),
      causes: causesOf(one.Causes),
    }
  })
}

export const causesOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
