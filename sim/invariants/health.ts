// At rest a colour is true: Green is exactly an environment whose every instance has its software and is healthy, and a
// Green environment answers 200.
import type { World } from '../world.ts'
import { column, environmentsOf, membersOf, resourcesOf, targetsOf, type EnvironmentRow } from './rows.ts'

export const health = (world: World): string[] =>
  environmentsOf(world)
    .filter(({ status }) => status === 'Ready')
    .flatMap((row) => [...colour(world, row), ...answers(world, row)])

function colour(world: World, row: EnvironmentRow): string[] {
  const well = isWell(world, row)
  if ((row.health === 'Green') === well) return []
  return [`${row.name} is ${row.health} (${row.causes}) though ${well ? 'all' : 'not all'} of it is well`]
}

function isWell(world: World, row: EnvironmentRow): boolean {
  const { autoScalingGroupName, front, elasticAddressId } = resourcesOf(row)
  const members = membersOf(world).filter(({ groupName }) => groupName === autoScalingGroupName)
  const targets = targetsOf(world)
  const leadsTo = column(
    world,
    `select leads_to from ec2_address where id = '${elasticAddressId}' and released_at is null`,
  )
  const known = world.store.all<{ instanceId: string; state: string; deploymentId: number | null }>(
    'select * from environment_instance where environment_id = :id',
    row,
  )
  return (
    members.length > 0 &&
    members.every(({ instanceId }) => {
      const one = known.find((each) => each.instanceId === instanceId)
      const expected = row.expectedDeploymentId ?? one?.deploymentId
      const target = targets.find(({ targetId }) => targetId === instanceId)
      const served = front === 'elastic address' ? leadsTo.includes(instanceId) : target?.health === 'healthy'
      return one?.state === 'Deployed' && one.deploymentId === expected && served
    })
  )
}

/** AWS: nobody asks a single instance whether its application answers; its users' requests tell. */
export const isUnchecked = (row: { resources: string }) => row.resources.includes('"front":"elastic address"')
/** What a broken application answers. */
export const BROKEN = 500

// Each target in its turn.
function answers(world: World, row: EnvironmentRow): string[] {
  if (row.health !== 'Green') return []
  const asked = membersOf(world).map(() => world.request(row.cnamePrefix))
  return asked
    .filter((status) => status !== 200 && !(status === BROKEN && isUnchecked(row)))
    .map((status) => `${row.name} is Green and answers ${status}`)
}
