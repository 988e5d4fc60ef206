// The writable layer of an instance: a sparse ext4 image, so that a full disk hurts only the instance that filled it.
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  truncateSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import { readFileIfAny } from '../../kernel/files.ts'
import { run, runOk } from '../../kernel/process.ts'

/**
 * Makes the image if it is not there, with what lies in `content` (owners too); a crash leaves none or a whole one.
 * Takes 4–10 ms, whatever the size.
 */
export async function ensureDisk(image: string, bytes: number, content: string): Promise<void> {
  if (existsSync(image)) return
  mkdirSync(dirname(image), { recursive: true, mode: 0o700 })
  const beside = `${image}.new`
  rmSync(beside, { force: true })
  closeSync(openSync(beside, 'w', 0o600))
  truncateSync(beside, bytes)
  // Nothing that costs time or space before it is used; a small journal, no blocks kept back for a root.
  const features = 'lazy_itable_init=1,lazy_journal_init=1,nodiscard,packed_meta_blocks=1'
  await runOk([
    'mkfs.ext4',
    '-q',
    '-F',
    '-m',
    '0',
    '-J',
    'size=4',
    '-O',
    '^resize_inode',
    '-E',
    features,
    '-d',
    content,
    beside,
  ])
  renameSync(beside, image)
}

/**
 * Waits until no loop device holds the image: the mounts of an instance's last boot end a moment after its processes. `release` is
 * called when that takes longer, again and again: who holds it may have come since.
 */
export async function waitUntilDetached(
  clock: Clock,
  image: string,
  release: () => Promise<void> = async () => undefined,
): Promise<void> {
  const path = realpathSync(image)
  let releasedAt = clock.monotonic()
  for (const startedAt = clock.monotonic(); isAttached(path); await clock.sleep(5)) {
    const now = clock.monotonic()
    if (now - startedAt > DETACH_MS) throw new EngineError(`the disk is still in use: ${image}`)
    if (now - releasedAt < RELEASE_MS) continue
    await release()
    releasedAt = clock.monotonic()
  }
}

const DETACH_MS = 10_000
const RELEASE_MS = 500

/**
 * Images whose file system, mounted now, has met errors, and when the last was (epoch seconds; of earlier mounts too, as the
 * superblock keeps it). Where the host's disk is full a sparse image cannot grow: its journal cannot be written, and the kernel
 * takes no more writes until it is mounted anew.
 */
export function brokenDisks(): Map<string, number> {
  const found = new Map<string, number>()
  for (const device of existsSync(EXT4) ? readdirSync(EXT4) : []) {
    if (!device.startsWith('loop')) continue
    try {
      const at = Number(readFileIfAny(`${EXT4}/${device}/last_error_time`))
      const image = at > 0 && readFileIfAny(`/sys/block/${device}/loop/backing_file`)?.trim()
      if (image) found.set(image, at)
    } catch {
      // let go while we looked
    }
  }
  return found
}

const EXT4 = '/sys/fs/ext4'

/** Repairs an image that is not mounted, if the kernel has noted errors in it. Costs a read of two bytes otherwise. */
export async function repairDisk(image: string): Promise<void> {
  if ((stateOf(image) & ERROR_FS) === 0) return
  const { exit, stdout } = await run(['e2fsck', '-f', '-y', image], { timeoutMs: REPAIR_TIMEOUT_MS })
  // e2fsck(8): 1 and 2 are errors that it corrected.
  if (exit > 2)
    throw new EngineError(`the disk ${image} cannot be repaired: ${stdout.toString().trim().slice(-300)}`)
}

/** s_state of the superblock: https://docs.kernel.org/filesystems/ext4/super.html */
function stateOf(image: string): number {
  const fd = openSync(image, 'r')
  try {
    const state = Buffer.alloc(2)
    readSync(fd, state, 0, 2, 1024 + 0x3a)
    return state.readUInt16LE()
  } finally {
    closeSync(fd)
  }
}

const ERROR_FS = 2
const REPAIR_TIMEOUT_MS = 60_000

const isAttached = (path: string) => loopOf(path) !== undefined

function loopOf(path: string): string | undefined {
  return readdirSync('/sys/block').find((device) => {
    try {
      return (
        device.startsWith('loop') && readFileIfAny(`/sys/block/${device}/loop/backing_file`)?.trim() === path
      )
    } catch {
      return false // ENXIO: let go while we looked
    }
  })
}
