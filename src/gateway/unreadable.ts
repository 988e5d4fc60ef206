// What node:http cannot read as a request never reaches the gateway's handler. It is refused here, with the date and
// request id that clients expect of every answer (the EB CLI reads `date` even of errors).
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { DeclaredError } from '../kernel/errors.ts'
import type { Answer } from './protocols/protocol.ts'

/** Answers bytes that are no request, and ends the connection. */
export function refuseUnreadable(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  answerTo: (refusal: DeclaredError) => Answer,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, headers, body } = answerTo(refusalOf(error.code))
  const text = typeof body === 'string' ? body : ''
  const lines = Object.entries({ ...headers, Connection: 'close', 'Content-Length': Buffer.byteLength(text) })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n${text}`)
}

function refusalOf(code: string | undefined): DeclaredError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new DeclaredError(
      'RequestHeaderSectionTooLarge',
      'Your request header section exceeds the maximum allowed size.',
      { httpStatus: 431 },
    )
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new DeclaredError(
      'RequestTimeout',
      'Your socket connection to the server was not read from or written to within the timeout period.',
      { httpStatus: 408 },
    )
  return new DeclaredError('BadRequest', 'The request is not HTTP/1.1 as this server can read it.')
}
