// A deployment: a version, settings and a platform that go onto instances together, by way of layers that are built once.
import { DeclaredError, reasonOf } from '../../kernel/errors.ts'
import { softwareOf, type Digests, type Plan } from '../../platforms/plan.ts'
import { systemContext } from '../service.ts'
import { nameLayers } from './layer-collection.ts'
import { forgetFailed, layerDigests, wantLayers, type LayerRow } from './layers.ts'
import type { Parts } from './parts.ts'
import { planOf } from './software.ts'
import { followBody } from './source-bundle.ts'
import { findVersion, type ApplicationVersionRow, type DeploymentRow, type EnvironmentRow } from './store.ts'

type What = Pick<DeploymentRow, 'versionLabel' | 'settings' | 'platformArn'>

/** Counts the environment's deployments up and writes down what the next one puts on instances; answers its id. */
export function beginDeployment({ store, clock }: Parts, row: EnvironmentRow, what: What): number {
  const id = row.deploymentId + 1
  store.update('environment', { id: row.id }, { deploymentId: id })
  store.insert('deployment', {
    ...what,
    environmentId: row.id,
    id,
    layers: '[]',
    state: 'building',
    reason: null,
    requestId: row.requestId,
    startedAt: clock.now(),
    endedAt: null,
  })
  // A version that nobody asked to process is processed when it is first wanted.
  store.run(
    `update application_version set status = 'PROCESSING' where account = :account and region = :region
       and application_name = :applicationName and label = :label and status = 'UNPROCESSED'`,
    {
      account: row.account,
      region: row.region,
      applicationName: row.applicationName,
      label: what.versionLabel,
    },
  )
  return id
}

export type Prepared =
  | { kind: 'prepared'; warnings: string[]; notes: string[] }
  | { kind: 'problem'; problem: string }

/** Asks for the layers that the deployment needs. Its version must be PROCESSED. */
export function prepareDeployment(parts: Parts, row: EnvironmentRow, deployment: DeploymentRow): Prepared {
  const { store } = parts
  const version = findVersion(store, row, row.applicationName, deployment.versionLabel)
  if (!version)
    return { kind: 'problem', problem: `Application Version ${deployment.versionLabel} was deleted.` }
  const body = followBody(parts, version)
  let plan: ReturnType<typeof planOf>
  try {
    plan = planOf(parts, deployment, { ...version, bodyId: body?.id ?? version.bodyId })
  } catch (error) {
    return { kind: 'problem', problem: reasonOf(error) }
  }
  if (plan.kind === 'problem') return plan
  const keys = keysOf(plan)
  nameForDeployment(parts, deployment, version, keys)
  forgetFailed(parts, keys)
  if (!body && layerDigests(store, keys).includes(undefined))
    return {
      kind: 'problem',
      problem: `The source bundle s3://${version.bucket}/${version.key} was changed or deleted after version ${version.label} was created from it.`,
    }
  wantLayers(parts, plan.builds, version.sha256Hex)
  return { kind: 'prepared', warnings: plan.warnings, notes: plan.notes }
}

/** Whether the deployment's layers are there: undefined while they are being built. */
export function layersOutcome(
  { store }: Parts,
  deployment: DeploymentRow,
): { failed: LayerRow | null } | undefined {
  const keys = JSON.parse(deployment.layers) as string[]
  const rows = store.all<LayerRow>('select * from layer where key in (select value from json_each(:keys))', {
    keys,
  })
  const failed = rows.find((row) => row.state === 'failed')
  if (failed) return { failed }
  return keys.every((key) => rows.some((row) => row.key === key && row.state === 'ready'))
    ? { failed: null }
    : undefined
}

/** Puts the deployment's software on the instances and writes down that they have it; answers false when it cannot yet,
 *  because a layer is missing (it is being built again). */
export function putDeployment(
  parts: Parts,
  row: EnvironmentRow,
  deployment: DeploymentRow,
  ids: string[],
): boolean {
  const { store, cloud } = parts
  const version = findVersion(store, row, row.applicationName, deployment.versionLabel)
  if (!version?.inspection) return false
  const plan = planOf(parts, deployment, version)
  if (plan.kind === 'problem') return false
  // Another interpreter or configuration than when it was prepared makes other layers.
  nameForDeployment(parts, deployment, version, keysOf(plan))
  const digests = digestsOf(parts, plan)
  if (!digests) {
    // Instances wait for them: a layer that was lost, and could not be built just then, must not be given up.
    const keys = plan.builds.map(({ key }) => key)
    forgetFailed(parts, keys, FAILED_LAYER_REST_MS)
    wantLayers(parts, plan.builds, version.sha256Hex)
    return false
  }
  const context = systemContext(row.account, row.region, deployment.requestId)
  const intent = softwareOf(plan, digests)
  for (const instanceId of ids) {
    try {
      cloud.ec2.putInstanceSoftware(context, instanceId, intent)
    } catch (error) {
      // It was terminated meanwhile; its group will say so.
      if (error instanceof DeclaredError) continue
      throw error
    }
    const revision = cloud.ec2.instanceSoftware(context, instanceId)?.revision ?? null
    const set = { deploymentId: deployment.id, revision, state: 'In Progress', output: '' }
    store.update('environment_instance', { environmentId: row.id, instanceId }, set)
  }
  return true
}

export function endDeployment(
  { store, clock }: Parts,
  { environmentId, id }: Pick<DeploymentRow, 'environmentId' | 'id'>,
  end: { state: 'deployed' | 'failed'; reason: string | null },
): void {
  store.update('deployment', { environmentId, id }, { ...end, endedAt: clock.now() })
}

/** Between two attempts to build, for instances that wait, what failed. */
const FAILED_LAYER_REST_MS = 5 * 60_000

const keysOf = (plan: Plan) => plan.builds.map(({ key }) => key)

function nameForDeployment(
  { store }: Parts,
  { environmentId, id, layers }: DeploymentRow,
  version: ApplicationVersionRow,
  keys: string[],
): void {
  const text = JSON.stringify(keys)
  if (text !== layers) store.update('deployment', { environmentId, id }, { layers: text })
  nameLayers(store, version, keys)
}

function digestsOf({ store }: Parts, plan: Plan): Digests | undefined {
  const digests: Digests = {}
  const found = layerDigests(store, keysOf(plan))
  for (const [index, build] of plan.builds.entries()) {
    const digest = found[index]
    if (digest === undefined) return undefined
    digests[build.name] = digest
  }
  return digests
}
