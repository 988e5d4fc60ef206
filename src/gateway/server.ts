// The gateway: AWS's APIs over HTTP. `handle` answers one request without a socket (the simulator uses it); `listen`
// puts it on node:http, raw, since SigV4 and S3 keys need the URL and the headers as they came.
import { Readable } from 'node:stream'
import type { Clock } from '../kernel/clock.ts'
import { DeclaredError } from '../kernel/errors.ts'
import type { Ids } from '../kernel/ids.ts'
import type { Log } from '../kernel/log.ts'
import {
  admitUpgrade,
  answerSigned,
  ownRoute,
  type ChainDeps,
  type OwnRoute,
  type UpgradeRoute,
} from './chain.ts'
import { listen, type Listening, type Upgrading } from './listen.ts'
import type { Answer } from './protocols/protocol.ts'
import { makeRefusalLog } from './refusal-log.ts'
import { makeRegistry, type Handlers } from './registry.ts'
import { headOf, type GatewayRequest, type Head } from './request.ts'
import { declaredOf, errorAnswer, finish, protocols } from './respond.ts'
import type { Credentials } from './sigv4.ts'
import { readClaim, type Claim } from './sigv4/authorization.ts'
import { makeVerifier } from './sigv4/verify.ts'

export type Limits = ChainDeps['limits'] & { concurrentMax: number; headerBytesMax: number }

export type GatewayOptions = {
  /** By our service names, e.g. `elasticloadbalancingv2`; each with exactly the operations that are implemented. */
  services: Record<string, Handlers>
  /** Those that are valid at this moment; asked for by each request. */
  credentials(): readonly Credentials[]
  /** Told of each request whose signature is right, before it is answered. */
  used?: ChainDeps['used']
  account: string
  region: string
  store: ChainDeps['store']
  clock: Clock
  ids: Ids
  log: Log
  /** Answered without a signature, e.g. `/healthz`. */
  extra?: OwnRoute[]
  /** Answered to who can sign. */
  signed?: OwnRoute[]
  /** Taken over from who can sign. */
  upgrades?: UpgradeRoute[]
  limits?: Partial<Limits>
}

export type Gateway = {
  handle(request: GatewayRequest): Promise<Answer>
  /** Of a request that wants to leave HTTP: who takes its connection over, or the answer that refuses it. */
  upgrade(request: GatewayRequest): Upgrading
  /** May be called for several addresses; port 0 takes a free one. */
  listen(address: { host: string; port: number }): Promise<Listening>
  counters(): { requests: number; refused: number; bugs: number }
}

const defaults: Limits = {
  bodyBytesMax: 1 << 20,
  // PutLogEvents: a megabyte of messages, of which JSON may write a character as six.
  logsBytesMax: 8 << 20,
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
  const noteRefusal = makeRefusalLog(clock, log)
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
        ? answerSigned(deps, request, head, claim)
        : answerUnsigned(options.extra ?? [], head))
      return finish(answer, head.id, claim?.scope.service, dateOf())
    } catch (caught) {
      const service = claim?.scope.service
      const thrown = hungUp(request, caught) ? clientGone : caught
      const error = declaredOf(thrown, service, log, {
        requestId: head.id,
        method: head.method,
        path: head.path,
        service,
      })
      if (error === thrown) {
        counters.refused++
        noteRefusal(error, head)
      } else counters.bugs++
      return finish(errorAnswer(error, head, service), head.id, service, dateOf())
    } finally {
      concurrent--
    }
  }

  function upgrade(request: GatewayRequest): Upgrading {
    const head = headOf(request, ids.uuid())
    counters.requests++
    try {
      const claim = readClaim(head.headers, head.query)
      if (!claim) throw unsigned()
      return admitUpgrade(deps, options.upgrades ?? [], head, claim)
    } catch (thrown) {
      const about = { requestId: head.id, method: head.method, path: head.path }
      const error = declaredOf(thrown, undefined, log, about)
      if (error === thrown) {
        counters.refused++
        noteRefusal(error, head)
      } else counters.bugs++
      return { refused: finish(errorAnswer(error, head, 'elasticbeanstalk'), head.id, undefined, dateOf()) }
    }
  }

  // Whom it was for is not known: the shape is that of the query protocol, which most services speak.
  function refuse(refusal: DeclaredError): Answer {
    const id = ids.uuid()
    counters.requests++
    counters.refused++
    const answer = protocols.query.error(refusal, { model: undefined, requestId: id, resource: '' })
    return finish(answer, id, undefined, dateOf())
  }

  return {
    handle,
    upgrade,
    listen: (address) => listen({ handle, upgrade, refuse }, address, limits, clock),
    counters: () => ({ ...counters }),
  }
}

async function answerUnsigned(extra: OwnRoute[], head: Head): Promise<Answer> {
  const route = ownRoute(extra, head)
  if (route) return route.answer({ path: head.path, query: head.query, endpoint: head.endpoint })
  const form = head.method === 'POST' || head.query.has('Action')
  // S3 alone speaks of anonymous callers.
  if (!form) throw new DeclaredError('AccessDenied', 'Access Denied', { httpStatus: 403 })
  throw unsigned()
}

const unsigned = () =>
  new DeclaredError('MissingAuthenticationToken', 'Request is missing Authentication Token', {
    httpStatus: 403,
  })

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
  const service = /\/(s3|ec2)\/aws4_request/.exec(head.headers.get('authorization') ?? '')?.[1]
  if (service === 's3')
    return new DeclaredError('SlowDown', 'Please reduce your request rate.', { httpStatus: 503 })
  if (service === 'ec2')
    return new DeclaredError('RequestLimitExceeded', 'Request limit exceeded.', { httpStatus: 503 })
  return new DeclaredError('Throttling', 'Rate exceeded')
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
