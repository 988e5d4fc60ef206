// What every operation is told besides its input.

export type Caller = { accessKeyId: string; arn: string; userId: string }

export type Context = {
  account: string
  region: string
  caller: Caller
  /** Id of the request that caused this, also when one service calls another: events carry it (clients.md §0.3). */
  requestId: string
  /** `scheme://host:port` by which the client reached us; URLs that are handed out are built on it. */
  endpoint: string
}

type Answer<O> = Omit<O, '$metadata'>

/** Synchronous, run inside one transaction; called by another operation it joins that one's (design §2.1). */
export type Operation<I, O> = (context: Context, input: I) => Answer<O>

/** For the few operations that stream bodies or read the outside: no transaction around it. */
export type AsyncOperation<I, O> = (context: Context, input: I) => Promise<Answer<O>>
