// Creating an environment. Everything that is only rows is made at once, so that balancer and instances come up while
// layers are still being built.
import type { Workflow } from '../../../control/workflows.ts'
import { endDeployment } from '../deployments.ts'
import { isOfAws } from '../../domains.ts'
import { ofEnvironment } from '../events.ts'
import { refreshHealth } from '../assess-environment.ts'
import { wantedFront } from '../front.ts'
import { lookAfterInstances } from '../instances.ts'
import { cnameOf } from '../names.ts'
import type { Parts } from '../parts.ts'
import { configurationOfSettings } from '../software.ts'
import { environmentById } from '../store.ts'
import { awaitDeployed, awaitHealthy, buildLayers, deploymentOf } from './deployment-steps.ts'
import { makeResources } from './make-resources.ts'
import { failureOf, tellFailure, timedOut, type Failure } from './outcome.ts'
import { makeStorage } from './resources.ts'
import { current, workOn } from './work.ts'

const NAME_MS = 60_000

type Params = { environmentId: string; deploymentId: number }

export function makeCreateWorkflow(parts: Parts): Workflow<Params> {
  const { store, events, clock, cloud, domain } = parts
  return {
    kind: 'elasticbeanstalk.create-environment',
    version: 1,
    run(step, { environmentId, deploymentId }) {
      const row = current(parts, environmentId)
      const configuration = configurationOfSettings(deploymentOf(parts, environmentId, deploymentId))
      const work = workOn(parts, row, configuration)
      step.do('storage', () => makeStorage(work))
      step.do('health', () => refreshHealth(parts, environmentId))
      makeResources(step, work)

      if (isOfAws(domain)) {
        const name = cnameOf(row, domain)
        const problem = step.until(
          'the name leads here',
          () => (cloud.route53.hostProblem(name) === '' ? '' : undefined),
          { timeoutMs: NAME_MS, onTimeout: () => cloud.route53.hostProblem(name) },
        )
        if (problem !== '') return end({ kind: 'name', problem })
      }

      const { versionLabel } = deploymentOf(parts, environmentId, deploymentId)
      const problem = buildLayers(parts, step, environmentId, deploymentId)
      if (problem !== null) return end({ kind: 'build', versionLabel, problem })
      step.do('software', () => {
        store.update('environment', { id: environmentId }, { targetDeploymentId: deploymentId })
        lookAfterInstances(parts, environmentId)
      })
      const failure = failureOf(awaitDeployed(parts, step, { environmentId, deploymentId, name: 'deployed' }))
      if (failure) return end(failure)
      const unhealthy = awaitHealthy(parts, step, { environmentId, name: 'healthy' })
      end(
        unhealthy.length > 0 && !configuration.ignoreHealthCheck
          ? { kind: 'health', front: wantedFront(configuration), unhealthy }
          : null,
      )

      function end(failure: Failure | null) {
        step.do('end', () => (failure ? endFailed(parts, environmentId, deploymentId, failure) : succeed()))
      }
      function succeed() {
        const ready = { status: 'Ready', expectedDeploymentId: deploymentId, updatedAt: clock.now() }
        endDeployment(parts, { environmentId, id: deploymentId }, { state: 'deployed', reason: null })
        events.write(ofEnvironment(row), 'INFO', `Application available at ${addressOf(parts, row)}.`)
        events.write(ofEnvironment(row), 'INFO', `Successfully launched environment: ${row.name}`)
        store.update('environment', { id: environmentId }, ready)
        refreshHealth(parts, environmentId)
      }
    },

    failed({ environmentId, deploymentId }, failure) {
      const row = environmentById(store, environmentId)
      if (!row || row.status !== 'Launching') return
      const stack = `Stack named 'awseb-${row.id}-stack' aborted operation. Current state: 'CREATE_FAILED'  Reason: ${failure}`
      events.write(ofEnvironment(row), 'ERROR', stack)
      events.write(ofEnvironment(row), 'ERROR', 'Failed to launch environment.')
      endDeployment(parts, { environmentId, id: deploymentId }, { state: 'failed', reason: failure })
      store.update('environment', { id: environmentId }, { status: 'Ready', updatedAt: clock.now() })
      refreshHealth(parts, environmentId)
    },
  }
}

// AWS leaves such an environment Ready, so that a better version can be deployed to it.
function endFailed(parts: Parts, environmentId: string, deploymentId: number, failure: Failure): void {
  const { store, events, clock } = parts
  const row = current(parts, environmentId)
  tellFailure(parts, row, failure)
  const text = timedOut(failure)
    ? 'Create environment operation is complete, but with command timeouts. Try increasing the timeout period.'
    : 'Create environment operation is complete, but with errors. For more information, see troubleshooting documentation.'
  endDeployment(parts, { environmentId, id: deploymentId }, { state: 'failed', reason: text })
  store.update('environment', { id: environmentId }, { status: 'Ready', updatedAt: clock.now() })
  refreshHealth(parts, environmentId)
  events.write(ofEnvironment(row), 'ERROR', text)
  const issues = `Launched environment: ${row.name}. However, there were issues during launch. See event log for details.`
  events.write(ofEnvironment(row), 'INFO', issues)
}

/** Without the port where it is HTTP's own, as AWS says it. */
const addressOf = ({ domain, ports }: Parts, row: Parameters<typeof cnameOf>[0]) =>
  cnameOf(row, domain) + (ports.http === 80 ? '' : `:${ports.http}`)
