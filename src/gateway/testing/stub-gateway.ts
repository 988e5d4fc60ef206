// A gateway whose services keep what they are asked and answer what they are told; for tests.
import { makeIds } from '../../kernel/ids.ts'
import { silentLog, type Log } from '../../kernel/log.ts'
import { seededRandom } from '../../kernel/random.ts'
import { systemClock, type Clock } from '../../kernel/clock.ts'
import type { Listening } from '../listen.ts'
import { modelOf, type ServiceName } from '../models.ts'
import type { Handler, RequestContext } from '../registry.ts'
import { createGateway, type Gateway, type GatewayOptions } from '../server.ts'

export const credentials = { accessKeyId: 'PBAKTESTTESTTESTTEST', secretAccessKey: 'secret/of+the=tests' }
export const region = 'us-west-2'
export const allServices: ServiceName[] = [
  'elasticbeanstalk',
  'autoscaling',
  'ec2',
  'elasticloadbalancing',
  'elasticloadbalancingv2',
  's3',
  'iam',
  'sts',
  'acm',
  'route53',
  'cloudwatch',
  'logs',
]

export type Asked = { operation: string; input: Record<string, unknown>; context: RequestContext }
export type StubGateway = {
  gateway: Gateway
  /** What the last request asked; cleared by `answer`. */
  asked(): Asked | undefined
  /** The next answers; a function is called with the input. */
  answer(output: object | ((input: Record<string, unknown>) => object | void | Promise<object>)): void
  listen(): Promise<Listening & { endpoint: string }>
}

export function makeStubGateway(
  options: Partial<GatewayOptions> & { clock?: Clock; log?: Log } = {},
): StubGateway {
  let last: Asked | undefined
  let next: Parameters<StubGateway['answer']>[0] = {}
  const take = (operation: string, context: RequestContext, input: Record<string, unknown>) => {
    last = { operation, input, context }
    return typeof next === 'function' ? next(input) : next
  }
  const gateway = createGateway({
    services: Object.fromEntries(allServices.map((name) => [name, { operations: stubs(name, take) }])),
    credentials: () => [credentials],
    account: '000000000000',
    region,
    store: { transaction: (body) => body() },
    clock: systemClock,
    ids: makeIds(seededRandom(1)),
    log: silentLog,
    ...options,
  })
  return {
    gateway,
    asked: () => last,
    answer(output) {
      last = undefined
      next = output
    },
    async listen() {
      const listening = await gateway.listen({ host: '127.0.0.1', port: 0 })
      return { ...listening, endpoint: `http://127.0.0.1:${listening.port}` }
    },
  }
}

type Take = (
  operation: string,
  context: RequestContext,
  input: Record<string, unknown>,
) => object | void | Promise<object>

function stubs(service: ServiceName, take: Take): Record<string, Handler> {
  const operations: Record<string, Handler> = {}
  for (const name of modelOf(service).operationNames) {
    const key = name[0]!.toLowerCase() + name.slice(1)
    operations[key] =
      service === 's3'
        ? async (context: RequestContext, input: Record<string, unknown>) => take(name, context, input)
        : (context: RequestContext, input: Record<string, unknown>) => take(name, context, input)
  }
  return operations
}
