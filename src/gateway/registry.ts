// The services that are joined to the gateway: which model, which of its operations are implemented.
import { isServiceName, modelOf } from './models.ts'
import type { OperationModel, ServiceModel } from './model.ts'
import { makePathRouter } from './protocols/rest-paths.ts'
import { makeRestRouter } from './protocols/rest-route.ts'

export type Caller = { accessKeyId: string; arn: string; userId: string }
export type RequestContext = {
  account: string
  region: string
  caller: Caller
  requestId: string
  endpoint: string
}

/** Declared with `async`, it runs outside of a transaction; otherwise it is synchronous, inside of one. */
export type Handler = (context: RequestContext, input: never) => object | void | Promise<object | void>
export type Handlers = { operations: Record<string, Handler> }

export type Implemented = { model: OperationModel; handler: Handler; isAsync: boolean }
export type Joined = {
  model: ServiceModel
  /** By the model's name of the operation, e.g. `DescribeEnvironments`. */
  implemented: ReadonlyMap<string, Implemented>
  /** Of S3. */
  route: ReturnType<typeof makeRestRouter>
  /** Of other services whose operations are in paths. */
  path: ReturnType<typeof makePathRouter>
}
export type Registry = ReadonlyMap<string, Joined>

/** Throws for a service or an operation that the model does not have: a name would never be reached. */
export function makeRegistry(services: Record<string, Handlers>): Registry {
  const registry = new Map<string, Joined>()
  for (const [service, { operations }] of Object.entries(services)) {
    if (!isServiceName(service)) throw new Error(`the gateway has no model of a service '${service}'`)
    const model = modelOf(service)
    const names = new Map(model.operationNames.map((name) => [lowerFirst(name), name]))
    const implemented = new Map<string, Implemented>()
    for (const [key, handler] of Object.entries(operations)) {
      const name = names.get(key)
      const operation = name === undefined ? undefined : model.operation(name)
      if (!operation) throw new Error(`${service}: no shapes of ${key}; see tools/generate/coverage.ts`)
      implemented.set(operation.name, {
        model: operation,
        handler,
        isAsync: handler instanceof AsyncFunction,
      })
    }
    registry.set(service, { model, implemented, route: makeRestRouter(model), path: makePathRouter(model) })
  }
  return registry
}

const AsyncFunction = (async () => undefined).constructor as FunctionConstructor
const lowerFirst = (name: string) => name[0]!.toLowerCase() + name.slice(1)
