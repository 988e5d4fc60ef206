// A thin client of the same API that every AWS client uses: signed query calls and S3 uploads to the home's endpoint.
import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { signRequest } from '../gateway/sigv4.ts'
import { readCredentials, readHome, type Credentials, type HomeSettings } from '../home.ts'
import { EXIT, Failure } from './failure.ts'
import { parseXml, structureOf, textOf, type XmlValue } from './xml.ts'

const VERSIONS = {
  elasticbeanstalk: '2010-12-01',
  autoscaling: '2011-01-01',
  elasticloadbalancing: '2015-12-01',
} as const

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

export type Api = {
  home: HomeSettings
  credentials: Credentials
  endpoint: string
  call(service: ServiceName, action: string, input?: Input): Promise<Answer>
  /** Uploads a file; its sha256 (hexadecimal) is signed with it. */
  upload(bucket: string, key: string, file: string, sha256Hex: string): Promise<void>
  /** A GET of one of our own paths, unsigned: health, logs. */
  get(path: string): Promise<string>
}

/** The API of the home in `dir`; a Failure says what to do when there is none or its key is not ours. */
export function openApi(dir: string): Api {
  const home = readHome(dir)
  if (!home) throw new Failure(`there is no Polebean home in ${dir}; start one with: npm run up`)
  const credentials = credentialsOf(dir)
  const host = `127.0.0.1:${home.ports.api}`
  const endpoint = `http://${host}`

  const send = async (
    service: string,
    method: string,
    path: string,
    headers: Record<string, string>,
    payloadHash: string,
    body: string | { file: string } | null,
  ) => {
    const signed = signRequest({
      method,
      path,
      headers: { host, ...headers },
      payloadHash,
      service: service,
      region: home.region,
      credentials,
      at: Date.now(),
    })
    return exchange(home.ports.api, method, path, signed, body, dir)
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
      const { status, text } = await send(service, 'POST', '/', headers, sha256(body), body)
      const document = parseXml(text)
      if (status >= 300) {
        const error = structureOf(structureOf(document.ErrorResponse).Error)
        throw new ApiError(textOf(error.Code), textOf(error.Message) || `HTTP ${status}`)
      }
      const response = structureOf(document[`${action}Response`])
      const requestId = textOf(structureOf(response.ResponseMetadata).RequestId)
      return { requestId, result: structureOf(response[`${action}Result`]) }
    },
    async upload(bucket, key, file, sha256Hex) {
      const path = `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`
      const headers = { 'content-length': String(statSync(file).size) }
      const { status, text } = await send('s3', 'PUT', path, headers, sha256Hex, { file })
      if (status < 300) return
      const error = structureOf(parseXml(text).Error)
      throw new ApiError(textOf(error.Code), textOf(error.Message))
    },
    async get(path) {
      const { status, text } = await exchange(home.ports.api, 'GET', path, { host }, null, dir)
      if (status >= 300) throw new Failure(text.trim() || `HTTP ${status}`)
      return text
    },
  }
}

function credentialsOf(dir: string): Credentials {
  try {
    return readCredentials(dir)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES')
      throw new Failure(
        `the access key of ${dir} belongs to another user; run this as that user or with sudo`,
      )
    throw error
  }
}

type Reply = { status: number; text: string }

function exchange(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string | { file: string } | null,
  dir: string,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      )
      response.on('error', reject)
    })
    request.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ECONNREFUSED'
          ? new Failure(`Polebean (home ${dir}) is not running; start it with: npm run up`)
          : new Failure(`the API did not answer: ${error.message}`),
      ),
    )
    if (body === null || typeof body === 'string') request.end(body ?? undefined)
    else createReadStream(body.file).on('error', reject).pipe(request)
  })
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
