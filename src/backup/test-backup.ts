// A home's folder without a home, with a database, objects and keys in it; and archives that nobody of ours would write.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { migrations } from '../control-plane.ts'
import { EngineError } from '../kernel/errors.ts'
import { openStore } from '../store/store.ts'
import { FORMAT, KIND, MANIFEST, type Manifest } from './format.ts'
import { TAR_END, tarHeader, tarPadding, type TarHeader } from './tar.ts'
import { unpack } from './unpack.ts'

export const AT = Date.UTC(2026, 10, 26, 15, 15)
export const HOME_ID = 'abc123'

export function makeHomeFolder(bodies: Record<string, string> = { [idOf(1)]: 'one', [idOf(2)]: 'two' }) {
  const base = mkdtempSync(join(tmpdir(), 'pbb-'))
  const dir = join(base, 'home')
  mkdirSync(dir)
  const put = (path: string, content: string | Buffer, mode = 0o600) => {
    mkdirSync(join(dir, path, '..'), { recursive: true })
    writeFileSync(join(dir, path), content, { mode })
  }
  for (const name of ['logs.db', 'logs.db-wal']) put(name, 'events, which are in no backup', 0o600)
  put('home.json', JSON.stringify({ format: 1, id: HOME_ID }), 0o644)
  put('credentials.json', '{"accessKeyId":"PBLN"}')
  put('config.yaml', 'backup.keep: 3\n', 0o644)
  put('layers/x/big', 'a cache')
  put('log/server/current', 'a log')
  const store = openStore(join(dir, 'polebean.db'), migrations)
  store.insert('s3_bucket', { name: 'b', account: 'a', region: 'r', tags: '[]', createdAt: AT })
  for (const [id, content] of Object.entries(bodies)) {
    put(`objects/${id.slice(0, 2)}/${id}`, content)
    insertObject(store, id)
  }
  return { base, dir, store, put, remove: () => (store.close(), rmSync(base, { recursive: true })) }
}

export const idOf = (number: number): string => number.toString(16).padStart(2, '0').repeat(16)

export function insertObject(store: ReturnType<typeof openStore>, bodyId: string): void {
  store.put('s3_object', {
    bucket: 'b',
    key: bodyId,
    bodyId,
    bytes: 3,
    etag: '',
    md5Hex: '',
    sha256Hex: '',
    crc32Base64: '',
    contentType: '',
    headers: '{}',
    metadata: '{}',
    tags: '[]',
    modifiedAt: AT,
  })
}

export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** In pieces of odd sizes, as a network would bring it. */
export async function* inPieces(bytes: Buffer, size = 1_777): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** What unpacking says against it, or 'accepted'; a bug is thrown. */
export async function refusal(backup: Buffer, passphrase?: string): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'pbu-'))
  try {
    await unpack(inPieces(backup), dir, 'FILE', async () => passphrase ?? '')
    return 'accepted'
  } catch (error) {
    if (error instanceof EngineError) return error.message
    throw error
  } finally {
    rmSync(dir, { recursive: true })
  }
}

export type Entry = Partial<TarHeader> & { name: string; content?: string | Buffer; type?: string }

/** A tar of these entries, with whatever is wrong with them. */
export function tarOf(entries: Entry[], end = TAR_END): Buffer {
  return Buffer.concat([
    ...entries.flatMap(({ name, content = '', type, ...more }) => {
      const bytes = Buffer.from(content)
      const header = tarHeader({ name, bytes: bytes.length, mode: 0o600, modifiedAt: AT, ...more })
      if (type !== undefined) {
        header.write(type, 156)
        let sum = 0
        header.fill(0x20, 148, 156)
        for (const byte of header) sum += byte
        header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
      }
      return [header, bytes, tarPadding(bytes.length)]
    }),
    end,
  ])
}

export const zipped = (tar: Buffer): Buffer => zstdCompressSync(tar)

export const manifestOf = (more: Partial<Manifest> = {}): Entry => ({
  name: MANIFEST,
  content: JSON.stringify({
    kind: KIND,
    format: FORMAT,
    version: '0.1.0',
    home: { id: HOME_ID },
    createdAt: new Date(AT).toISOString(),
    files: ['home.json', 'credentials.json', 'polebean.db'].map((path) => ({ path, bytes: 0, mode: 0o600 })),
    missing: [],
    ...more,
  }),
})

/** Path → content and mode of everything in a folder. */
export function contentsOf(dir: string, below = ''): Record<string, string> {
  const found: Record<string, string> = {}
  for (const entry of readdirSync(join(dir, below), { withFileTypes: true })) {
    const path = join(below, entry.name)
    if (entry.isDirectory()) Object.assign(found, contentsOf(dir, path))
    else
      found[path] =
        `${(statSync(join(dir, path)).mode & 0o777).toString(8)} ${path.endsWith('.db') ? 'database' : readFileSync(join(dir, path), 'utf8')}`
  }
  return found
}
