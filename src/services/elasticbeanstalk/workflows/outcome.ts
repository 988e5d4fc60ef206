// The words in which AWS says that an operation on an environment failed; `eb` and Terraform wait for them.
import { ofEnvironment } from '../events.ts'
import type { Front } from '../front.ts'
import type { Parts } from '../parts.ts'
import type { EnvironmentRow } from '../store.ts'
import type { Outcome } from './deployment-steps.ts'

export type Failure =
  | { kind: 'build'; versionLabel: string; problem: string }
  | { kind: 'name'; problem: string }
  | { kind: 'instances'; outcome: Outcome }
  | { kind: 'health'; front: Front; unhealthy: { id: string; reason: string }[] }

export const failureOf = (outcome: Outcome): Failure | null =>
  outcome.failed.length + outcome.late.length + outcome.missing === 0 ? null : { kind: 'instances', outcome }

/** What went wrong. What that means for the operation is said by the caller. */
export function tellFailure({ events }: Parts, row: EnvironmentRow, failure: Failure): void {
  const subject = ofEnvironment(row)
  if (failure.kind === 'build')
    return events.write(
      subject,
      'ERROR',
      `Building application version ${failure.versionLabel} failed: ${failure.problem}`,
    )
  if (failure.kind === 'name') return events.write(subject, 'ERROR', failure.problem)
  if (failure.kind === 'health') {
    const list = failure.unhealthy.map(({ id, reason }) => `${id} (${reason})`).join(', ')
    const text =
      failure.front === 'load balancer'
        ? `The load balancer does not find these instances healthy: ${list}.`
        : `The elastic address does not lead to these instances: ${failure.unhealthy.map(({ id }) => id).join(', ')}.`
    return events.write(subject, 'ERROR', text)
  }
  const { succeeded, failed, late, missing, activity } = failure.outcome
  if (missing > 0)
    events.write(subject, 'ERROR', `${missing} of the instances could not be launched. ${activity}`.trim())
  if (late.length > 0)
    events.write(
      subject,
      'WARN',
      'The following instances have not responded in the allowed command timeout time ' +
        `(they might still finish eventually on their own): [${late.join(', ')}]`,
    )
  const counts = `[Successful: ${succeeded.length}, ${late.length > 0 ? `TimedOut: ${late.length}, ` : ''}Failed: ${failed.length}]`
  const where =
    late.length > 0
      ? 'Command execution completed on some instances'
      : 'Command execution completed on all instances'
  events.write(subject, 'INFO', `${where}. Summary: ${counts}.`)
  if (failed.length > 0) {
    const ids = failed.map((id) => `'${id}'`).join(', ')
    events.write(
      subject,
      'ERROR',
      `Unsuccessful command execution on instance id(s) ${ids}. Aborting the operation.`,
    )
  }
}

export const timedOut = (failure: Failure) =>
  failure.kind === 'instances' && failure.outcome.failed.length === 0 && failure.outcome.late.length > 0
