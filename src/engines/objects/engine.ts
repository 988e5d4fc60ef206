// Where object bodies live. Rows (bucket, key, size, etag) belong to the s3 service; this engine only keeps bytes.
//
// Contract: a body is visible under its id only when `put` has resolved, and is on disk by then. `remove` of an unknown
// id is quiet. `list()` is complete, so that bodies without a row can be swept.
import type { Readable } from 'node:stream'

export type StoredBody = { bytes: number; md5Hex: string; sha256Hex: string; crc32Base64: string }

export type ObjectEngine = {
  /** Streams a body in; rejects with EngineError when it is longer than `bytesMax` or the disk is full, keeping nothing. */
  put(id: string, body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<StoredBody>
  /** `start` and `end` are byte offsets, both inclusive. */
  get(id: string, range?: { start: number; end: number }): Readable
  /** Joins bodies in order into a new one (multipart uploads). */
  join(id: string, parts: string[]): Promise<StoredBody>
  /** A path that the build sandbox can be given read-only. */
  path(id: string): string
  remove(id: string): Promise<void>
  list(): Promise<string[]>
}
