// AWS Query: form parameters in, `<XResponse><XResult>` out (elastic-beanstalk.md §6.2, clients.md §0.2).
import type { OperationModel, ServiceModel } from '../model.ts'
import { treeOf, type Parameter } from './parameters.ts'
import type { Input, Protocol } from './protocol.ts'
import { readQueryInput } from './query-input.ts'
import { refusalsOf } from './refusals.ts'
import { missingMembers } from './required.ts'
import { escapeXml, writeMembers } from './xml-output.ts'

/** Typed input of a query or ec2 request; throws the protocol's own refusals. */
export function readQuery(
  model: ServiceModel,
  operation: OperationModel,
  parameters: readonly Parameter[],
): Input {
  if (!operation.input) return {}
  const refusals = refusalsOf(model.protocol === 'ec2' ? 'ec2' : 'query')
  const input = readQueryInput(operation.input, treeOf(parameters), {
    refusals,
    alwaysFlat: model.protocol === 'ec2',
  })
  const missing = missingMembers(operation.input, input)
  if (missing.length > 0) throw refusals.missing(missing)
  return input
}

export const query: Protocol = {
  answer(model, operation, output, requestId) {
    const { name } = operation
    const members = operation.output ? writeMembers(operation.output, output) : ''
    const result = operation.output ? `<${name}Result>${members}</${name}Result>` : ''
    const body =
      `<${name}Response xmlns="${model.xmlns}">${result}` +
      `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${name}Response>`
    return { status: output.$status ?? 200, headers: { 'Content-Type': 'text/xml' }, body }
  },
  error(error, { model, requestId }) {
    const xmlns = model ? ` xmlns="${model.xmlns}"` : ''
    const type = error.httpStatus < 500 ? 'Sender' : 'Receiver'
    let members = ''
    for (const [key, value] of Object.entries(error.members))
      members += `<${key}>${escapeXml(value)}</${key}>`
    const body =
      `<ErrorResponse${xmlns}><Error><Type>${type}</Type><Code>${escapeXml(error.code)}</Code>` +
      `<Message>${escapeXml(error.message)}</Message>${members}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`
    return { status: error.httpStatus, headers: { 'Content-Type': 'text/xml' }, body }
  },
}
