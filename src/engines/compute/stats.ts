// What of an instance is looked at by itself, not each second, without running anything inside (design §7): its memory, its tasks, how
// full its root file system is.
import { existsSync, statfsSync } from 'node:fs'
import { readFileIfAny } from '../../kernel/files.ts'

const isV2 = () => existsSync('/sys/fs/cgroup/cgroup.controllers')

/** What a cgroup holds (`path` as in the OCI configuration), without cache of files that nobody uses; undefined when it cannot be read. */
export function readMemoryBytes(path: string): number | undefined {
  const [folder, current, unused] = isV2()
    ? [`/sys/fs/cgroup${path}`, 'memory.current', 'inactive_file']
    : [`/sys/fs/cgroup/memory${path}`, 'memory.usage_in_bytes', 'total_inactive_file']
  const bytes = read(`${folder}/${current}`)
  if (bytes === undefined) return undefined
  const cache = new RegExp(`^${unused} (\\d+)$`, 'm').exec(read(`${folder}/memory.stat`) ?? '')?.[1]
  return Math.max(0, Number(bytes) - Number(cache ?? 0))
}

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

function read(path: string): string | undefined {
  try {
    return readFileIfAny(path)
  } catch {
    return undefined // ENODEV while the cgroup goes, ESRCH when a task has
  }
}
