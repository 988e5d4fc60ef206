// rest-xml: the protocol of S3 and Route 53. Members stand in the path, the query, headers and the body.
import { Readable } from 'node:stream'
import type { DeclaredError } from '../../kernel/errors.ts'
import type { Member, OperationModel, ServiceModel } from '../model.ts'
import type { Answer, Input, Output, Protocol } from './protocol.ts'
import type { Refusals } from './refusals.ts'
import { missingMembers } from './required.ts'
import { nameOfScalar, readScalar, writeScalar } from './scalars.ts'
import { readXmlInput } from './xml-input.ts'
import { escapeXml, writeContent, writeMembers } from './xml-output.ts'
import { parseXml, XmlError, type XmlElement } from './xml-parse.ts'

export type RestRequest = {
  labels: Record<string, string | undefined>
  query: ReadonlyMap<string, string>
  headers: ReadonlyMap<string, string>
  body: Uint8Array | Readable
}

/** True when the operation takes the body as a stream, so that it must not be collected. */
export const streamsInput = (operation: OperationModel): boolean =>
  operation.input?.members.some(
    (member) => member.http?.in === 'payload' && member.shape.type === 'stream',
  ) ?? false

export function readRest(operation: OperationModel, request: RestRequest, refusals: Refusals): Input {
  const { input: shape } = operation
  if (!shape) return {}
  const input: Input = {}
  const inBody: Member[] = []
  for (const member of shape.members) {
    if (!member.http) inBody.push(member)
    else if (member.http.in === 'payload') input[member.name] = readPayload(member, request.body, refusals)
    else input[member.name] = readBound(member, request, refusals)
    if (input[member.name] === undefined) delete input[member.name]
  }
  if (inBody.length > 0) {
    const root = readBody(request.body, refusals)
    if (root) Object.assign(input, readXmlInput({ ...shape, members: inBody }, root, '', refusals))
  }
  const missing = missingMembers(shape, input)
  if (missing.length > 0) throw refusals.missing(missing)
  return input
}

function readBound(member: Member, request: RestRequest, refusals: Refusals): unknown {
  const { http } = member
  if (!http) return undefined
  if (http.in === 'prefix-headers') {
    const found = [...request.headers].filter(([name]) => name.startsWith(http.name))
    if (found.length === 0) return undefined
    return Object.fromEntries(
      found.map(([name, value]) => [name.slice(http.name.length), textOfHeader(value)]),
    )
  }
  const text =
    http.in === 'label'
      ? request.labels[member.name]
      : http.in === 'query'
        ? request.query.get(http.name)
        : http.in === 'header'
          ? request.headers.get(http.name)
          : undefined
  if (text === undefined) return undefined
  return readText(member, http.in === 'header' ? textOfHeader(text) : text, refusals)
}

function readText(member: Member, text: string, refusals: Refusals): unknown {
  const { shape } = member
  if (shape.type === 'list') return text.split(',').map((item) => unquote(item.trim()))
  if (shape.type === 'structure' || shape.type === 'map') return undefined
  if (text === '' && shape.type !== 'string') return undefined
  const scalar = readScalar(shape, text)
  if (scalar === undefined) throw refusals.malformed(member.name, nameOfScalar(shape), text)
  return scalar
}

function readPayload(member: Member, body: Uint8Array | Readable, refusals: Refusals): unknown {
  if (member.shape.type === 'stream') return body instanceof Readable ? body : Readable.from([body])
  if (body instanceof Readable) throw new Error(`${member.name}: the body was not collected`)
  if (member.shape.type === 'blob') return body
  if (member.shape.type === 'string') return body.length > 0 ? Buffer.from(body).toString() : undefined
  const root = readBody(body, refusals)
  return root && readXmlInput(member.shape, root, member.name, refusals)
}

function readBody(body: Uint8Array | Readable, refusals: Refusals): XmlElement | undefined {
  if (body instanceof Readable || body.length === 0) return undefined
  try {
    return parseXml(Buffer.from(body).toString())
  } catch (error) {
    if (error instanceof XmlError) throw refusals.unreadable(error.message)
    throw error
  }
}

// Node gives header bytes as Latin-1; S3 takes them as UTF-8.
const textOfHeader = (value: string) =>
  /[\u0080-\u00ff]/.test(value) ? Buffer.from(value, 'latin1').toString() : value

const unquote = (text: string) => (/^".*"$/.test(text) ? text.slice(1, -1).replaceAll('\\"', '"') : text)

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

export const restXml: Protocol = {
  answer(model, operation, output, requestId) {
    const answer: Answer = {
      status: output.$status ?? operation.http?.status ?? 200,
      headers: {},
      body: undefined,
    }
    if (model.service === 's3') answer.headers['x-amz-request-id'] = requestId
    let inBody = false
    for (const member of operation.output?.members ?? []) {
      const value = output[member.name]
      if (!member.http) inBody = true
      else if (value === undefined || value === null) continue
      else if (member.http.in === 'payload') writePayload(model, member, value, answer)
      else if (member.http.in === 'header') answer.headers[member.http.name] = headerOf(member, value)
      else if (member.http.in === 'prefix-headers')
        for (const [key, each] of Object.entries(value as Record<string, string>))
          answer.headers[member.http.name + key.toLowerCase()] = encodeHeader(each)
    }
    if (inBody) writeBody(model, operation, output, answer)
    return answer
  },
  error(error, { model, requestId, resource }) {
    if (model && model.service !== 's3') return queryError(error, model, requestId)
    const members = {
      Code: error.code,
      Message: error.message,
      ...error.members,
      Resource: resource,
      RequestId: requestId,
    }
    let body = `${DECLARATION}<Error>`
    for (const [name, value] of Object.entries(members)) body += `<${name}>${escapeXml(value)}</${name}>`
    body += `<HostId>${hostId(requestId)}</HostId></Error>`
    const headers: Record<string, string> = {
      'Content-Type': 'application/xml',
      'x-amz-request-id': requestId,
    }
    if (error.httpStatus === 304) delete headers['Content-Type']
    return { status: error.httpStatus, headers, body: error.httpStatus === 304 ? undefined : body }
  },
}

/** As of the query protocol: `<ErrorResponse><Error>`. */
function queryError(error: DeclaredError, { xmlns }: ServiceModel, requestId: string): Answer {
  const type = error.httpStatus >= 500 ? 'Receiver' : 'Sender'
  const members = { Type: type, Code: error.code, Message: error.message, ...error.members }
  const inner = Object.entries(members)
    .map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`)
    .join('')
  const id = `<RequestId>${escapeXml(requestId)}</RequestId>`
  return {
    status: error.httpStatus,
    headers: { 'Content-Type': 'text/xml' },
    body: `${DECLARATION}<ErrorResponse xmlns="${xmlns}"><Error>${inner}</Error>${id}</ErrorResponse>`,
  }
}

function writePayload(model: ServiceModel, member: Member, value: unknown, answer: Answer): void {
  if (member.shape.type === 'stream' || member.shape.type === 'blob' || member.shape.type === 'string') {
    answer.body = value as string | Uint8Array | Readable
    return
  }
  const name =
    member.xmlName !== member.name || member.shape.type !== 'structure'
      ? member.xmlName
      : member.shape.xmlName
  answer.headers['Content-Type'] ??= 'application/xml'
  answer.body = `${DECLARATION}<${name} xmlns="${model.xmlns}">${writeContent(member.shape, value)}</${name}>`
}

function writeBody(model: ServiceModel, operation: OperationModel, output: Output, answer: Answer): void {
  const shape = operation.output!
  const members = shape.members.filter((member) => !member.http)
  // The one answer whose root is the value itself: <LocationConstraint>eu-west-1</LocationConstraint>.
  const content =
    operation.name === 'GetBucketLocation'
      ? escapeXml((output.LocationConstraint as string | undefined) ?? '')
      : writeMembers({ ...shape, members }, output)
  answer.headers['Content-Type'] ??= 'application/xml'
  answer.body = `${DECLARATION}<${shape.xmlName} xmlns="${model.xmlns}">${content}</${shape.xmlName}>`
}

function headerOf(member: Member, value: unknown): string {
  const { shape } = member
  if (shape.type === 'list') return (value as unknown[]).map(String).join(', ')
  if (shape.type === 'map' || shape.type === 'structure') throw new Error(`${member.name} cannot be a header`)
  return encodeHeader(writeScalar(shape, value, 'http-date'))
}

// S3 answers metadata that is not ASCII in RFC 2047 form; a line break would forge a header.
const encodeHeader = (text: string) =>
  /^[\t\u0020-\u007e]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`

/** S3's second id of a request; opaque. */
export const hostId = (requestId: string): string => Buffer.from(`polebean ${requestId}`).toString('base64')
