// Bodies in memory: the same contract without a disk, with faults on demand. The bodies outlive a life of the control
// plane when they are handed in.
import { Readable } from 'node:stream'
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import type { ObjectEngine, StoredBody } from './engine.ts'
import { makeBodyHasher } from './hashing.ts'

/** `latencyMs` passes before the effect. `never`: the deed is done, its answer never comes. */
export type ObjectsFault = { latencyMs?: number; fail?: 'before' | 'after' | 'never' }

export type FakeObjectsOptions = {
  bodies?: Map<string, Buffer>
  /** The size of the pretended disk. */
  bytesTotalMax?: number
  clock?: Clock
  /** Asked at each call; undefined = nothing goes wrong. */
  fault?: (call: 'put' | 'join' | 'remove' | 'list') => ObjectsFault | undefined
}

export function makeFakeObjects(options: FakeObjectsOptions = {}): ObjectEngine {
  const {
    bytesTotalMax = Number.MAX_SAFE_INTEGER,
    bodies = new Map<string, Buffer>(),
    clock,
    fault,
  } = options
  const bytesTotal = () => bodies.values().reduce((sum, body) => sum + body.length, 0)

  const call = async <T>(what: 'put' | 'join' | 'remove' | 'list', effect: () => Promise<T>): Promise<T> => {
    const trouble = fault?.(what)
    if (trouble?.latencyMs) await clock?.sleep(trouble.latencyMs)
    if (trouble?.fail === 'before') throw new EngineError(`objects.${what}: failed`)
    const answer = await effect()
    if (trouble?.fail === 'after') throw new EngineError(`objects.${what}: the answer was lost`)
    if (trouble?.fail === 'never') await new Promise(() => undefined)
    return answer
  }

  const keep = async (id: string, body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<StoredBody> => {
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
    put: (id, body, bytesMax) => call('put', () => keep(id, body, bytesMax)),
    get(id, range) {
      const body = bodyOf(id)
      const chunk = range ? body.subarray(range.start, range.end + 1) : body
      return Readable.from(chunk.length > 0 ? [chunk] : [], { objectMode: false })
    },
    join: (id, parts) =>
      call('join', () => keep(id, Readable.from(parts.map(bodyOf)), Number.MAX_SAFE_INTEGER)),
    path: (id) => `/fake/objects/${id}`,
    remove: (id) => call('remove', async () => void bodies.delete(id)),
    list: () => call('list', async () => [...bodies.keys()]),
  }
}
