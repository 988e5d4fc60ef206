// Bodies in memory: the same contract without a disk.
import { Readable } from 'node:stream'
import { EngineError } from '../../kernel/errors.ts'
import type { ObjectEngine, StoredBody } from './engine.ts'
import { makeBodyHasher } from './hashing.ts'

/** `bytesTotalMax` is the size of the pretended disk. */
export function makeFakeObjects(options: { bytesTotalMax?: number } = {}): ObjectEngine {
  const { bytesTotalMax = Number.MAX_SAFE_INTEGER } = options
  const bodies = new Map<string, Buffer>()
  const bytesTotal = () => bodies.values().reduce((sum, body) => sum + body.length, 0)

  const put = async (id: string, body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<StoredBody> => {
    const hasher = makeBodyHasher()
    const chunks: Uint8Array[] = []
    for await (const chunk of body) {
      if (hasher.bytes() + chunk.length > bytesMax)
        throw new EngineError(`the body is longer than ${bytesMax} bytes`)
      if (bytesTotal() + hasher.bytes() + chunk.length > bytesTotalMax)
        throw new EngineError('the disk is full: memory')
      hasher.update(chunk)
      chunks.push(chunk)
    }
    bodies.set(id, Buffer.concat(chunks))
    return hasher.finish()
  }
  const bodyOf = (id: string): Buffer => {
    const body = bodies.get(id)
    if (!body) throw new EngineError(`the body ${id} cannot be read: there is none`)
    return body
  }

  return {
    put,
    get(id, range) {
      const body = bodyOf(id)
      const chunk = range ? body.subarray(range.start, range.end + 1) : body
      return Readable.from(chunk.length > 0 ? [chunk] : [], { objectMode: false })
    },
    join: async (id, parts) => put(id, Readable.from(parts.map(bodyOf)), Number.MAX_SAFE_INTEGER),
    path: (id) => `/fake/objects/${id}`,
    async remove(id) {
      bodies.delete(id)
    },
    list: async () => [...bodies.keys()],
  }
}
