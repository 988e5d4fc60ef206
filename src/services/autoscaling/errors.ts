// Errors of autoscaling, worded as AWS words them.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Paging } from '../parameters.ts'

export const validation = (message: string) => new DeclaredError('ValidationError', message)

/** Refuses what Polebean does not do (design §2.12). */
export const unsupported = (member: string) =>
  validation(`The parameter ${member} is not supported by Polebean.`)

export const noGroup = (name: string) =>
  validation(`AutoScalingGroup name not found - AutoScalingGroup '${name}' not found`)

export const noLaunchConfiguration = (name: string) =>
  validation(`Launch configuration name not found - Launch configuration ${name} not found`)

/** `MaxRecords`: 1 to 100 in most operations. */
export const paging = (fallback: number, most = 100): Paging => ({
  fallback,
  least: 1,
  most,
  badSize: (size) =>
    validation(
      `1 validation error detected: Value '${size}' at 'maxRecords' failed to satisfy constraint: Member must have value ${size < 1 ? 'greater than or equal to 1' : `less than or equal to ${most}`}`,
    ),
  badToken: () => new DeclaredError('InvalidNextToken', 'The NextToken value is not valid.'),
})

/** A member without which the call means nothing, as the AWS query protocol says it. */
export const requireString = (value: string | undefined, member: string): string => {
  const path = member.slice(0, 1).toLowerCase() + member.slice(1)
  if (value === undefined || value === '')
    throw validation(
      `1 validation error detected: Value null at '${path}' failed to satisfy constraint: Member must not be null`,
    )
  return value
}
