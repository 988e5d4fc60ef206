// The world that fake instances live in: it outlives the control planes that look at it, and can be hurt from outside.
import { DIED, type InstanceSpec, type InstanceStats } from './engine.ts'

export type FakeInstance = {
  spec: InstanceSpec
  state: 'running' | 'stopped'
  reason: string
  since: number
  /** Counts starts; '' until the first. */
  boot: string
  /** Of the software that the running processes were started with. */
  revision: number
  launched: boolean
  /** Kills for want of memory so far. */
  oomKills?: number
  /** What it holds; absent = not measured. */
  usedBytes?: number
  /** What it has used since its start, where a test says so; all else is 0. */
  used?: Partial<Omit<InstanceStats, 'id' | 'boot' | 'at'>>
  /** What its programs wrote, by path. */
  written?: Map<string, FakeFile>
}

export type FakeFile = { inode: number; text: string; changes: number }

export type FakeLayer = { digest: string; key: string; bytes: number; files: Record<string, string> }

export type FakeWorld = {
  instances: Map<string, FakeInstance>
  layers: Map<string, FakeLayer>
  /** Starts so far, of all instances: names boots. */
  boots: number
  /** An engine that cannot see: `list` throws. */
  blind: boolean
  /** Ids whose node is lost: `unknown` in `list`, and nothing can be done to them. */
  lost: Set<string>
}

export const makeFakeWorld = (): FakeWorld => ({
  instances: new Map(),
  layers: new Map(),
  boots: 0,
  blind: false,
  lost: new Set(),
})

/** A program of an instance adds to a file; without an instance of that id, or while it does not run, there is none. */
export function writeInside(world: FakeWorld, id: string, path: string, text: string): boolean {
  const instance = world.instances.get(id)
  if (instance?.state !== 'running') return false
  const file = fileOf(instance, path)
  file.text += text
  file.changes++
  return true
}

/** A file is copied to its `.1`, and emptied. */
export function rotateInside(world: FakeWorld, id: string, path: string): void {
  const instance = world.instances.get(id)
  if (!instance?.written?.has(path)) return
  const [file, copy] = [fileOf(instance, path), fileOf(instance, `${path}.1`)]
  Object.assign(copy, { text: file.text, changes: copy.changes + 1 })
  file.text = ''
}

function fileOf(instance: FakeInstance, path: string): FakeFile {
  const all = (instance.written ??= new Map<string, FakeFile>())
  const file = all.get(path) ?? { inode: all.size + 1, text: '', changes: 0 }
  all.set(path, file)
  return file
}

/** The first process of an instance dies. */
export function killInstance(world: FakeWorld, id: string, at: number, reason = DIED): void {
  const instance = world.instances.get(id)
  if (instance?.state === 'running') Object.assign(instance, { state: 'stopped', since: at, reason })
}

/** The kernel ends a process of an instance for want of memory; with `init` the first one, and so all of it. */
export function oomKill(world: FakeWorld, id: string, at: number, { init = false } = {}): void {
  const instance = world.instances.get(id)
  if (instance?.state !== 'running') return
  instance.oomKills = (instance.oomKills ?? 0) + 1
  if (init) killInstance(world, id, at)
}

export function rebootMachine(world: FakeWorld, at: number): void {
  for (const id of world.instances.keys()) killInstance(world, id, at, '')
}

/** How a test looks at the world: who runs what. */
export const runningInstances = (world: FakeWorld): FakeInstance[] =>
  [...world.instances.values()].filter((instance) => instance.state === 'running')
