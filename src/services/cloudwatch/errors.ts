// Errors of CloudWatch, worded as AWS words them.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Paging } from '../parameters.ts'

export const validation = (message: string) => new DeclaredError('ValidationError', message)
export const invalidValue = (message: string) => new DeclaredError('InvalidParameterValue', message)
export const invalidCombination = (message: string) =>
  new DeclaredError('InvalidParameterCombination', message)

/** Refuses what Polebean does not do (design §2.12). */
export const unsupported = (member: string) =>
  invalidValue(`The parameter ${member} is not supported by Polebean.`)

export const noAlarm = (name: string) => new DeclaredError('ResourceNotFound', `Unknown alarm: ${name}`)

export const paging = (most: number): Paging => ({
  ...{ fallback: most, least: 1, most },
  badSize: (size) =>
    validation(
      `1 validation error detected: Value '${size}' at 'maxRecords' failed to satisfy constraint: Member must have value ${size < 1 ? 'greater than or equal to 1' : `less than or equal to ${most}`}`,
    ),
  badToken: () => new DeclaredError('InvalidNextToken', 'The NextToken value is not valid.'),
})
