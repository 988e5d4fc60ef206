import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { ofEnvironment } from '../events.ts'
import type { Parts } from '../parts.ts'
import type { EnvironmentRow } from '../store.ts'
import { invalidCombination, invalidValue } from '../validation.ts'
import { checkReady, findEnvironment } from './find-environment.ts'

/** Two environments exchange their names: blue and green. */
export function makeSwapEnvironmentCNAMEs(parts: Parts): ElasticbeanstalkOperations['swapEnvironmentCNAMEs'] {
  const { store, events, clock, workflows } = parts
  return (context, input) => {
    const source = findEnvironment(store, context, {
      EnvironmentId: input.SourceEnvironmentId,
      EnvironmentName: input.SourceEnvironmentName,
    })
    const destination = findEnvironment(store, context, {
      EnvironmentId: input.DestinationEnvironmentId,
      EnvironmentName: input.DestinationEnvironmentName,
    })
    if (source.id === destination.id)
      throw invalidCombination('An environment cannot exchange its CNAME with itself.')
    for (const row of [source, destination]) {
      checkReady(row)
      if (workflows.active(row.id).length > 0)
        throw invalidValue(
          `Environment named ${row.name} is in an invalid state for this operation. Must be Ready.`,
        )
    }
    const { requestId } = context
    const now = clock.now()
    for (const { id } of [source, destination])
      store.update('environment', { id }, { status: 'Updating', statusSince: now, updatedAt: now, requestId })
    const tell = (row: EnvironmentRow, text: string) =>
      events.write(ofEnvironment(row, requestId), 'INFO', text)
    tell(source, 'swapEnvironmentCNAMEs is starting.')
    tell(source, `Swapping CNAMEs for environments '${source.name}' and '${destination.name}'.`)
    // Of both: who terminates one of them ends what is under way on it, and the other must not wait for ever.
    workflows.start('elasticbeanstalk.swap-cnames', `${source.id}/${destination.id}`, {
      environmentId: source.id,
      destinationId: destination.id,
      requestId,
    })
    return {}
  }
}
