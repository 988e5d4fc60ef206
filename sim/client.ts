// Sends AWS requests into the gateway, signed as any client's are.
import { createHash } from 'node:crypto'
import { parseXml, structureOf, type XmlValue } from '../src/cli/xml.ts'
import { signRequest } from '../src/gateway/sigv4.ts'
import { LONG_LIVED } from '../src/kernel/test-certificate.ts'
import type { Life } from './life.ts'
import { CREDENTIALS, REGION, type World } from './world.ts'

/** `code` is '' when the call was not refused. */
export type Reply = { status: number; code: string; message: string; result: { [name: string]: XmlValue } }

/** Service → the scope of its signature, and the version of its API. */
const SERVICES = {
  elasticbeanstalk: ['elasticbeanstalk', '2010-12-01'],
  autoscaling: ['autoscaling', '2011-01-01'],
  cloudwatch: ['monitoring', '2010-08-01'],
  elasticloadbalancingv2: ['elasticloadbalancing', '2015-12-01'],
  ec2: ['ec2', '2016-11-15'],
} as const
export type ServiceName = keyof typeof SERVICES

const sha256 = (body: string) => createHash('sha256').update(body).digest('hex')

/** One call of a query protocol. Throws when the answer says that we have a bug. */
export async function call(
  world: World,
  life: Life,
  action: string,
  input: Record<string, string>,
  service: ServiceName = 'elasticbeanstalk',
): Promise<Reply> {
  const [scope, Version] = SERVICES[service]
  const body = new URLSearchParams({ Action: action, Version, ...input }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const { status, text } = await send(world, life, scope, 'POST', '/', headers, body)
  const document = structureOf(parseXml(text)[`${action}Response`])
  const refused = (name: string) =>
    status < 300 ? '' : (new RegExp(`<${name}>([^<]*)`).exec(text)?.[1] ?? String(status))
  return {
    status,
    code: refused('Code'),
    message: refused('Message'),
    result: service === 'ec2' ? document : structureOf(document[`${action}Result`]),
  }
}

/** One call of AWS JSON 1.1, answered as JSON. `target`: `CertificateManager.ListCertificates`. */
export async function callJson(
  world: World,
  life: Life,
  scope: string,
  target: string,
  input: object,
): Promise<{ status: number; code: string; result: Record<string, unknown> }> {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target }
  const { status, text } = await send(world, life, scope, 'POST', '/', headers, JSON.stringify(input))
  const result = JSON.parse(text) as Record<string, unknown>
  return { status, code: status < 300 ? '' : String(result.__type), result }
}

/** One call of Route 53. Throws when the answer says that we have a bug. */
export async function callRoute53(
  world: World,
  life: Life,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body = '',
): Promise<{ status: number; code: string; text: string }> {
  const { status, text } = await send(world, life, 'route53', method, `/2013-04-01${path}`, {}, body)
  return { status, code: status < 300 ? '' : (/<Code>([^<]*)/.exec(text)?.[1] ?? String(status)), text }
}

/** The ARN of the shop's certificate, which is imported again when it is there; undefined when that was refused. */
export async function importCertificate(world: World, life: Life): Promise<string | undefined> {
  const known = world.store.get<{ arn: string }>(
    'select arn from acm_certificate where arn not in (select arn from acm_order)',
  )?.arn
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const { result } = await callJson(world, life, 'acm', 'CertificateManager.ImportCertificate', {
    Certificate: base64(LONG_LIVED.certificate),
    PrivateKey: base64(LONG_LIVED.key),
    ...(known === undefined ? {} : { CertificateArn: known }),
  })
  return known ?? (result.CertificateArn as string | undefined)
}

/** Asks for a certificate of names of the shop's zone, or of the home's own authority. */
export async function requestCertificate(
  world: World,
  life: Life,
  name: string,
  token: string,
): Promise<string> {
  const { code } = await callJson(world, life, 'acm', 'CertificateManager.RequestCertificate', {
    ...{ DomainName: name, ValidationMethod: 'DNS', KeyAlgorithm: 'EC_prime256v1', IdempotencyToken: token },
    ...(name.startsWith('*.') ? { SubjectAlternativeNames: [name.slice(2)] } : {}),
  })
  return code
}

/** Never resolves when the life ends meanwhile. */
export async function putObject(
  world: World,
  life: Life,
  bucket: string,
  key: string,
  body: string,
): Promise<number> {
  const path = `/${bucket}/${key}`
  const headers = { 'content-length': String(body.length) }
  return (await send(world, life, 's3', 'PUT', path, headers, body)).status
}

/** One signed request, whatever the service; throws when the answer says that we have a bug. */
export async function send(
  world: World,
  life: Life,
  scope: string,
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
    service: scope,
    region: REGION,
    credentials: CREDENTIALS,
    at: world.clock.now(),
  })
  const rawHeaders = Object.entries(signed).flat()
  const answer = await life.gateway.handle({ method, url: path, rawHeaders, body: Buffer.from(body) })
  // 503 is an engine's failure, which S3 passes on; 500 is nobody's but ours.
  if (answer.status === 500)
    throw new Error(
      `a bug: ${method} ${path} ${body.slice(0, 200)} was answered ${answer.status}: ${world.logged.at(-1)}`,
    )
  return { status: answer.status, text: typeof answer.body === 'string' ? answer.body : '' }
}
