// AWS JSON 1.0 and 1.1: the operation in X-Amz-Target, one JSON object in and one out (smithy.io, "AWS JSON 1.1 protocol").
import { DeclaredError } from '../../kernel/errors.ts'
import type { OperationModel, ServiceModel, Shape, StructureShape } from '../model.ts'
import type { Input, Protocol } from './protocol.ts'
import { missingMembers } from './required.ts'
import { refusalsOf } from './refusals.ts'

/** `CertificateManager.ListCertificates` → `ListCertificates`; undefined when it is of no such service. */
export function operationOfTarget(target: string, prefix: string): string | undefined {
  return target.startsWith(`${prefix}.`) ? target.slice(prefix.length + 1) : undefined
}

/** Typed input of a request; members that the model does not have are ignored, as AWS does. */
export const readJson = (operation: OperationModel, body: Uint8Array): Input =>
  readStructured(operation, body.length === 0 ? {} : parse(body))

/** The same of a body that was read into objects, lists, texts, numbers and bytes. */
export function readStructured(operation: OperationModel, given: unknown): Input {
  const refusals = refusalsOf('json')
  if (!operation.input) return {}
  if (!isObject(given)) throw refusals.unreadable('The body of the request is no object.')
  const input = readStructure(operation.input, given, '')
  const missing = missingMembers(operation.input, input)
  if (missing.length > 0) throw refusals.missing(missing)
  return input
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw refusalsOf('json').unreadable('The body of the request is no JSON.')
  }
}

function readStructure(shape: StructureShape, given: Record<string, unknown>, path: string): Input {
  const value: Input = {}
  for (const { name, shape: inner } of shape.members) {
    const own = Object.hasOwn(given, name) ? given[name] : undefined
    if (own !== undefined && own !== null) value[name] = read(inner, own, path + name)
  }
  return value
}

function read(shape: Shape, given: unknown, path: string): unknown {
  const wrong = () =>
    refusalsOf('json').malformed(path, shape.type, (JSON.stringify(given) ?? '').slice(0, 100))
  switch (shape.type) {
    case 'structure':
      if (!isObject(given)) throw wrong()
      return readStructure(shape, given, `${path}.`)
    case 'list':
      if (!Array.isArray(given)) throw wrong()
      return given.map((item, index) => read(shape.item, item, `${path}.${index + 1}.member`))
    case 'map':
      if (!isObject(given)) throw wrong()
      return Object.fromEntries(
        Object.entries(given).map(([key, item]) => [key, read(shape.value, item, `${path}.${key}`)]),
      )
    case 'string':
    case 'boolean':
      if (typeof given !== shape.type) throw wrong()
      return given
    case 'integer':
      if (!Number.isSafeInteger(given)) throw wrong()
      return given
    case 'double':
      if (typeof given !== 'number') throw wrong()
      return given
    case 'timestamp': {
      const time = typeof given === 'number' ? Math.round(given * 1000) : Date.parse(String(given))
      if (Number.isNaN(new Date(time).getTime())) throw wrong()
      return new Date(time)
    }
    case 'blob':
    case 'stream':
      return readBlob(given) ?? refuseBlob(path)
  }
}

// What is refused of it is not quoted: it may be a key.
function refuseBlob(path: string): never {
  throw refusalsOf('json').malformed(path, 'base64 text', '…')
}

function readBlob(given: unknown): Buffer | undefined {
  if (given instanceof Uint8Array) return Buffer.from(given)
  const text = typeof given === 'string' ? given.replaceAll(/\s/g, '') : undefined
  return text !== undefined && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value of the model as the protocol's writer takes it. JSON has moments as seconds since 1970 and bytes as base64 text; CBOR
 *  has both. */
export function valueOf(as: 'json' | 'cbor', shape: Shape, value: unknown): unknown {
  const write = (inner: Shape, of: unknown) => valueOf(as, inner, of)
  switch (shape.type) {
    case 'structure': {
      const given = value as Record<string, unknown>
      return Object.fromEntries(
        shape.members
          .filter(({ name }) => given[name] !== undefined && given[name] !== null)
          .map(({ name, shape: inner }) => [name, write(inner, given[name])]),
      )
    }
    case 'list':
      return (value as unknown[]).map((item) => write(shape.item, item))
    case 'map':
      return Object.fromEntries(
        Object.entries(value as object).map(([key, item]) => [key, write(shape.value, item)]),
      )
    case 'timestamp':
      return as === 'json' ? (value as Date).getTime() / 1000 : value
    case 'blob':
    case 'stream':
      return as === 'json' ? Buffer.from(value as Uint8Array).toString('base64') : value
    default:
      return value
  }
}

// What was a query service speaks JSON 1.0.
const headersOf = (model: ServiceModel | undefined) => ({
  'Content-Type': `application/x-amz-json-1.${model?.queryCompatible ? 0 : 1}`,
})

export const json: Protocol = {
  answer: (model, { output: shape }, output) => ({
    status: output.$status ?? 200,
    headers: headersOf(model),
    body: JSON.stringify(shape ? valueOf('json', shape, output) : {}),
  }),
  error(error: DeclaredError, { model }) {
    const type = model?.queryCompatible ? (model.error(error.code)?.shape ?? error.code) : error.code
    return {
      status: error.httpStatus,
      headers: {
        ...headersOf(model),
        'x-amzn-ErrorType': type,
        ...(model?.queryCompatible ? queryError(error) : {}),
      },
      body: JSON.stringify({ __type: type, message: error.message, ...error.members }),
    }
  },
}

/** By which clients of what was a query service know an error by its code of then (smithy.io, "awsQueryCompatible"). */
export const queryError = ({ code, httpStatus }: DeclaredError) => ({
  'x-amzn-query-error': `${code};${httpStatus < 500 ? 'Sender' : 'Receiver'}`,
})
