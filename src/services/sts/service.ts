// STS: who am I. There are no temporary credentials here, so every other operation is refused.
import type { StsOperations } from '../generated/sts.ts'

export function makeStsService() {
  const getCallerIdentity: StsOperations['getCallerIdentity'] = ({ account, caller }) => ({
    Account: account,
    Arn: caller.arn,
    UserId: caller.userId,
  })
  return { operations: { getCallerIdentity }, internal: {}, reconcilers: [], workflows: [] }
}
