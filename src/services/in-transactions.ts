// Operations that write are synchronous functions inside one transaction (design §2.1). An operation that is called by
// another one, or by a workflow step, joins the transaction that is open.
import type { Store } from '../store/store.ts'
import type { Context, Operation } from './context.ts'

/** The same operations, each in a transaction of its own unless one is open. */
export function inTransactions<T extends Record<string, Operation<never, object | void>>>(
  store: Store,
  operations: T,
): T {
  const wrapped: Record<string, Operation<never, object | void>> = {}
  for (const [name, operation] of Object.entries(operations))
    wrapped[name] = (context: Context, input: never) => store.transaction(() => operation(context, input))
  return wrapped as T
}
