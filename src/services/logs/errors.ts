// Errors of logs, worded as AWS words them.
import { DeclaredError } from '../../kernel/errors.ts'

export const invalid = (message: string) => new DeclaredError('InvalidParameterException', message)

/** `Value '…' at 'limit' failed to satisfy constraint: Member must …`. */
export const violated = (value: unknown, member: string, constraint: string) =>
  invalid(
    `1 validation error detected: Value '${String(value).slice(0, 600)}' at '${member}' failed to satisfy constraint: ${constraint}`,
  )

/** Refuses what Polebean does not do (design §2.12). */
export const unsupported = (member: string) => invalid(`${member} is not supported by Polebean.`)

export const noGroup = () =>
  new DeclaredError('ResourceNotFoundException', 'The specified log group does not exist.')
export const noStream = () =>
  new DeclaredError('ResourceNotFoundException', 'The specified log stream does not exist.')
export const groupExists = () =>
  new DeclaredError('ResourceAlreadyExistsException', 'The specified log group already exists')
export const streamExists = () =>
  new DeclaredError('ResourceAlreadyExistsException', 'The specified log stream already exists')
export const badToken = () => invalid('The specified nextToken is invalid.')

/** The limit of a page, which AWS calls `limit`. */
export function checkLimit(limit: number | undefined, most: number): number {
  if (limit === undefined) return most
  if (limit < 1) throw violated(limit, 'limit', 'Member must have value greater than or equal to 1')
  if (limit > most) throw violated(limit, 'limit', `Member must have value less than or equal to ${most}`)
  return limit
}
