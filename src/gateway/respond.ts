// Answers and errors, in the shape that the client of a service can read.
import { DeclaredError, EngineError, reasonOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { isServiceName, modelOf } from './models.ts'
import { ec2 } from './protocols/ec2.ts'
import type { ServiceModel } from './model.ts'
import { cbor, RPC_V2_CBOR } from './protocols/cbor.ts'
import { json } from './protocols/json.ts'
import type { Answer, Protocol } from './protocols/protocol.ts'
import { query } from './protocols/query.ts'
import { hostId, restXml } from './protocols/rest-xml.ts'
import { isStoreFailure } from '../store/store.ts'
import type { Head } from './request.ts'
import { serviceNamed } from './routing.ts'

type ProtocolName = ServiceModel['protocol'] | 'cbor'
export const protocols: Record<ProtocolName, Protocol> = { query, ec2, json, 'rest-xml': restXml, cbor }

/** Which of the protocols that have no operations in paths a request speaks. */
export const protocolAsked = ({ headers }: Head): 'query' | 'json' | 'cbor' =>
  headers.get('smithy-protocol') === RPC_V2_CBOR ? 'cbor' : headers.has('x-amz-target') ? 'json' : 'query'

/** In which one a request of a service is answered. */
export const protocolFor = (model: ServiceModel, head: Head): ProtocolName =>
  model.queryCompatible ? protocolAsked(head) : model.protocol

/** `scopeService` is what the request claims to be for, undefined when it is not signed. */
export function errorAnswer(error: DeclaredError, head: Head, scopeService: string | undefined): Answer {
  const name = scopeService === undefined ? guess(head) : serviceNamed(scopeService, undefined)
  const about = { requestId: head.id, resource: head.path }
  if (isServiceName(name)) {
    const model = modelOf(name)
    const known = model.error(error.code)
    const status = error.httpStatus === 400 ? (known?.status ?? 400) : error.httpStatus
    const worded = known ? withCode(error, known.code, status) : error
    return protocols[protocolFor(model, head)].error(worded, { ...about, model })
  }
  if (/json/.test(head.headers.get('content-type') ?? ''))
    return json.error(error, { ...about, model: undefined })
  return protocols.query.error(error, { ...about, model: undefined })
}

/** What is thrown and not declared is an engine's failure, which passes, or a bug, which is logged whole. */
export function declaredOf(
  error: unknown,
  scopeService: string | undefined,
  log: Log,
  fields: object,
): DeclaredError {
  if (error instanceof DeclaredError) return error
  if (error instanceof EngineError) {
    log.warn('an engine failed during a request', { ...fields, error })
    return new DeclaredError('ServiceUnavailable', error.message, { httpStatus: 503 })
  }
  if (isStoreFailure(error)) {
    log.warn('the database could not be written during a request', { ...fields, error })
    const message = `The home's database cannot be written: ${reasonOf(error)}. Make room on its disk, then try again.`
    return new DeclaredError('ServiceUnavailable', message, { httpStatus: 503 })
  }
  log.error('bug: a request failed', { ...fields, error })
  const code =
    scopeService === 's3' ? 'InternalError' : scopeService === 'ec2' ? 'InternalError' : 'InternalFailure'
  return new DeclaredError(code, 'An internal error occurred; the server log has the reason.', {
    httpStatus: 500,
  })
}

/** Headers that every answer has: the EB CLI reads `date` of each (clients.md §0.1). */
export function finish(answer: Answer, id: string, scopeService: string | undefined, date: string): Answer {
  const { headers } = answer
  headers.Date = date
  if (scopeService === 's3' || headers['x-amz-request-id']) {
    headers['x-amz-request-id'] = id
    headers['x-amz-id-2'] = hostId(id)
  } else headers['x-amzn-RequestId'] = id
  return answer
}

function withCode(error: DeclaredError, code: string, httpStatus: number): DeclaredError {
  if (error.code === code && error.httpStatus === httpStatus) return error
  return new DeclaredError(code, error.message, { httpStatus, members: error.members })
}

// An unsigned request says nothing of its service: a form is some query service, the rest is taken for S3.
function guess(head: Head): string {
  const form = head.headers.get('content-type')?.startsWith('application/x-www-form-urlencoded')
  return form || head.query.has('Action') || /json|cbor/.test(head.headers.get('content-type') ?? '')
    ? ''
    : 's3'
}
