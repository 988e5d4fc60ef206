// Elastic Beanstalk: the operation table. It owns no instance, balancer or address: it composes the other services.
import { inTransactions } from '../in-transactions.ts'
import type { Context } from '../context.ts'
import type { Service } from '../service.ts'
import { makeHealthReconciler } from './assess-environment.ts'
import type { Migration } from '../../store/store.ts'
import { configurationMigration, makeFindTemplate } from './configuration/store.ts'
import { makeEvents, ofEnvironment, type Severity } from './events.ts'
import { makeInstancesReconciler } from './instances.ts'
import { makeLayersReconciler } from './layers.ts'
import { instanceLogs, makeLogsReconciler, tailLogs } from './logs.ts'
import { makeMetricsReconciler } from './metrics.ts'
import { makeAccountOperations } from './operations/account.ts'
import { makeApplicationOperations } from './operations/applications.ts'
import { makeConfigurationOperations } from './operations/configuration.ts'
import { makeDnsOperations } from './operations/dns.ts'
import { makeEnvironmentOperations } from './operations/environments.ts'
import { makeEventOperations } from './operations/events.ts'
import { makeHealthOperations } from './operations/health.ts'
import { makeLogOperations } from './operations/logs.ts'
import { makePlatformOperations } from './operations/platforms.ts'
import { makeResourceOperations } from './operations/resources.ts'
import { makeStorageOperations } from './operations/storage.ts'
import { makeTagOperations } from './operations/tags.ts'
import { makeTemplateOperations } from './operations/templates.ts'
import { makeVersionOperations } from './operations/versions.ts'
import type { ElasticbeanstalkDeps, Parts } from './parts.ts'
import { makeKillsReconciler } from './room/kills.ts'
import { roomMigration } from './room/low.ts'
import { makeRoomReconciler } from './room/reconciler.ts'
import { prune, readRoom } from './room/report.ts'
import { elasticbeanstalkMigration, instancesOf, liveEnvironments, resourcesOf } from './store.ts'
import { makeSystemFigures, makeSystemReconciler } from './system-figures.ts'
import { readTop } from './top.ts'
import { makeStreamingReconciler } from './streaming/reconciler.ts'
import { makeVersionsReconciler } from './versions.ts'
import { makeCreateWorkflow } from './workflows/create-environment.ts'
import { makeDeleteApplicationWorkflow } from './workflows/delete-application.ts'
import { makeSwapWorkflow } from './workflows/swap-cnames.ts'
import { makeTerminateWorkflow } from './workflows/terminate-environment.ts'
import { makeUpdateWorkflow } from './workflows/update-environment.ts'

export type { ElasticbeanstalkDeps } from './parts.ts'

export const elasticbeanstalkMigrations: Migration[] = [
  elasticbeanstalkMigration,
  configurationMigration,
  roomMigration,
]

/** Without RebuildEnvironment, ComposeEnvironments and AbortEnvironmentUpdate: the gateway
 *  refuses those by name. */
export function makeElasticbeanstalkService(deps: ElasticbeanstalkDeps) {
  const system = makeSystemFigures(deps.clock)
  const parts: Parts = {
    ...deps,
    system,
    events: makeEvents(deps),
    findTemplate: makeFindTemplate(deps.store),
  }
  const operations = inTransactions(deps.store, {
    ...makeApplicationOperations(parts),
    ...makeVersionOperations(parts),
    ...makeEnvironmentOperations(parts),
    ...makeEventOperations(parts),
    ...makeResourceOperations(parts),
    ...makeHealthOperations(parts),
    ...makeLogOperations(parts),
    ...makeDnsOperations(parts),
    ...makeStorageOperations(parts),
    ...makeTagOperations(parts),
    ...makeConfigurationOperations(parts),
    ...makePlatformOperations(parts),
    ...makeTemplateOperations(parts),
    ...makeAccountOperations(),
  })
  return {
    operations,
    internal: {
      tailLogs: (context: Context, environmentId: string) => tailLogs(parts, context, environmentId),
      instanceLogs: (instanceId: string) => instanceLogs(parts, instanceId),
      readRoom: () => readRoom(parts),
      readTop: (environment: string | undefined) => readTop(parts, environment),
      prune: (options: { dryRun: boolean }) => prune(parts, options),
      /** An event of the environment that an instance belongs to, if there is one. */
      tellEnvironmentOf(instanceId: string, message: string) {
        deps.store.transaction(() => {
          const rows = liveEnvironments(parts.store)
          const row = rows.find(({ id }) =>
            instancesOf(parts.store, id).some((one) => one.instanceId === instanceId),
          )
          if (row) parts.events.write(ofEnvironment(row, null), 'INFO', message)
        })
      },
      /** An ERROR event of each environment behind one of these load balancers. Joins a transaction. */
      tellThoseBehind(loadBalancerArns: string[], message: string) {
        for (const row of liveEnvironments(parts.store))
          if (loadBalancerArns.includes(resourcesOf(row).loadBalancerArn ?? ''))
            parts.events.write(ofEnvironment(row, null), 'ERROR', message)
      },
      /** An event of each environment that there is, about the home that they are in. Joins a transaction. */
      tellEnvironments(severity: Severity, message: string) {
        for (const row of liveEnvironments(parts.store))
          parts.events.write(ofEnvironment(row, null), severity, message)
      },
    },
    reconcilers: [
      makeVersionsReconciler(parts),
      makeLayersReconciler(parts),
      makeInstancesReconciler(parts),
      makeHealthReconciler(parts),
      makeLogsReconciler(parts),
      makeSystemReconciler(deps, system),
      makeMetricsReconciler(parts),
      makeStreamingReconciler(parts),
      makeKillsReconciler(parts),
      makeRoomReconciler(parts),
    ],
    workflows: [
      makeCreateWorkflow(parts),
      makeUpdateWorkflow(parts),
      makeSwapWorkflow(parts),
      makeTerminateWorkflow(parts),
      makeDeleteApplicationWorkflow(parts),
    ],
  } satisfies Service<typeof operations>
}
