// From a deployment's row to what its platform makes of it: layers to build, software to run.
import type { Stack } from '../../platforms/catalogue.ts'
import type { BundleListing } from '../../platforms/bundle.ts'
import type { Plan, PlanProblem } from '../../platforms/plan.ts'
import { planVersion } from '../../platforms/platform.ts'
import { configurationOf } from './configuration/resolve.ts'
import type { EnvironmentConfiguration } from './configuration/types.ts'
import type { Parts } from './parts.ts'
import { settingsOf, type ApplicationVersionRow, type DeploymentRow } from './store.ts'

/** The interpreter of an environment's platform is no longer on this machine; the message says how to bring it back. */
export class PlatformMissing extends Error {
  override name = 'PlatformMissing'
}

/** The stack of a platform that an environment was once made on.
 *  @throws PlatformMissing */
export function stackOf({ catalogue }: Parts, platformArn: string): Stack {
  const resolution = catalogue.resolve(platformArn)
  if (resolution.kind !== 'found') throw new PlatformMissing(resolution.message)
  return resolution.stack
}

/** Python or Node.js, also when the interpreter has gone since. */
export const familyOf = (platformArn: string) =>
  platformArn.includes('platform/Node.js') ? 'nodejs' : 'python'

export const configurationOfSettings = (
  row: Pick<DeploymentRow, 'platformArn' | 'settings'>,
): EnvironmentConfiguration => configurationOf(familyOf(row.platformArn), settingsOf(row))

/** The version must be PROCESSED. */
export function planOf(
  parts: Parts,
  deployment: DeploymentRow,
  version: ApplicationVersionRow,
): Plan | PlanProblem {
  return planVersion({
    stack: stackOf(parts, deployment.platformArn),
    listing: JSON.parse(version.inspection ?? '{}') as BundleListing,
    bundle: { path: parts.objects.path(version.bodyId), sha256Hex: version.sha256Hex },
    options: configurationOfSettings(deployment),
    configuration: parts.buildConfiguration?.() ?? { files: [], inputs: [], env: {} },
  })
}
