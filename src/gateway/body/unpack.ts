// Bodies that clients compress: of PutMetricData from 10 KiB on (smithy.io, "requestCompression trait").
import { gunzipSync } from 'node:zlib'
import { DeclaredError } from '../../kernel/errors.ts'

/** What was sent with that Content-Encoding; `tooLarge` is thrown for what would have more than `bytesMax` bytes. */
export function unpack(
  body: Uint8Array,
  encoding: string | undefined,
  bytesMax: number,
  tooLarge: () => DeclaredError,
): Uint8Array {
  if (encoding?.trim().toLowerCase() !== 'gzip') return body
  try {
    return gunzipSync(body, { maxOutputLength: bytesMax })
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge()
    throw new DeclaredError('SerializationException', 'The body of the request is no gzip.')
  }
}
