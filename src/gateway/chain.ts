// The way of a request: claim → admit → verify → route → parse → dispatch → serialise. Each step throws a DeclaredError
// when it refuses.
import { hash } from 'node:crypto'
import { Readable, type Duplex } from 'node:stream'
import type { Clock } from '../kernel/clock.ts'
import { DeclaredError } from '../kernel/errors.ts'
import { checkedBody, checkPayloadHash } from './body/checked.ts'
import { collect } from './body/collect.ts'
import { unpack } from './body/unpack.ts'
import { operationOfPath, readCbor } from './protocols/cbor.ts'
import { operationOfTarget, readJson } from './protocols/json.ts'
import { readParameters, type Parameter } from './protocols/parameters.ts'
import type { Answer, Input, Output } from './protocols/protocol.ts'
import { readQuery } from './protocols/query.ts'
import { refusalsOf } from './protocols/refusals.ts'
import { checkPart, restTargetOf } from './protocols/rest-route.ts'
import { readRest, streamsInput } from './protocols/rest-xml.ts'
import type { Implemented, Joined, Registry, RequestContext } from './registry.ts'
import { decodeText, type GatewayRequest, type Head } from './request.ts'
import { protocolAsked, protocolFor, protocols } from './respond.ts'
import { checkRegion, notImplemented, serviceOf } from './routing.ts'
import type { Claim } from './sigv4/authorization.ts'
import { UNSIGNED_PAYLOAD } from './sigv4/canonical.ts'
import { authFailure, type Verified, type Verifier } from './sigv4/verify.ts'

/** A GET (and HEAD) or POST of our own; a path that ends in `/` answers everything below it. */
export type OwnRoute = {
  /** GET unless said. */
  method?: 'GET' | 'POST'
  path: string
  answer(request: {
    path: string
    query: ReadonlyMap<string, string>
    endpoint: string
  }): Answer | Promise<Answer>
}

/** What one of our own paths does with a connection that leaves HTTP (`Upgrade`), behind the same signature. */
export type UpgradeRoute = {
  /** Ends in `/`. */
  path: string
  /** What the client must name in `Upgrade`. */
  protocol: string
  /** Throws what is refused; answers who takes the connection over. */
  open(request: { path: string; accessKeyId: string }): (stream: Duplex) => void
}

/** Finds the route of a request that wants to leave HTTP, and verifies its signature: in headers, without a body. */
export function admitUpgrade(
  deps: Pick<ChainDeps, 'verifier' | 'clock' | 'used'>,
  routes: readonly UpgradeRoute[],
  { method, path, rawQuery, headers }: Head,
  claim: Claim,
): { protocol: string; take(stream: Duplex): void } {
  const credentials = deps.verifier.admit(claim, deps.clock.now())
  const payloadHash = hash('sha256', '', 'hex')
  // A link must open no shell.
  if (claim.presigned || claim.endsAtMs !== undefined || claim.scope.service === 's3')
    throw new DeclaredError('AccessDenied', 'Sign this request in its headers.', { httpStatus: 403 })
  deps.verifier.verify(claim, credentials, { method, path, query: rawQuery, headers, payloadHash })
  deps.used?.(useOf(claim))
  const route = routes.find(
    (one) => method === 'GET' && path.startsWith(one.path) && headers.get('upgrade') === one.protocol,
  )
  if (!route)
    throw new DeclaredError('NotFound', 'Nothing of this path takes a connection over.', { httpStatus: 404 })
  return { protocol: route.protocol, take: route.open({ path, accessKeyId: claim.accessKeyId }) }
}

export const ownRoute = (routes: readonly OwnRoute[], { method, path: asked }: Head): OwnRoute | undefined =>
  routes.find(
    (route) =>
      (route.method ?? 'GET') === (method === 'HEAD' ? 'GET' : method) &&
      (route.path.endsWith('/') ? asked.startsWith(route.path) : asked === route.path),
  )

export type ChainDeps = {
  registry: Registry
  verifier: Verifier
  store: { transaction<T>(body: () => T): T }
  clock: Clock
  account: string
  region: string
  /** Behind the same signature as everything else, of any service but s3. */
  signed?: readonly OwnRoute[]
  /** Told of each request whose signature is right, before it is answered. */
  used?(use: { accessKeyId: string; service: string; region: string }): void
  limits: { bodyBytesMax: number; logsBytesMax: number; xmlBytesMax: number; objectBytesMax: number }
}

/** Answers a signed request; `claim` is what its signature says. */
export async function answerSigned(
  deps: ChainDeps,
  request: GatewayRequest,
  head: Head,
  claim: Claim,
): Promise<Answer> {
  const credentials = deps.verifier.admit(claim, deps.clock.now())
  const signed = { method: head.method, path: head.path, query: head.rawQuery, headers: head.headers }
  if (claim.scope.service === 's3') {
    const payloadHash = payloadHashOfS3(head, claim)
    const verified = deps.verifier.verify(claim, credentials, { ...signed, payloadHash })
    deps.used?.(useOf(claim))
    return answerRest(deps, request, head, verified, payloadHash)
  }
  const stated = head.headers.get('x-amz-content-sha256')
  // With the hash in a header, a wrong signature is refused before the body is read.
  if (stated !== undefined) deps.verifier.verify(claim, credentials, { ...signed, payloadHash: stated })
  request.continue?.()
  const { bodyBytesMax, logsBytesMax } = deps.limits
  const bytesMax = claim.scope.service === 'logs' ? logsBytesMax : bodyBytesMax
  const tooLarge = () => requestTooLarge(bytesMax)
  const sent = await collect(request.body, bytesMax, tooLarge)
  const payloadHash = hash('sha256', sent, 'hex')
  if (stated === undefined) deps.verifier.verify(claim, credentials, { ...signed, payloadHash })
  else if (stated !== payloadHash && !(claim.presigned && stated === UNSIGNED_PAYLOAD))
    throw bodyMismatch(claim)
  deps.used?.(useOf(claim))
  const body = unpack(sent, head.headers.get('content-encoding'), bytesMax, tooLarge)
  const own = ownRoute(deps.signed ?? [], head)
  if (own) return own.answer({ path: head.path, query: head.query, endpoint: head.endpoint })
  const service = deps.registry.get(claim.scope.service)
  if (service?.model.protocol === 'rest-xml') return answerPath(deps, head, claim, service, body)
  const speaks = protocolAsked(head)
  return speaks === 'query'
    ? answerQuery(deps, head, claim, body)
    : answerStructured(deps, head, claim, body, speaks)
}

const useOf = ({ accessKeyId, scope: { service, region } }: Claim) => ({ accessKeyId, service, region })

function answerStructured(
  deps: ChainDeps,
  head: Head,
  claim: Claim,
  body: Uint8Array,
  speaks: 'json' | 'cbor',
): Answer | Promise<Answer> {
  const joined = serviceOf(deps.registry, claim.scope.service, undefined)
  checkRegion(joined, claim.scope.region, deps.region)
  const { protocol, target, queryCompatible } = joined.model
  const asked = speaks === 'json' ? (head.headers.get('x-amz-target') ?? '') : head.path
  const action = speaks === 'json' ? operationOfTarget(asked, target) : operationOfPath(asked, target)
  if (protocol !== 'json' || action === undefined || (speaks === 'cbor' && !queryCompatible))
    throw new DeclaredError(
      'UnknownOperationException',
      `${claim.scope.service} has no operation ${asked.slice(0, 100)}.`,
    )
  const operation = implementedOf(joined, action)
  const read = speaks === 'json' ? readJson : readCbor
  return dispatch(deps, head, claim, joined, operation, read(operation.model, body))
}

function answerQuery(deps: ChainDeps, head: Head, claim: Claim, body: Uint8Array): Answer | Promise<Answer> {
  const parameters = parametersOf(head, body)
  const find = (name: string) => parameters.find((parameter) => parameter[0] === name)?.[1]
  const joined = serviceOf(deps.registry, claim.scope.service, find('Version'))
  checkRegion(joined, claim.scope.region, deps.region)
  if (joined.model.protocol === 'json' && !joined.model.queryCompatible)
    throw new DeclaredError('MissingAction', 'The request is missing the header X-Amz-Target.')
  const action = find('Action') ?? find('Operation')
  if (action === undefined)
    throw new DeclaredError('MissingAction', 'The request is missing an action or a required parameter.')
  const operation = implementedOf(joined, action)
  return dispatch(deps, head, claim, joined, operation, readQuery(joined.model, operation.model, parameters))
}

function answerPath(
  deps: ChainDeps,
  head: Head,
  claim: Claim,
  joined: Joined,
  body: Uint8Array,
): Answer | Promise<Answer> {
  checkRegion(joined, claim.scope.region, deps.region)
  const found = joined.path(head.method, head.path)
  if (!found)
    throw new DeclaredError(
      'InvalidAction',
      `${joined.model.service} has no operation of this method and path.`,
      {
        httpStatus: 404,
      },
    )
  const operation = implementedOf(joined, found.operation)
  const { query, headers } = head
  const input = readRest(
    operation.model,
    { labels: found.labels, query, headers, body },
    refusalsOf('rest-xml', joined.model.service),
  )
  return dispatch(deps, head, claim, joined, operation, input)
}

function parametersOf(head: Head, body: Uint8Array): Parameter[] {
  if (head.method !== 'POST' && head.method !== 'GET')
    throw new DeclaredError('MethodNotAllowed', `${head.method} is not a method of this service.`, {
      httpStatus: 405,
    })
  const ofQuery = head.rawQuery === '' ? [] : readParameters(head.rawQuery)
  if (body.length === 0) return ofQuery
  return [
    ...ofQuery,
    ...readParameters(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1')),
  ]
}

function implementedOf(joined: Joined, action: string): Implemented {
  const { model, implemented } = joined
  const found = implemented.get(action)
  if (found) return found
  if (model.has(action)) throw notImplemented(model.service, action)
  const name = action.slice(0, 100)
  if (model.protocol === 'json')
    throw new DeclaredError('UnknownOperationException', `${model.service} has no operation ${name}.`)
  throw new DeclaredError(
    'InvalidAction',
    model.protocol === 'ec2'
      ? `The action ${name} is not valid for this web service.`
      : `Could not find operation ${name} for version ${model.version}`,
  )
}

async function answerRest(
  deps: ChainDeps,
  request: GatewayRequest,
  head: Head,
  verified: Verified,
  payloadHash: string,
): Promise<Answer> {
  const joined = serviceOf(deps.registry, 's3', undefined)
  checkRegion(joined, verified.claim.scope.region, deps.region)
  const target = restTargetOf(head.headers.get('host') ?? '', decodeText(head.path, 'plus is plus'))
  checkPart(head.method, target, head.query)
  const name = joined.route(head.method, target, head.query, head.headers.has('x-amz-copy-source'))
  if (name === undefined)
    throw new DeclaredError(
      'MethodNotAllowed',
      'The specified method is not allowed against this resource.',
      { httpStatus: 405 },
    )
  const operation = joined.implemented.get(name)
  if (!operation) throw notImplemented('s3', name)
  const { model } = operation

  const input: { current: Input } = { current: {} }
  const streams = streamsInput(model)
  request.continue?.()
  const content = checkedBody(
    Readable.from(request.body instanceof Readable ? request.body : [request.body]),
    {
      headers: headersToCheck(head, model.name),
      payloadHash,
      verified,
      bytesMax: streams ? deps.limits.objectBytesMax : deps.limits.xmlBytesMax,
      onChecksum(name, base64) {
        input.current[checksumMember(name)] = base64
      },
    },
  )
  const stream = Readable.from(content, { objectMode: false })
  const body = streams
    ? stream
    : await collect(stream, deps.limits.xmlBytesMax, () => requestTooLarge(deps.limits.xmlBytesMax))
  const parts = {
    labels: { Bucket: target.bucket, Key: target.key },
    query: head.query,
    headers: headersOfContent(verified.claim.presigned ? withHoisted(head) : head.headers),
    body,
  }
  input.current = readRest(model, parts, refusalsOf('rest-xml', joined.model.service))
  return dispatch(deps, head, verified.claim, joined, operation, input.current)
}

function dispatch(
  deps: ChainDeps,
  head: Head,
  claim: Claim,
  joined: Joined,
  { model, handler, isAsync }: Implemented,
  input: Input,
): Answer | Promise<Answer> {
  const context: RequestContext = {
    account: deps.account,
    region: deps.region,
    caller: {
      accessKeyId: claim.accessKeyId,
      arn: `arn:aws:iam::${deps.account}:root`,
      userId: deps.account,
    },
    requestId: head.id,
    endpoint: head.endpoint,
  }
  const protocol = protocols[protocolFor(joined.model, head)]
  const run = () => handler(context, input as never)
  if (isAsync)
    return Promise.resolve(run()).then((output) =>
      protocol.answer(joined.model, model, outputOf(output), head.id),
    )
  const output = deps.store.transaction(run)
  if (output instanceof Promise) throw new Error(`${model.name} answered a promise but is not declared async`)
  return protocol.answer(joined.model, model, outputOf(output), head.id)
}

const outputOf = (output: object | void): Output => (output ?? {}) as Output

// Presigned URLs sign no body; every other S3 request must state its hash.
function payloadHashOfS3(head: Head, claim: Claim): string {
  const stated = head.headers.get('x-amz-content-sha256') ?? head.query.get('X-Amz-Content-Sha256')
  if (stated !== undefined) {
    checkPayloadHash(stated)
    return stated
  }
  if (claim.presigned) return UNSIGNED_PAYLOAD
  throw new DeclaredError('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256')
}

// Its x-amz-checksum-* are of the object that is put together, not of the request's body.
function headersToCheck(head: Head, operation: string): ReadonlyMap<string, string> {
  if (operation !== 'CompleteMultipartUpload') return head.headers
  return new Map([...head.headers].filter(([name]) => !name.startsWith('x-amz-checksum-')))
}

// Presigners move x-amz-* headers into the query, where they are signed.
function withHoisted({ headers, query }: Head): ReadonlyMap<string, string> {
  const hoisted = [...query].filter(([name]) => name.startsWith('x-amz-'))
  return hoisted.length === 0 ? headers : new Map([...headers, ...hoisted])
}

// The operation is told of the content, not of how it was chunked on the way.
function headersOfContent(headers: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const length = headers.get('x-amz-decoded-content-length')
  const encoding = headers.get('content-encoding')
  if (length === undefined && encoding === undefined) return headers
  const content = new Map(headers)
  if (length !== undefined) content.set('content-length', length)
  const kept = (encoding ?? '')
    .split(',')
    .filter((each) => each.trim() !== 'aws-chunked' && each.trim() !== '')
  if (kept.length > 0) content.set('content-encoding', kept.join(',').trim())
  else content.delete('content-encoding')
  return content
}

const checksumMember = (name: string) => `Checksum${name.toUpperCase()}`

const requestTooLarge = (bytesMax: number) =>
  new DeclaredError(
    'RequestEntityTooLarge',
    `The request's body is larger than the ${bytesMax} bytes allowed.`,
    { httpStatus: 413 },
  )

const bodyMismatch = ({ scope }: Claim) =>
  scope.service === 'ec2'
    ? authFailure()
    : new DeclaredError(
        'SignatureDoesNotMatch',
        'The body of the request does not have the SHA-256 that its X-Amz-Content-SHA256 header states.',
        { httpStatus: 403 },
      )
