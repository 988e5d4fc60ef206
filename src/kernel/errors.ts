// Three kinds of failure (design §2.11): a declared answer, an engine's failure, and everything else, which is a bug.

/** An answer the protocol declares: thrown as a value by operations, and worded exactly as the caller must see it. */
export class DeclaredError extends Error {
  readonly code: string
  readonly httpStatus: number
  /** Further members of the error's shape (for rest-xml: Key, BucketName, …). */
  readonly members: Record<string, string>
  constructor(
    code: string,
    message: string,
    options: { httpStatus?: number; members?: Record<string, string> } = {},
  ) {
    super(message)
    this.name = code
    this.code = code
    this.httpStatus = options.httpStatus ?? 400
    this.members = options.members ?? {}
  }
}

/** What an engine could not do this time. Expected: shown to the user, retried with back-off by the caller's lane. */
export class EngineError extends Error {
  override name = 'EngineError'
}

/** The first line of an error, for rows, events and `status`. */
export const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : typeof error === 'string' ? error : JSON.stringify(error)
