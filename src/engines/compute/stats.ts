// Figures of a cgroup, version 1 or 2, without running anything inside (design §7).
import { existsSync, statfsSync } from 'node:fs'
import { readFileIfAny } from '../../kernel/files.ts'

export type CgroupStats = {
  cpuSeconds?: number
  cpuUserSeconds?: number
  cpuSystemSeconds?: number
  cpuNiceSeconds?: number
  ioWaitSeconds?: number
  memoryBytes?: number
  processes?: number
}

/** Figures of the cgroup at `path` (as in the OCI configuration). What cannot be read is left out, not zero. */
export function readCgroupStats(path: string): CgroupStats {
  return isV2() ? readV2(`/sys/fs/cgroup${path}`) : readV1(path)
}

const isV2 = () => existsSync('/sys/fs/cgroup/cgroup.controllers')

/** How full the root file system is that a process sees. Its link is the kernel's; nothing is opened below it. */
export function readRootStats(pid: number): { diskUsedBytes?: number; diskBytes?: number } {
  try {
    const { blocks, bfree, bavail, bsize } = statfsSync(`/proc/${pid}/root`)
    // As df counts: what only root may take is nobody's.
    const used = (blocks - bfree) * bsize
    return { diskUsedBytes: used, diskBytes: used + bavail * bsize }
  } catch {
    return {} // it has ended
  }
}

function readV2(folder: string): CgroupStats {
  const cpu = read(`${folder}/cpu.stat`)
  return defined({
    cpuSeconds: over(1e6, field(cpu, 'usage_usec')),
    cpuUserSeconds: over(1e6, field(cpu, 'user_usec')),
    cpuSystemSeconds: over(1e6, field(cpu, 'system_usec')),
    // Linux 6.11 and later.
    cpuNiceSeconds: over(1e6, field(cpu, 'nice_usec')),
    // https://docs.kernel.org/accounting/psi.html: where the kernel keeps it.
    ioWaitSeconds: over(1e6, stalled(read(`${folder}/io.pressure`))),
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
    return undefined // ENODEV while the cgroup goes, ESRCH when a task has
  }
}

/** Above so many tasks they are not looked at one by one. */
const TASKS_READ_MAX = 2_000

/** Tasks of the cgroup that just then run, or wait for a processor or a disk: what the kernel's own load average counts, which
 *  knows no cgroups (kernel/sched/loadavg.c). Undefined when it cannot be said. */
export function countRunnable(path: string): number | undefined {
  const tasks = isV2() ? `/sys/fs/cgroup${path}/cgroup.threads` : `/sys/fs/cgroup/pids${path}/tasks`
  const ids = read(tasks)?.split('\n').filter(Boolean) ?? []
  if (ids.length === 0 || ids.length > TASKS_READ_MAX) return undefined
  return ids.filter((id) => isRunnable(read(`/proc/${id}/stat`))).length
}

/** Whether a task runs, waits for a processor, or for a disk. Its name, in parentheses, may be anything. */
export const isRunnable = (stat: string | undefined) =>
  stat !== undefined && /^[RD]/.test(stat.slice(stat.lastIndexOf(')') + 2))

/** Microseconds in which every task that had work waited. */
export const stalled = (pressure: string | undefined) => {
  const total = /^full .*\btotal=(\d+)$/m.exec(pressure ?? '')?.[1]
  return total === undefined ? undefined : Number(total)
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
