// Smithy RPC v2 CBOR: the operation in the path, one CBOR map in and one out (smithy.io, "Smithy RPC v2 CBOR protocol").
// Bytes are read and written by cborg (RFC 8949); what of the model they are is read here.
import { decode, encode, Token, Type } from 'cborg'
import type { DeclaredError } from '../../kernel/errors.ts'
import type { OperationModel } from '../model.ts'
import { queryError, readStructured, valueOf } from './json.ts'
import type { Input, Protocol } from './protocol.ts'
import { refusalsOf } from './refusals.ts'

/** What a client says in `smithy-protocol`. */
export const RPC_V2_CBOR = 'rpc-v2-cbor'

/** `/service/GraniteServiceVersion20100801/operation/ListMetrics` → `ListMetrics`; undefined when it is of no such service. */
export function operationOfPath(path: string, target: string): string | undefined {
  const [, service, operation] = /^\/service\/([^/]+)\/operation\/([^/]+)$/.exec(path) ?? []
  return service === target ? operation : undefined
}

/** Typed input of a request; members that the model does not have are ignored. */
export const readCbor = (operation: OperationModel, body: Uint8Array): Input =>
  readStructured(operation, body.length === 0 ? {} : parse(body))

function parse(body: Uint8Array): unknown {
  try {
    return decode(body, { allowIndefinite: true, coerceUndefinedToNull: true, tags: { 1: (read) => read() } })
  } catch {
    // Also what is nested so deeply that no stack holds it.
    throw refusalsOf('json').unreadable('The body of the request is no CBOR.')
  }
}

// A moment is a number of seconds with tag 1 (RFC 8949 §3.4.2).
const options = {
  typeEncoders: {
    Date: (moment: unknown) => [
      new Token(Type.tag, 1),
      new Token(Type.float, (moment as Date).getTime() / 1000),
    ],
  },
}

const headers = { 'Content-Type': 'application/cbor', 'smithy-protocol': RPC_V2_CBOR }

export const cbor: Protocol = {
  answer: (_model, { output: shape }, output) => ({
    status: output.$status ?? 200,
    headers: { ...headers },
    body: encode(shape ? valueOf('cbor', shape, output) : {}, options),
  }),
  error: (error: DeclaredError, { model }) => ({
    status: error.httpStatus,
    headers: { ...headers, ...(model?.queryCompatible ? queryError(error) : {}) },
    body: encode({
      __type: model?.error(error.code)?.shape ?? error.code,
      message: error.message,
      ...error.members,
    }),
  }),
}
