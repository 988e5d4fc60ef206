// Reads a stream in pieces of the size that the reader wants.

export type Reader = {
  /** That many bytes; fewer only where the stream ends. */
  take(bytes: number): Promise<Buffer>
  /** That many bytes as they come; ends early where the stream ends. */
  pieces(bytes: number): AsyncGenerator<Buffer>
  /** Ends the source early. */
  close(): Promise<void>
}

export function makeReader(source: AsyncIterable<Uint8Array>): Reader {
  const iterator = source[Symbol.asyncIterator]()
  let left: Buffer = Buffer.alloc(0)
  /** False when there is no more. */
  const fill = async (): Promise<boolean> => {
    while (left.length === 0) {
      const { done, value } = await iterator.next()
      if (done) return false
      left = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    }
    return true
  }
  async function* pieces(bytes: number): AsyncGenerator<Buffer> {
    for (let wanted = bytes; wanted > 0 && (await fill());) {
      const piece = left.subarray(0, wanted)
      left = left.subarray(piece.length)
      wanted -= piece.length
      yield piece
    }
  }
  return {
    pieces,
    async take(bytes) {
      const found: Buffer[] = []
      for await (const piece of pieces(bytes)) found.push(piece)
      return Buffer.concat(found)
    },
    close: async () => void (await iterator.return?.()),
  }
}
