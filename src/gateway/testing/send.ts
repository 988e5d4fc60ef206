// Signs and sends one request to a gateway, in process; for tests.
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { systemClock } from '../../kernel/clock.ts'
import type { Gateway } from '../server.ts'
import { signRequest, type Credentials } from '../sigv4.ts'
import { credentials, region } from './stub-gateway.ts'

export type Sent = {
  method?: string
  path?: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  service?: string
  region?: string
  credentials?: Credentials
}
export type Got = {
  status: number
  headers: Record<string, string>
  body: string
  /** The same, as it came. */
  bytes: Buffer
  code: string
  message: string
}

/** A query request unless told otherwise. */
export async function send(gateway: Gateway, sent: Sent): Promise<Got> {
  const { method = 'POST', path = '/', body = '', service = 'elasticbeanstalk' } = sent
  const form: Record<string, string> =
    method === 'POST' && service !== 's3' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}
  const headers = signRequest({
    method,
    path,
    headers: { host: 'localhost:4000', ...form, ...sent.headers },
    payloadHash: createHash('sha256').update(body).digest('hex'),
    service,
    region: sent.region ?? region,
    credentials: sent.credentials ?? credentials,
    at: systemClock.now(),
  })
  const answer = await gateway.handle({
    method,
    url: path,
    rawHeaders: Object.entries(headers).flat(),
    body: Buffer.from(body),
  })
  const bytes = await bytesOf(answer.body)
  const text = bytes.toString()
  return {
    status: answer.status,
    headers: answer.headers,
    body: text,
    bytes,
    code: /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? '',
    message: /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? '',
  }
}

async function bytesOf(body: Readable | Uint8Array | string | undefined): Promise<Buffer> {
  if (body === undefined) return Buffer.alloc(0)
  if (typeof body === 'string') return Buffer.from(body)
  if (body instanceof Uint8Array) return Buffer.from(body)
  return Buffer.concat(await Array.fromAsync(body as AsyncIterable<Uint8Array>))
}
