// IAM's errors in IAM's words.
import { DeclaredError } from '../../kernel/errors.ts'

const declare = (code: string, httpStatus: number) => (message: string) =>
  new DeclaredError(code, message, { httpStatus })

export const entityAlreadyExists = declare('EntityAlreadyExists', 409)
export const noSuchEntity = declare('NoSuchEntity', 404)
export const deleteConflict = declare('DeleteConflict', 409)
export const limitExceeded = (quota: string, most: number) =>
  declare('LimitExceeded', 409)(`Cannot exceed quota for ${quota}: ${most}`)
export const malformedPolicy = declare('MalformedPolicyDocument', 400)
export const malformedCertificate = declare('MalformedCertificate', 400)
export const keyPairMismatch = declare('KeyPairMismatch', 400)
export const invalidInput = declare('InvalidInput', 400)
export const unmodifiable = (role: string) =>
  declare(
    'UnmodifiableEntity',
    400,
  )(`Cannot perform the operation on the protected role '${role}' - this role is only modifiable by AWS`)
export const validationError = (value: string, member: string, constraint: string) =>
  declare(
    'ValidationError',
    400,
  )(
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${constraint}`,
  )
