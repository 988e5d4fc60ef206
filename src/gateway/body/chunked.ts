// aws-chunked bodies: chunks inside of the HTTP body, signed one by one or not, with checksums as trailers ("Signature
// calculations: transferring a payload in multiple chunks", Amazon S3 API Reference).
import { createHash } from 'node:crypto'
import { DeclaredError } from '../../kernel/errors.ts'
import { EMPTY_SHA256, hmacHex, scopeText } from '../sigv4/canonical.ts'
import { sameSecret, type Verified } from '../sigv4/verify.ts'

const LINE_BYTES_MAX = 4096
const TRAILERS_MAX = 16
const CR_LF = Buffer.from('\r\n')

export type ChunkedBody = {
  source: AsyncIterable<Uint8Array>
  /** Set when each chunk is signed (and the trailer too): the chain starts at the request's own signature. */
  signedBy: Verified | undefined
  onTrailer: (name: string, value: string) => void
}

/** The content, piece by piece; throws when a chunk, its signature or the end is not right. */
export async function* decodeChunked({
  source,
  signedBy,
  onTrailer,
}: ChunkedBody): AsyncGenerator<Uint8Array> {
  const reader = makeReader(source)
  const chain = signedBy && makeChain(signedBy)
  for (;;) {
    const [sizeText = '', ...extensions] = (await reader.line()).split(';')
    if (!/^[0-9a-fA-F]{1,8}$/.test(sizeText)) throw malformed('a chunk without its size')
    const size = Number.parseInt(sizeText, 16)
    const digest = chain && createHash('sha256')
    for (let left = size; left > 0;) {
      const piece = await reader.bytes(left)
      left -= piece.length
      digest?.update(piece)
      yield piece
    }
    if (chain) {
      const signature = extensions
        .find((each) => each.startsWith('chunk-signature='))
        ?.slice('chunk-signature='.length)
      chain.chunk(size === 0 ? EMPTY_SHA256 : digest!.digest('hex'), signature ?? '')
    }
    if (size === 0) break
    if ((await reader.line()) !== '') throw malformed('a chunk longer than its size')
  }
  await readTrailers(reader, chain, onTrailer)
}

type Chain = ReturnType<typeof makeChain>

// Each signature signs the one before, so that chunks can neither be left out nor change places.
function makeChain({ claim, key }: Verified) {
  let previous = claim.signature
  const check = (text: string, given: string) => {
    const expected = hmacHex(key, text)
    if (!sameSecret(expected, given))
      throw new DeclaredError(
        'SignatureDoesNotMatch',
        'The chunk signature we calculated does not match the signature you provided.',
        { httpStatus: 403 },
      )
    previous = expected
  }
  const head = (kind: string) =>
    `AWS4-HMAC-SHA256-${kind}\n${claim.amzDate}\n${scopeText(claim.scope)}\n${previous}\n`
  return {
    chunk: (sha256Hex: string, given: string) =>
      check(`${head('PAYLOAD')}${EMPTY_SHA256}\n${sha256Hex}`, given),
    trailer: (canonical: string, given: string) =>
      check(head('TRAILER') + createHash('sha256').update(canonical, 'latin1').digest('hex'), given),
  }
}

async function readTrailers(
  reader: Reader,
  chain: Chain | undefined,
  onTrailer: ChunkedBody['onTrailer'],
): Promise<void> {
  const trailers: [name: string, value: string][] = []
  let signature: string | undefined
  for (;;) {
    const line = await reader.lastLines()
    if (line === undefined) break
    if (line === '') continue
    if (trailers.length === TRAILERS_MAX) throw malformed('too many trailers')
    const colon = line.indexOf(':')
    if (colon === -1) throw malformed('a trailer without a colon')
    const name = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (name === 'x-amz-trailer-signature') signature = value
    else trailers.push([name, value])
  }
  if (chain && trailers.length > 0)
    chain.trailer(trailers.map(([name, value]) => `${name}:${value}\n`).join(''), signature ?? '')
  for (const [name, value] of trailers) onTrailer(name, value)
}

type Reader = ReturnType<typeof makeReader>

function makeReader(source: AsyncIterable<Uint8Array>) {
  const iterator = source[Symbol.asyncIterator]()
  let buffer: Buffer = Buffer.alloc(0)
  const more = async (): Promise<boolean> => {
    const { done, value } = await iterator.next()
    if (done) return false
    const piece = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    buffer = buffer.length === 0 ? piece : Buffer.concat([buffer, piece])
    return true
  }
  const upTo = (end: number, skip: number) => {
    const taken = buffer.subarray(0, end)
    buffer = buffer.subarray(end + skip)
    return taken
  }
  const line = async (): Promise<string> => {
    for (;;) {
      const end = buffer.indexOf(CR_LF)
      if (end !== -1) return upTo(end, 2).toString('latin1')
      if (buffer.length > LINE_BYTES_MAX) throw malformed('a line too long')
      if (!(await more())) throw incomplete()
    }
  }
  return {
    line,
    /** At least one and at most `max` bytes. */
    async bytes(max: number): Promise<Uint8Array> {
      while (buffer.length === 0) if (!(await more())) throw incomplete()
      return upTo(Math.min(max, buffer.length), 0)
    },
    /** Like `line`, but undefined at the end: some clients leave out the last line break. */
    async lastLines(): Promise<string | undefined> {
      while (buffer.indexOf(CR_LF) === -1) {
        if (buffer.length > LINE_BYTES_MAX) throw malformed('a line too long')
        if (await more()) continue
        return buffer.length === 0 ? undefined : upTo(buffer.length, 0).toString('latin1')
      }
      return line()
    },
  }
}

const malformed = (reason: string) =>
  new DeclaredError('InvalidRequest', `The aws-chunked body is malformed: ${reason}.`)
const incomplete = () =>
  new DeclaredError(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header.',
  )
