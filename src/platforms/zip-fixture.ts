// Zip files written byte by byte, for tests: well-behaved libraries refuse to write what an attacker would.
// Layout: PKWARE's APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.3.16.
import { crc32, deflateRawSync } from 'node:zlib'

export type FixtureEntry = {
  name: string | Buffer
  content?: string | Buffer
  /** Unix mode with type bits, e.g. 0o120777 for a link. */
  mode?: number
  flags?: number
  method?: number
  /** What the directory claims, where it is not the truth. */
  claimedBytes?: number
}

export function zipOf(entries: FixtureEntry[]): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, content = '', mode = 0o100644, flags = 0, method = 8, claimedBytes } of entries) {
    const nameBytes = Buffer.from(name)
    const raw = Buffer.from(content)
    const packed = method === 8 ? deflateRawSync(raw) : raw
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(flags, 2)
    common.writeUInt16LE(method, 4)
    common.writeUInt16LE(0x21, 8)
    common.writeUInt32LE(crc32(raw), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(claimedBytes ?? raw.length, 18)
    common.writeUInt16LE(nameBytes.length, 22)
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE((mode << 16) >>> 0, 6)
    tail.writeUInt32LE(offset, 10)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, nameBytes, packed])
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, tail, nameBytes]))
    locals.push(local)
    offset += local.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, central, end])
}
