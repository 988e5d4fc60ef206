// At rest a colour is true: Green is exactly an environment whose every instance has its software and is healthy, and a
// Green environment answers 200.
import type { World } from '../world.ts'
import { environmentsOf, membersOf, resourcesOf, targetsOf, type EnvironmentRow } from './rows.ts'

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
  const { autoScalingGroupName } = resourcesOf(row)
  const members = membersOf(world).filter(({ groupName }) => groupName === autoScalingGroupName)
  const targets = targetsOf(world)
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
      return one?.state === 'Deployed' && one.deploymentId === expected && target?.health === 'healthy'
    })
  )
}

// Each target in its turn.
function answers(world: World, row: EnvironmentRow): string[] {
  if (row.health !== 'Green') return []
  const asked = membersOf(world).map(() => world.request(row.cnamePrefix))
  return asked
    .filter((status) => status !== 200)
    .map((status) => `${row.name} is Green and answers ${status}`)
}
