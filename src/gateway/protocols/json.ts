// AWS JSON 1.1: the operation in X-Amz-Target, one JSON object in and one out (smithy.io, "AWS JSON 1.1 protocol").
import { DeclaredError } from '../../kernel/errors.ts'
import type { OperationModel, Shape, StructureShape } from '../model.ts'
import type { Input, Protocol } from './protocol.ts'
import { missingMembers } from './required.ts'
import { refusalsOf } from './refusals.ts'

/** `CertificateManager.ListCertificates` → `ListCertificates`; undefined when it is of no such service. */
export function operationOfTarget(target: string, prefix: string): string | undefined {
  return target.startsWith(`${prefix}.`) ? target.slice(prefix.length + 1) : undefined
}

/** Typed input of a request; members that the model does not have are ignored, as AWS does. */
export function readJson(operation: OperationModel, body: Uint8Array): Input {
  const refusals = refusalsOf('json')
  const given = body.length === 0 ? {} : parse(body)
  if (!operation.input) return {}
  if (!isObject(given)) throw refusals.unreadable('The body of the request is no JSON object.')
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
  const text = typeof given === 'string' ? given.replaceAll(/\s/g, '') : undefined
  return text !== undefined && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** As JSON has it: seconds since 1970, base64 text. */
function write(shape: Shape, value: unknown): unknown {
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
      return (value as Date).getTime() / 1000
    case 'blob':
    case 'stream':
      return Buffer.from(value as Uint8Array).toString('base64')
    default:
      return value
  }
}

const headers = { 'Content-Type': 'application/x-amz-json-1.1' }

export const json: Protocol = {
  answer: (_model, { output: shape }, output) => ({
    status: output.$status ?? 200,
    headers: { ...headers },
    body: JSON.stringify(shape ? write(shape, output) : {}),
  }),
  error: (error: DeclaredError) => ({
    status: error.httpStatus,
    headers: { ...headers, 'x-amzn-ErrorType': error.code },
    body: JSON.stringify({ __type: error.code, message: error.message, ...error.members }),
  }),
}
