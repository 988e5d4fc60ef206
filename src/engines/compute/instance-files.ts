// What the engine keeps of instances on disk: one folder each, `spec.json` and the disk image. The folder is the instance:
// it appears when a launch was accepted, and goes last when it is removed.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf } from '../../kernel/errors.ts'
import { writeFileAtomic } from '../../kernel/files.ts'
import type { InstanceSpec } from './engine.ts'
import type { KeptOom } from './oom-counter.ts'

export type InstanceRecord = {
  spec: InstanceSpec
  /** Epoch ms of the last time that it was seen to stop; 0 = never. */
  stoppedAt: number
  /** Why, one line. */
  reason: string
  /** Kills for want of memory; absent = none. */
  oom?: KeptOom
}

export type InstanceFiles = {
  /** Removes what a crash left half made. Only for the one process that launches, before its first launch. */
  sweep(): void
  all(): Map<string, InstanceRecord>
  /** Instances whose record cannot be read, and why: they are there, and must not be taken for gone. */
  broken(): Map<string, string>
  launched(id: string): boolean
  put(record: InstanceRecord): void
  /** Its launch has come to an end: from now on only `start` starts it. Not synced: losing it in a power cut is harmless. */
  setLaunched(id: string): void
  remove(id: string): void
  image(id: string): string
}

const GONE = '.gone-'
const INSTANCE = /^i-[0-9a-f]{17}$/

/** Reads everything once, touching nothing. One process writes to a home, so its memory and the disk agree from then on. */
export function readInstanceFiles(homeDir: string): InstanceFiles {
  const dir = join(homeDir, 'instances')
  const names = () => (existsSync(dir) ? readdirSync(dir) : [])
  // A launch that was not yet accepted: the folder comes before the record in it.
  const isAccepted = (name: string) => existsSync(join(dir, name, 'spec.json'))
  const records = new Map<string, InstanceRecord>()
  const launched = new Set<string>()
  const broken = new Map<string, string>()
  for (const name of names()) {
    if (!INSTANCE.test(name) || !isAccepted(name)) continue
    try {
      if (existsSync(join(dir, name, 'launched'))) launched.add(name)
      records.set(name, JSON.parse(readFileSync(join(dir, name, 'spec.json'), 'utf8')) as InstanceRecord)
    } catch (error) {
      broken.set(name, reasonOf(error))
    }
  }
  return {
    sweep() {
      for (const name of names())
        if (name.startsWith(GONE) || (INSTANCE.test(name) && !isAccepted(name)))
          rmSync(join(dir, name), { recursive: true, force: true })
    },
    all: () => records,
    broken: () => broken,
    launched: (id) => launched.has(id),
    setLaunched(id) {
      writeFileSync(join(dir, id, 'launched'), '')
      launched.add(id)
    },
    put(record) {
      const { id } = record.spec
      mkdirSync(dir, { recursive: true, mode: 0o700 })
      // The environment of the application is in it.
      writeFileAtomic(join(dir, id, 'spec.json'), JSON.stringify(record), 0o600)
      records.set(id, record)
      broken.delete(id)
    },
    remove(id) {
      rmSync(join(dir, GONE + id), { recursive: true, force: true })
      try {
        renameSync(join(dir, id), join(dir, GONE + id))
      } catch {
        // it was not there
      }
      records.delete(id)
      launched.delete(id)
      broken.delete(id)
      rmSync(join(dir, GONE + id), { recursive: true, force: true })
    },
    image: (id) => join(dir, id, 'disk.img'),
  }
}
