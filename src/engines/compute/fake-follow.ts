// The files of a fake instance, followed as engine.ts says.
import type { FilePosition, FollowedPart } from './engine.ts'
import type { FakeFile, FakeInstance } from './fake-world.ts'

type Followed = { path: string; position: FilePosition | null }

export const followFake = ({ written }: FakeInstance, files: Followed[], bytesMax: number): FollowedPart[] =>
  files.flatMap(({ path, position }) => {
    const file = written?.get(path)
    return file ? partsOf({ path, file, before: written?.get(`${path}.1`), position, bytesMax }) : []
  })

type Looked = Omit<Followed, 'position'> & {
  file: FakeFile
  before: FakeFile | undefined
  position: FilePosition | null
  bytesMax: number
}

function partsOf({ path, file, before, position, bytesMax }: Looked): FollowedPart[] {
  const rotated = before ? `${before.inode}:${before.changes}` : '-'
  const begin = { inode: String(file.inode), offset: 0, rotated }
  const from = position ?? begin
  const cut = ({ text }: FakeFile, offset: number) =>
    Buffer.from(text).subarray(offset, Math.min(Buffer.byteLength(text), offset + bytesMax))
  const isRotated = from.rotated !== rotated || from.offset > Buffer.byteLength(file.text)
  if (!isRotated) {
    const bytes = cut(file, from.offset)
    return bytes.length > 0 ? [{ path, from, bytes, ends: false }] : []
  }
  const rest = before && from.rotated !== rotated ? cut(before, from.offset) : Buffer.alloc(0)
  const ends = from.offset + rest.length >= Buffer.byteLength(before?.text ?? '')
  return [
    ...(rest.length > 0 ? [{ path, from, bytes: rest, ends }] : []),
    ...(ends ? [{ path, from: begin, bytes: cut(file, 0), ends: false }] : []),
  ]
}
