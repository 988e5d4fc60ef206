// Layers: folder trees built once, kept by content in `<home>/layers/<digest>/tree` with what they are keyed by.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '../../kernel/errors.ts'
import { readFileIfAny, writeFileAtomic } from '../../kernel/files.ts'
import { run } from '../../kernel/process.ts'
import { OUTPUT_PART } from './guest-mounts.ts'

export type Layer = { digest: string; key: string; bytes: number }

export type Layers = {
  list(): Layer[]
  has(digest: string): boolean
  /** Takes the output folder of a build's disk as the layer of `key`; whole or not at all. */
  commit(key: string, image: string, bytesMax: number): Promise<Layer>
  /** Gone from the list at once; its files go in the background of the call. */
  remove(digest: string): Promise<void>
}

export function digestOf(key: string): string {
  if (!/^[a-z0-9-]{1,80}$/.test(key)) throw new EngineError(`not a layer's key: ${JSON.stringify(key)}`)
  return `sha256-${createHash('sha256').update(key).digest('hex')}`
}

export function openLayers(homeDir: string): Layers {
  const dir = join(homeDir, 'layers')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(dir))
    if (name.startsWith('.')) rmSync(join(dir, name), { recursive: true, force: true })
  return {
    list: () =>
      readdirSync(dir).flatMap((name) => {
        const text = DIGEST.test(name) ? readFileIfAny(join(dir, name, 'layer.json')) : undefined
        return text ? [JSON.parse(text) as Layer] : []
      }),
    has: (digest) => DIGEST.test(digest) && existsSync(join(dir, digest, 'layer.json')),
    async commit(key, image, bytesMax) {
      const digest = digestOf(key)
      const beside = join(dir, `.new-${digest}`)
      rmSync(beside, { recursive: true, force: true })
      for (const name of ['tree', 'disk']) mkdirSync(join(beside, name), { recursive: true })
      const argv = [
        'unshare',
        '--mount',
        '--propagation',
        'private',
        '/bin/sh',
        '-euc',
        COPY,
        'copy',
        beside,
        image,
      ]
      const result = await run([...argv, String(bytesMax), OUTPUT_PART], { timeoutMs: COPY_TIMEOUT_MS })
      if (result.exit !== 0) {
        rmSync(beside, { recursive: true, force: true })
        if (result.exit === TOO_LARGE) throw new LayerTooLarge(`the result is larger than ${bytesMax} bytes`)
        throw new EngineError(`cannot keep the layer of ${key}: ${result.stderr.toString().slice(-300)}`)
      }
      const layer = { digest, key, bytes: Number(result.stdout.toString()) }
      rmSync(join(beside, 'disk'), { recursive: true, force: true })
      writeFileAtomic(join(beside, 'layer.json'), JSON.stringify(layer))
      rmSync(join(dir, digest), { recursive: true, force: true })
      renameSync(beside, join(dir, digest))
      return layer
    },
    async remove(digest) {
      if (!DIGEST.test(digest)) throw new EngineError(`not a digest: ${JSON.stringify(digest)}`)
      const gone = join(dir, `.gone-${digest}`)
      if (existsSync(join(dir, digest))) renameSync(join(dir, digest), gone)
      await rm(gone, { recursive: true, force: true })
    },
  }
}

export class LayerTooLarge extends EngineError {}

const DIGEST = /^sha256-[0-9a-f]{64}$/
const TOO_LARGE = 75
const COPY_TIMEOUT_MS = 10 * 60_000

// $1 the new layer's folder, $2 disk image, $3 bytes at most, $4 part of the image. Links are copied as links, and
// nothing follows them. On disk before it gets its name: an empty file in a layer would never be built again.
const COPY = `
mount -t ext4 -o loop,nodev,nosuid,noatime "$2" "$1/disk"
bytes=$(du -s --block-size=1 -- "$1/disk/$4/upper" | cut -f1)
[ "$bytes" -le "$3" ] || exit ${TOO_LARGE}
cp -dR --preserve=mode,ownership,timestamps,links -- "$1/disk/$4/upper/." "$1/tree"
sync -f "$1/tree"
echo "$bytes"
`
