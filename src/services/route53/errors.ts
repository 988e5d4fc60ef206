// Errors of Route 53, worded as AWS words them.
import { DeclaredError } from '../../kernel/errors.ts'

export const invalidInput = (message: string) => new DeclaredError('InvalidInput', message)

/** All that is wrong with a batch of changes; nothing of it was done. */
export const invalidBatch = (messages: string[]) =>
  new DeclaredError('InvalidChangeBatch', `[${messages.join(', ')}]`)

export const noZone = (id: string) =>
  new DeclaredError('NoSuchHostedZone', `No hosted zone found with ID: ${id.slice(0, 100)}`)

export const noChange = (id: string) =>
  new DeclaredError('NoSuchChange', `A change with id ${id.slice(0, 100)} could not be found`)

export const noHealthCheck = (id: string) =>
  new DeclaredError('NoSuchHealthCheck', `A health check with id ${id.slice(0, 100)} does not exist.`)

export const badDomain = (name: string, why: string) =>
  new DeclaredError('InvalidDomainName', `${name.slice(0, 300)} is not valid: ${why}`)

/** Refuses what Polebean does not do (design §2.12). */
export const unsupported = (what: string) => invalidInput(`${what} is not supported by Polebean.`)
