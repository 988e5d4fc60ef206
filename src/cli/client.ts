// A thin client of the same API that every AWS client uses: signed query calls and S3 uploads to the home's endpoint.
import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { signRequest } from '../gateway/sigv4.ts'
import { readCredentials, readHome, type Credentials, type HomeSettings } from '../home.ts'
import { systemClock } from '../kernel/clock.ts'
import { reasonOf } from '../kernel/errors.ts'
import { EXIT, Failure, Unreachable } from './failure.ts'
import { startCommand } from './release.ts'
import { parseXml, structureOf, textOf, type XmlValue } from './xml.ts'

const VERSIONS = {
  elasticbeanstalk: '2010-12-01',
  autoscaling: '2011-01-01',
  elasticloadbalancing: '2015-12-01',
  /** Classic Load Balancers: the same scope, an older version. */
  elb: '2012-06-01',
  iam: '2010-05-08',
} as const

/** What `X-Amz-Target` begins with. */
const TARGETS = { acm: 'CertificateManager' } as const

const SCOPES: Partial<Record<ServiceName, string>> = { elb: 'elasticloadbalancing' }

export type ServiceName = keyof typeof VERSIONS
export type Input = { [name: string]: string | number | boolean | undefined | Input | (string | Input)[] }
export type Answer = { requestId: string; result: { [name: string]: XmlValue } }

/** What AWS would call a ClientError: the code and message that the service answered. */
export class ApiError extends Failure {
  override name = 'ApiError'
  readonly code: string
  constructor(code: string, message: string) {
    super(message, EXIT.operationFailed)
    this.code = code
  }
}

/** What a client must know of a home; of one elsewhere it is all that is known. */
export type ApiHome = Pick<HomeSettings, 'id' | 'dir' | 'region' | 'ports'>

export type Api<H extends ApiHome = HomeSettings> = {
  home: H
  credentials: Credentials
  endpoint: string
  call(service: ServiceName, action: string, input?: Input): Promise<Answer>
  /** A call of a service that speaks JSON (1.1). */
  json<T>(service: 'acm', action: string, input: object): Promise<T>
  /** Uploads a file; its sha256 (hexadecimal) is signed with it. `sent` is told how many bytes have left. */
  upload(
    bucket: string,
    key: string,
    file: string,
    sha256Hex: string,
    sent?: (bytes: number) => void,
  ): Promise<void>
  /** A signed GET of one of our own paths: the tails of logs. */
  get(path: string): Promise<string>
  /** A signed POST, without a body, to one of our own paths. */
  post(path: string): Promise<string>
  /** A signed GET whose connection leaves HTTP for `protocol`. */
  upgrade(path: string, protocol: string): Promise<Duplex>
  /** The same of what is too large to hold. It ends with an error when the server does not send all of it. */
  stream(path: string): Promise<Readable>
}

/** The API of the home in `dir`; a Failure says what to do when there is none or its key is not ours. */
export function openApi(dir: string): Api {
  const home = readHome(dir)
  if (!home) throw new Failure(`there is no Polebean home in ${dir}; start one with: ${startCommand()}`)
  return apiOf(home, credentialsOf(dir))
}

/** The same, signed with another key. */
export function apiOf<H extends ApiHome>(home: H, credentials: Credentials): Api<H> {
  const host = `127.0.0.1:${home.ports.api}`
  const endpoint = `http://${host}`

  const signedHeaders = (
    service: string,
    method: string,
    path: string,
    headers: Record<string, string>,
    payloadHash: string,
  ) =>
    signRequest({
      method,
      path,
      headers: { host, ...headers },
      payloadHash,
      service: service,
      region: home.region,
      credentials,
      at: systemClock.now(),
    })
  const send = (
    service: string,
    method: string,
    path: string,
    headers: Record<string, string>,
    payloadHash: string,
    body: Body,
  ) => exchange(home, method, path, signedHeaders(service, method, path, headers, payloadHash), body)

  const own = async (method: 'GET' | 'POST', path: string) => {
    const { status, text } = await send('elasticbeanstalk', method, path, {}, sha256(''), null)
    if (status < 300) return text
    throw ownError(home, text, status)
  }

  return {
    home,
    credentials,
    endpoint,
    async call(service, action, input = {}) {
      const form = new URLSearchParams([
        ['Action', action],
        ['Version', VERSIONS[service]],
        ...flatten(input),
      ])
      const body = form.toString()
      const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
      const { status, text } = await send(
        SCOPES[service] ?? service,
        'POST',
        '/',
        headers,
        sha256(body),
        body,
      )
      const document = documentOf(text)
      const answer = status < 300 ? document?.[`${action}Response`] : document?.ErrorResponse
      if (answer === undefined) throw new Failure(foreign(home))
      const response = structureOf(answer)
      if (status >= 300) {
        throw errorOf(home, structureOf(response.Error), status)
      }
      const requestId = textOf(structureOf(response.ResponseMetadata).RequestId)
      return { requestId, result: structureOf(response[`${action}Result`]) }
    },
    async json<T>(service: 'acm', action: string, input: object) {
      const body = JSON.stringify(input)
      const headers = {
        ...{ 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `${TARGETS[service]}.${action}` },
      }
      const { status, text } = await send(service, 'POST', '/', headers, sha256(body), body)
      if (status < 300) return JSON.parse(text) as T
      const { __type = '', message = '' } = jsonOf(text) ?? {}
      if (__type === '') throw new Failure(foreign(home))
      throw errorOf(home, { Code: __type, Message: message }, status)
    },
    async upload(bucket, key, file, sha256Hex, sent) {
      const path = `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`
      const headers = { 'content-length': String(statSync(file).size) }
      const { status, text } = await send('s3', 'PUT', path, headers, sha256Hex, { file, sent })
      if (status < 300) return
      const error = documentOf(text)?.Error
      if (error === undefined) throw new Failure(foreign(home))
      throw errorOf(home, structureOf(error), status)
    },
    async stream(path) {
      const signed = signedHeaders('elasticbeanstalk', 'GET', path, {}, sha256(''))
      const response = await begin(home, 'GET', path, signed, null)
      const status = response.statusCode ?? 0
      if (status < 300) return response
      throw ownError(home, (await textOfResponse(response)).toString(), status)
    },
    async upgrade(path, protocol) {
      const wish = { connection: 'Upgrade', upgrade: protocol }
      const signed = signedHeaders('elasticbeanstalk', 'GET', path, {}, sha256(''))
      const call = httpRequest({
        ...{ host: '127.0.0.1', port: home.ports.api, path, headers: { ...signed, ...wish }, agent: false },
      })
      return new Promise((resolve, reject) => {
        call.on('error', (error: NodeJS.ErrnoException) => reject(failureOf(home, error)))
        call.on('response', (response) => {
          textOfResponse(response).then(
            (text) => reject(ownError(home, text.toString(), response.statusCode ?? 0)),
            (error: NodeJS.ErrnoException) => reject(failureOf(home, error)),
          )
        })
        call.on('upgrade', (_response, stream, first) => {
          if (first.length > 0) stream.unshift(first)
          resolve(stream)
        })
        call.end()
      })
    },
    get: (path) => own('GET', path),
    post: (path) => own('POST', path),
  }
}

function credentialsOf(dir: string): Credentials {
  const file = `${dir}/credentials.json`
  try {
    const { accessKeyId, secretAccessKey } = readCredentials(dir)
    if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string')
      throw new SyntaxError('it has not both accessKeyId and secretAccessKey')
    return { accessKeyId, secretAccessKey }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES')
      throw new Failure(
        `the access key of ${dir} belongs to another user; run this as that user or with sudo`,
      )
    throw new Failure(`the access key in ${file} cannot be read: ${reasonOf(error)}`)
  }
}

function errorOf({ dir }: ApiHome, error: { [name: string]: XmlValue }, status: number): ApiError {
  const code = textOf(error.Code)
  const ended = code === 'InvalidClientTokenId' || code === 'InvalidAccessKeyId'
  return new ApiError(
    code,
    ended
      ? `the access key in ${dir}/credentials.json is not valid any more; put another one there, made with: aws iam create-access-key`
      : textOf(error.Message) || `HTTP ${status}`,
  )
}

const ownError = (home: ApiHome, text: string, status: number): ApiError =>
  errorOf(home, structureOf(structureOf(documentOf(text)?.ErrorResponse).Error), status)

function documentOf(text: string): ReturnType<typeof parseXml> | undefined {
  try {
    return parseXml(text)
  } catch {
    return undefined
  }
}

function jsonOf(text: string): { __type?: string; message?: string } | undefined {
  try {
    return JSON.parse(text) as { __type?: string; message?: string }
  } catch {
    return undefined
  }
}

const foreign = ({ dir, ports }: ApiHome) =>
  `something else than Polebean answers on port ${ports.api}, the API port of the home ${dir}; ` +
  `see what it is with: ss -ltnp 'sport = :${ports.api}'`

type Reply = { status: number; text: string }
type Body = string | { file: string; sent?: ((bytes: number) => void) | undefined } | null

async function exchange(
  home: ApiHome,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: Body,
): Promise<Reply> {
  const response = await begin(home, method, path, headers, body)
  try {
    return { status: response.statusCode ?? 0, text: (await textOfResponse(response)).toString() }
  } catch (error) {
    throw failureOf(home, error as NodeJS.ErrnoException)
  }
}

async function textOfResponse(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Resolves with the response when its head has come. */
function begin(
  home: ApiHome,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: Body,
): Promise<IncomingMessage> {
  const { api: port } = home.ports
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers }, resolve)
    request.on('error', (error: NodeJS.ErrnoException) => reject(failureOf(home, error)))
    if (body === null || typeof body === 'string') return void request.end(body ?? undefined)
    let bytes = 0
    createReadStream(body.file)
      .on('error', reject)
      .on('data', (chunk) => body.sent?.((bytes += chunk.length)))
      .pipe(request)
  })
}

function failureOf(home: ApiHome, error: NodeJS.ErrnoException): Failure {
  if (error.code === 'ECONNREFUSED')
    return new Unreachable(`Polebean (home ${home.dir}) is not running; start it with: ${startCommand()}`)
  // An answer that is no HTTP.
  if (error.code?.startsWith('HPE_')) return new Failure(foreign(home))
  return new Unreachable(`the API of ${home.dir} did not answer: ${error.message}`)
}

/** The query protocol's names: `A.member.1.B`. Undefined members are left out, an empty list is an empty parameter. */
function flatten(input: Input, prefix = ''): [string, string][] {
  return Object.entries(input).flatMap(([name, value]): [string, string][] => {
    const path = `${prefix}${name}`
    if (value === undefined) return []
    if (!Array.isArray(value))
      return typeof value === 'object' ? flatten(value, `${path}.`) : [[path, String(value)]]
    if (value.length === 0) return [[path, '']]
    return value.flatMap((one, index) =>
      typeof one === 'object'
        ? flatten(one, `${path}.member.${index + 1}.`)
        : ([[`${path}.member.${index + 1}`, one]] as [string, string][]),
    )
  })
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
