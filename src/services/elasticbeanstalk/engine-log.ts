// What deployments did, as AWS's agent writes it to /var/log/eb-engine.log. Here nothing writes such a file on an instance:
// builds and start checks are kept in rows, and the log is made of those when it is asked for.
import type { LayerRow } from './layers.ts'
import type { Parts } from './parts.ts'
import {
  findDeployment,
  type DeploymentRow,
  type EnvironmentInstanceRow,
  type EnvironmentRow,
} from './store.ts'

export const ENGINE_LOG = '/var/log/eb-engine.log'

/** The instance's own deployment, and the environment's last one where that did not get so far. */
export function engineLog(
  { store }: Pick<Parts, 'store'>,
  row: EnvironmentRow,
  instance: EnvironmentInstanceRow,
): string {
  const own = findDeployment(store, row.id, instance.deploymentId)
  const last = findDeployment(store, row.id, row.deploymentId)
  const lines = [
    ...(own ? [...begun(store, own), ...ended(instance)] : []),
    ...(last && last.id !== own?.id ? begun(store, last) : []),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

/** Lines of the instance's own deployment, which is over. */
export function deploymentLog(
  { store }: Pick<Parts, 'store'>,
  row: EnvironmentRow,
  instance: EnvironmentInstanceRow,
): string[] {
  const own = findDeployment(store, row.id, instance.deploymentId)
  return own ? [...begun(store, own), ...ended(instance)] : []
}

function begun(store: Parts['store'], { id, versionLabel, layers, startedAt }: DeploymentRow): string[] {
  const keys = JSON.parse(layers) as string[]
  const rows = keys.flatMap(
    (key) => store.get<LayerRow>('select * from layer where key = :key', { key }) ?? [],
  )
  return [
    entry(startedAt, 'INFO', `Deployment ${id}: application version ${versionLabel}`),
    ...rows.flatMap(({ key, state, output, updatedAt }) => [
      entry(updatedAt, state === 'failed' ? 'ERROR' : 'INFO', `Build of ${key}: ${state}`),
      ...linesOf(output),
    ]),
  ]
}

function ended({ state, output, deployedAt }: EnvironmentInstanceRow): string[] {
  if (deployedAt === null || (state !== 'Deployed' && state !== 'Failed')) return []
  const word =
    state === 'Deployed' ? 'Instance deployment completed successfully.' : 'Instance deployment failed.'
  return [...linesOf(output), entry(deployedAt, state === 'Deployed' ? 'INFO' : 'ERROR', word)]
}

const entry = (at: number, severity: string, text: string) =>
  `${new Date(at).toISOString()} [${severity}] ${text}`

const linesOf = (output: string) => output.split('\n').filter((line) => line !== '')
