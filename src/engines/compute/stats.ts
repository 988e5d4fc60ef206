// Figures of a cgroup, version 1 or 2, without running anything inside (design §7).
import { existsSync } from 'node:fs'
import { readFileIfAny } from '../../kernel/files.ts'

export type CgroupStats = {
  cpuSeconds?: number
  cpuUserSeconds?: number
  cpuSystemSeconds?: number
  memoryBytes?: number
  processes?: number
}

/** Figures of the cgroup at `path` (as in the OCI configuration). What cannot be read is left out, not zero. */
export function readCgroupStats(path: string): CgroupStats {
  return existsSync('/sys/fs/cgroup/cgroup.controllers') ? readV2(`/sys/fs/cgroup${path}`) : readV1(path)
}

function readV2(folder: string): CgroupStats {
  const cpu = read(`${folder}/cpu.stat`)
  return defined({
    cpuSeconds: over(1e6, field(cpu, 'usage_usec')),
    cpuUserSeconds: over(1e6, field(cpu, 'user_usec')),
    cpuSystemSeconds: over(1e6, field(cpu, 'system_usec')),
    memoryBytes: less(
      whole(read(`${folder}/memory.current`)),
      field(read(`${folder}/memory.stat`), 'inactive_file'),
    ),
    processes: whole(read(`${folder}/pids.current`)),
  })
}

function readV1(path: string): CgroupStats {
  const cpu = read(`/sys/fs/cgroup/cpuacct${path}/cpuacct.stat`)
  const memory = `/sys/fs/cgroup/memory${path}`
  return defined({
    cpuSeconds: over(1e9, whole(read(`/sys/fs/cgroup/cpuacct${path}/cpuacct.usage`))),
    cpuUserSeconds: over(TICKS, field(cpu, 'user')),
    cpuSystemSeconds: over(TICKS, field(cpu, 'system')),
    memoryBytes: less(
      whole(read(`${memory}/memory.usage_in_bytes`)),
      field(read(`${memory}/memory.stat`), 'total_inactive_file'),
    ),
    processes: whole(read(`/sys/fs/cgroup/pids${path}/pids.current`)),
  })
}

function read(path: string): string | undefined {
  try {
    return readFileIfAny(path)
  } catch {
    return undefined // ENODEV while the cgroup goes
  }
}

/** The kernel's ticks in a second, for whoever reads its files (USER_HZ). */
const TICKS = 100

const over = (divisor: number, count: number | undefined) =>
  count === undefined ? undefined : count / divisor

const whole = (text: string | undefined) => (text === undefined ? undefined : Number(text))

const field = (text: string | undefined, name: string) => {
  const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1]
  return found === undefined ? undefined : Number(found)
}

/** Cache of files that nobody uses is not what an application needs. */
const less = (bytes: number | undefined, cache: number | undefined) =>
  bytes === undefined ? undefined : Math.max(0, bytes - (cache ?? 0))

function defined(stats: { [K in keyof CgroupStats]: number | undefined }): CgroupStats {
  return Object.fromEntries(Object.entries(stats).filter(([, value]) => value !== undefined))
}
