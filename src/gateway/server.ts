// The gateway: AWS's APIs over HTTP. `handle` answers one request without a socket (the simulator uses it); `listen`
// puts it on node:http, raw, since SigV4 and S3 keys need the URL and the headers as they came.
import { Readable } from 'node:stream'
import type { Clock } from '../kernel/clock.ts'
import { DeclaredError } from '../kernel/errors.ts'
import type { Ids } from '../kernel/ids.ts'
import type { Log } from '../kernel/log.ts'
import { answerSigned, verifyBodiless, type ChainDeps } from './chain.ts'
import { listen, type Listening } from './listen.ts'
import type { Answer } from './protocols/protocol.ts'
import { makeRegistry, type Handlers } from './registry.ts'
import { headOf, type GatewayRequest, type Head } from './request.ts'
import { declaredOf, errorAnswer, finish } from './respond.ts'
import type { Credentials } from './sigv4.ts'
import { readClaim, type Claim } from './sigv4/authorization.ts'
import { makeVerifier } from './sigv4/verify.ts'

/** A GET or HEAD of our own, e.g. `/healthz`; a path that ends in `/` answers everything below it. */
export type ExtraRoute = {
  path: string
  /** Only for who has the key: the request is signed, for any service but S3 (where the path may be a bucket's). */
  signed?: boolean
  answer(request: {
    path: string
    query: ReadonlyMap<string, string>
    endpoint: string
  }): Answer | Promise<Answer>
}

export type Limits = ChainDeps['limits'] & { concurrentMax: number; headerBytesMax: number }

export type GatewayOptions = {
  /** By our service names, e.g. `elasticloadbalancingv2`; each with exactly the operations that are implemented. */
  services: Record<string, Handlers>
  credentials(): readonly Credentials[]
  account: string
  region: string
  store: ChainDeps['store']
  clock: Clock
  ids: Ids
  log: Log
  extra?: ExtraRoute[]
  limits?: Partial<Limits>
}

export type Gateway = {
  handle(request: GatewayRequest): Promise<Answer>
  /** May be called for several addresses; port 0 takes a free one. */
  listen(address: { host: string; port: number }): Promise<Listening>
  counters(): { requests: number; refused: number; bugs: number }
}

const defaults: Limits = {
  bodyBytesMax: 1 << 20,
  // DeleteObjects of 1,000 keys and CompleteMultipartUpload of 10,000 parts.
  xmlBytesMax: 8 << 20,
  objectBytesMax: 5 * 2 ** 30,
  headerBytesMax: 32 << 10,
  concurrentMax: 512,
}

export function createGateway(options: GatewayOptions): Gateway {
  const { clock, ids, log } = options
  const limits = { ...defaults, ...options.limits }
  const deps: ChainDeps = {
    ...options,
    limits,
    registry: makeRegistry(options.services),
    verifier: makeVerifier(() => options.credentials()),
  }
  const counters = { requests: 0, refused: 0, bugs: 0 }
  const dateOf = makeDates(clock)
  let concurrent = 0

  async function handle(request: GatewayRequest): Promise<Answer> {
    const head = headOf(request, ids.uuid())
    let claim: Claim | undefined
    counters.requests++
    concurrent++
    try {
      if (concurrent > limits.concurrentMax) throw tooMany(head)
      claim = readClaim(head.headers, head.query)
      const answer = await (claim
        ? (answerOwn(deps, options.extra ?? [], head, claim) ?? answerSigned(deps, request, head, claim))
        : answerUnsigned(options.extra ?? [], head))
      return finish(answer, head, claim?.scope.service, dateOf())
    } catch (caught) {
      const service = claim?.scope.service
      const thrown = hungUp(request, caught) ? clientGone : caught
      const error = declaredOf(thrown, service, log, {
        requestId: head.id,
        method: head.method,
        path: head.path,
        service,
      })
      if (error === thrown) counters.refused++
      else counters.bugs++
      return finish(errorAnswer(error, head, service), head, service, dateOf())
    } finally {
      concurrent--
    }
  }

  return {
    handle,
    listen: (address) => listen(handle, address, limits, clock),
    counters: () => ({ ...counters }),
  }
}

const routeOf = (extra: ExtraRoute[], { method, path: asked }: Head, signed: boolean) =>
  method === 'GET' || method === 'HEAD'
    ? extra.find(
        (route) =>
          (route.signed ?? false) === signed &&
          (route.path.endsWith('/') ? asked.startsWith(route.path) : asked === route.path),
      )
    : undefined

function answerOwn(
  deps: ChainDeps,
  extra: ExtraRoute[],
  head: Head,
  claim: Claim,
): Answer | Promise<Answer> | undefined {
  const route = claim.scope.service === 's3' ? undefined : routeOf(extra, head, true)
  if (!route) return undefined
  verifyBodiless(deps, head, claim)
  return route.answer({ path: head.path, query: head.query, endpoint: head.endpoint })
}

async function answerUnsigned(extra: ExtraRoute[], head: Head): Promise<Answer> {
  const route = routeOf(extra, head, false)
  if (route) return route.answer({ path: head.path, query: head.query, endpoint: head.endpoint })
  const form = head.method === 'POST' || head.query.has('Action')
  // S3 alone speaks of anonymous callers.
  if (!form) throw new DeclaredError('AccessDenied', 'Access Denied', { httpStatus: 403 })
  throw new DeclaredError('MissingAuthenticationToken', 'Request is missing Authentication Token', {
    httpStatus: 403,
  })
}

const clientGone = new DeclaredError('RequestTimeout', 'The client went away before its request was read.')

/** Whether the client closed the connection in the middle of its request: nobody's bug, and nobody reads the answer. */
function hungUp({ body }: GatewayRequest, error: unknown): boolean {
  if (!(body instanceof Readable) || !body.readableAborted) return false
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ('code' in cause && (cause.code === 'ECONNRESET' || cause.code === 'ERR_STREAM_PREMATURE_CLOSE'))
      return true
  return false
}

function tooMany(head: Head): DeclaredError {
  const s3 = head.headers.get('authorization')?.includes('/s3/aws4_request') ?? false
  return s3
    ? new DeclaredError('SlowDown', 'Please reduce your request rate.', { httpStatus: 503 })
    : new DeclaredError('Throttling', 'Rate exceeded')
}

// The text of a date is made once a second.
function makeDates(clock: Clock): () => string {
  let second = Number.NaN
  let text = ''
  return () => {
    const now = Math.floor(clock.now() / 1000)
    if (now !== second) {
      second = now
      text = new Date(now * 1000).toUTCString()
    }
    return text
  }
}
