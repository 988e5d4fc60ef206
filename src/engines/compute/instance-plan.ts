// How an instance becomes a sandbox, and what is noted beside it while it runs.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readFileIfAny, writeFileAtomic } from '../../kernel/files.ts'
import type { Home } from '../../kernel/home.ts'
import type { InstanceRecord } from './instance-files.ts'
import type { SandboxPlan } from './sandbox.ts'

export const planOf = ({ spec }: InstanceRecord, image: string): Omit<SandboxPlan, 'argv'> => ({
  id: spec.id,
  address: spec.requestedAddress,
  image,
  diskBytes: spec.diskBytes,
  revision: spec.software.revision,
  layers: spec.software.layers,
  readonlyLayers: false,
  readonlyBinds: [],
  output: null,
  env: spec.software.env,
  files: spec.software.files,
  folders: [],
  cpu: spec.cpu,
  memoryBytes: spec.memoryBytes,
  pids: spec.pids,
  tmpBytes: 256 * MEBIBYTES,
})

/** In the run folder of a sandbox: which software its processes were started with, and when. */
export type Started = { revision: number; at: number }

export const KERNEL_BOOT = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()

/** Where /run is on a disk, a reboot leaves runc's state behind, and process ids of the old boot may be in use again. */
export function forgetOtherBoots(home: Home) {
  const path = join(home.runDir, 'compute', 'boot')
  if (readFileIfAny(path) === KERNEL_BOOT) return
  if (existsSync(path)) rmSync(join(home.runDir, 'compute'), { recursive: true, force: true })
  writeFileAtomic(path, KERNEL_BOOT)
}

export function readStarted(path: string): Started | undefined {
  const text = readFileIfAny(path)
  return text ? (JSON.parse(text) as Started) : undefined
}

const MEBIBYTES = 1 << 20
