// Exit statuses (issue: 0 ok, 1 failed, 2 usage, 4 operation failed, as the eb client has them).
export const EXIT = { ok: 0, failed: 1, usage: 2, operationFailed: 4 } as const

/** A sentence for the user, not a bug: printed without a stack. */
export class Failure extends Error {
  override name = 'Failure'
  readonly status: number
  constructor(message: string, status: number = EXIT.failed) {
    super(message)
    this.status = status
  }
}

/** The control plane does not answer now; it may be starting again. */
export class Unreachable extends Failure {
  override name = 'Unreachable'
}
