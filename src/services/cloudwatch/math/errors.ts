// Refusals of metric math. Where AWS's words are known (from clients' reports) they are AWS's.
import { DeclaredError } from '../../../kernel/errors.ts'

export const validation = (message: string) => new DeclaredError('ValidationError', message)

export const inExpression = (id: string, message: string) =>
  validation(`Error in expression '${id}': ${message}`)

/** Refuses what Polebean does not do (design §2.12). */
export const unsupported = (what: string) => validation(`${what} is not supported by Polebean.`)
