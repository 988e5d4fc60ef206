// Rows as the invariants read them, and how two lists of ids are compared.
import type { World } from '../world.ts'

export type EnvironmentRow = {
  id: string
  name: string
  cnamePrefix: string
  status: string
  health: string
  causes: string
  expectedDeploymentId: number | null
  resources: string
  settings: string
}
export type InstanceRow = { id: string; state: string; desired: string; networkInterfaceId: string }
export type GroupRow = {
  name: string
  minSize: number
  maxSize: number
  desiredCapacity: number
  deleting: number
}
export type MemberRow = { instanceId: string; groupName: string; lifecycleState: string }
export type TargetRow = { targetGroupArn: string; targetId: string; health: string }

export const environmentsOf = ({ store }: World) =>
  store.all<EnvironmentRow>('select * from environment where terminated_at is null')
/** Of all its processes, those too that are to go. */
export function targetGroupsOf(row: EnvironmentRow): string[] {
  const { targetGroupArn, furtherTargetGroups = '{}', formerTargetGroups = '[]' } = resourcesOf(row)
  return [
    ...(targetGroupArn === undefined ? [] : [targetGroupArn]),
    ...Object.values(JSON.parse(furtherTargetGroups) as Record<string, string>),
    ...(JSON.parse(formerTargetGroups) as string[]),
  ]
}
export const resourcesOf = (row: EnvironmentRow) => JSON.parse(row.resources) as Record<string, string>
export const membersOf = ({ store }: World) => store.all<MemberRow>('select * from autoscaling_instance')
export const targetsOf = ({ store }: World) => store.all<TargetRow>('select * from elbv2_target')
export const liveInstances = ({ store }: World) =>
  store.all<InstanceRow>(`select * from ec2_instance where state <> 'terminated'`)

/** The one column of a query, as a list. */
export const column = ({ store }: World, sql: string): string[] =>
  store.all<Record<string, string>>(sql).map((row) => Object.values(row)[0] ?? '')

/** An environment whose every build failed never had software to put: its instances wait for the first good version. */
export function waitingForSoftware({ store }: World): Set<string> {
  const rows = store.all<{ id: string }>(
    `select i.id from ec2_instance i
     join ec2_tag t on t.resource_id = i.id and t.key = 'elasticbeanstalk:environment-id'
     join environment e on e.id = t.value
     where i.state = 'pending' and i.awaits_software = 1 and e.expected_deployment_id is null and e.status = 'Ready'
       and not exists (select 1 from ec2_instance_software s where s.instance_id = i.id)
       and (select state from deployment d where d.environment_id = e.id order by id desc limit 1) = 'failed'`,
  )
  return new Set(rows.map(({ id }) => id))
}

/** Sentences about what is only in one of the two lists. */
export function same(whatA: string, a: string[], whatB: string, b: string[]): string[] {
  const onlyA = a.filter((id) => !b.includes(id))
  const onlyB = b.filter((id) => !a.includes(id))
  return [
    ...(onlyA.length > 0 ? [`${whatA} without ${whatB}: ${onlyA.join(', ')}`] : []),
    ...(onlyB.length > 0 ? [`${whatB} without ${whatA}: ${onlyB.join(', ')}`] : []),
  ]
}
