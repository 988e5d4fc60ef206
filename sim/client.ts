// Sends AWS requests into the gateway, signed as any client's are.
import { createHash } from 'node:crypto'
import { parseXml, structureOf, textOf, type XmlValue } from '../src/cli/xml.ts'
import { signRequest } from '../src/gateway/sigv4.ts'
import type { Life } from './life.ts'
import { CREDENTIALS, REGION, type World } from './world.ts'

export type Reply = { status: number; code: string; message: string; result: { [name: string]: XmlValue } }

const VERSIONS = { elasticbeanstalk: '2010-12-01' } as const
const sha256 = (body: string) => createHash('sha256').update(body).digest('hex')

/** One query call; the reply carries the error's code and message when it was refused. */
export async function call(
  world: World,
  life: Life,
  action: string,
  input: Record<string, string>,
): Promise<Reply> {
  const body = new URLSearchParams({
    Action: action,
    Version: VERSIONS.elasticbeanstalk,
    ...input,
  }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await send(world, life, 'elasticbeanstalk', 'POST', '/', headers, body)
  const document = parseXml(answer.text)
  const error = structureOf(structureOf(document.ErrorResponse).Error)
  const result = structureOf(structureOf(document[`${action}Response`])[`${action}Result`])
  return { status: answer.status, code: textOf(error.Code), message: textOf(error.Message), result }
}

export async function putObject(
  world: World,
  life: Life,
  bucket: string,
  key: string,
  body: string,
): Promise<number> {
  const path = `/${bucket}/${key}`
  return (await send(world, life, 's3', 'PUT', path, { 'content-length': String(body.length) }, body)).status
}

/** One signed request, whatever the service; throws when it is answered 5xx. */
export async function send(
  world: World,
  life: Life,
  service: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string,
): Promise<{ status: number; text: string }> {
  const signed = signRequest({
    method,
    path,
    headers: { host: '127.0.0.1:4777', ...headers },
    payloadHash: sha256(body),
    service,
    region: REGION,
    credentials: CREDENTIALS,
    at: world.clock.now(),
  })
  const rawHeaders = Object.entries(signed).flat()
  const answer = await life.gateway.handle({ method, url: path, rawHeaders, body: Buffer.from(body) })
  // S3 says NotImplemented with 501.
  if (answer.status >= 500 && answer.status !== 501)
    throw new Error(
      `a bug: ${method} ${path} ${body.slice(0, 200)} was answered ${answer.status}: ${world.logged.at(-1)}`,
    )
  return { status: answer.status, text: typeof answer.body === 'string' ? answer.body : '' }
}
