// EC2's dialect of query: members directly under `<XResponse>`, and another shape of errors.
import type { Protocol } from './protocol.ts'
import { escapeXml, writeMembers } from './xml-output.ts'

const headers = { 'Content-Type': 'text/xml;charset=UTF-8' }
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

export const ec2: Protocol = {
  answer(model, operation, output, requestId) {
    const { name } = operation
    // Operations without an output answer <return>true</return>, as EC2 does.
    const members = operation.output ? writeMembers(operation.output, output) : '<return>true</return>'
    const body =
      `${DECLARATION}<${name}Response xmlns="${model.xmlns}/">` +
      `<requestId>${requestId}</requestId>${members}</${name}Response>`
    return { status: output.$status ?? 200, headers: { ...headers }, body }
  },
  error(error, { requestId }) {
    const body =
      `${DECLARATION}<Response><Errors><Error><Code>${escapeXml(error.code)}</Code>` +
      `<Message>${escapeXml(error.message)}</Message></Error></Errors><RequestID>${requestId}</RequestID></Response>`
    return { status: error.httpStatus, headers: { ...headers }, body }
  },
}
