// What the machine's memory is used for beside instances and builds: the system, other programs and homes, our own daemons.
import { readFileIfAny } from '../../kernel/files.ts'
import { readMemoryBytes } from './stats.ts'

/** Bytes. `homeId`: whose cgroup holds the instances and builds that are not counted. */
export function readOtherMemory(homeId: string): number {
  const group = `/polebean/${homeId}`
  return otherMemory(
    readFileIfAny('/proc/meminfo') ?? '',
    readMemoryBytes(group) ?? 0,
    readMemoryBytes(`${group}/daemons`) ?? 0,
  )
}

/**
 * Pure. `meminfo` as in proc_meminfo(5): what is not available is in use. `groupBytes` of the home's cgroup, `daemonBytes` of
 * the daemons in it. Never below 0: what the two count as cache differs.
 */
export function otherMemory(meminfo: string, groupBytes: number, daemonBytes: number): number {
  const [total, available] = ['MemTotal', 'MemAvailable'].map((name) => {
    const [, kibibytes] = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(meminfo) ?? []
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  })
  if (total === undefined || available === undefined) return 0
  return Math.max(0, total - available - Math.max(0, groupBytes - daemonBytes))
}
