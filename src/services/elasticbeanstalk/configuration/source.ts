// What the configuration operations need to know of environments and applications. The service's store implements it,
// so that each half of the service keeps its own tables.
import type { Context } from '../../context.ts'
import type { Setting } from './types.ts'

export type ConfigurationSource = {
  /** The environment of that name which is not terminated (`applicationName` null: whatever its application). */
  environmentByName(context: Context, applicationName: string | null, name: string): ConfiguredEnvironment | undefined
  environmentById(context: Context, environmentId: string): ConfiguredEnvironment | undefined
  applicationExists(context: Context, applicationName: string): boolean
  /** Forgets the draft of a running environment (DeleteEnvironmentConfiguration). Quiet when there is none. */
  removeDraft(context: Context, environmentId: string): void
}

export type ConfiguredEnvironment = {
  environmentId: string
  environmentName: string
  applicationName: string
  description: string | null
  /** As the caller named it, echoed verbatim. */
  solutionStackName: string
  platformArn: string
  tier: { Name: string; Type: string; Version: string }
  /** Epoch ms. */
  dateCreated: number
  dateUpdated: number
  /** What runs now (`Resolved.stored`). */
  deployed: Setting[]
  /** What an update is bringing, or failed to bring; null when there is neither. */
  draft: { status: 'pending' | 'failed'; settings: Setting[]; dateUpdated: number } | null
}
