import type { Readable } from 'node:stream'

/** The whole body; `refuse` makes the error for one longer than `bytesMax`. Rejects when the client goes away. */
export function collect(
  body: Readable | Uint8Array,
  bytesMax: number,
  refuse: () => Error,
): Promise<Uint8Array> {
  if (body instanceof Uint8Array)
    return body.length > bytesMax ? Promise.reject(refuse()) : Promise.resolve(body)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    body.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bytesMax) reject(refuse())
      else chunks.push(chunk)
    })
    body.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    body.on('error', reject)
    body.on('close', () => reject(new Error('the client went away')))
  })
}
