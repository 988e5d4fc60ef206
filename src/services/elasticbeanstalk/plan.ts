// What the instances reconciler does: pure, and tested as a table.
import type { EnvironmentInstanceRow, EnvironmentRow } from './store.ts'

type Known = Pick<EnvironmentInstanceRow, 'instanceId' | 'deploymentId'>
type Placed = Known & Pick<EnvironmentInstanceRow, 'state' | 'launchedAt'>
type Environment = Pick<EnvironmentRow, 'status' | 'targetDeploymentId'>

/** Which instances came and went, against what the Auto Scaling group lists now. */
export function planMembership(listed: string[], known: Pick<Known, 'instanceId'>[]) {
  const ids = known.map(({ instanceId }) => instanceId)
  return {
    added: listed.filter((id) => !ids.includes(id)),
    removed: ids.filter((id) => !listed.includes(id)),
  }
}

/** Which instances are given the environment's target deployment now.
 *  An instance that awaits its first software always is. One that has an older deployment (it came while another was
 *  under way) is only when nothing is under way: during an update the workflow decides whose turn it is. One whose
 *  deployment is newer than the target keeps it: that deployment failed, and AWS leaves such instances mixed. */
export function planSoftware({ status, targetDeploymentId }: Environment, known: Known[]): string[] {
  if (targetDeploymentId === 0 || status === 'Terminating' || status === 'Terminated') return []
  return known
    .filter(
      ({ deploymentId }) =>
        deploymentId === null || (status === 'Ready' && deploymentId < targetDeploymentId),
    )
    .map(({ instanceId }) => instanceId)
}

/** Which instance the elastic address of an environment leads to: one that has its software, the newest deployment before
 *  older ones, and of these the newest instance; undefined when there is none. */
export function planAddress(known: Placed[]): string | undefined {
  const rank = ({ state, deploymentId, launchedAt }: Placed) => [
    state === 'Deployed' ? 1 : 0,
    deploymentId ?? 0,
    launchedAt,
  ]
  const isBefore = (a: number[], b: number[]) => {
    const at = a.findIndex((value, index) => value !== b[index])
    return at === -1 ? 0 : b[at]! - a[at]!
  }
  return known.toSorted((a, b) => isBefore(rank(a), rank(b)))[0]?.instanceId
}
