// Which files of the kernel say what an instance has used, and what they say: cgroup version 1 and 2, and the interfaces of a network
// namespace. Pure.
import type { InstanceStats, StatsPart } from './engine.ts'

export type Figures = Partial<Omit<InstanceStats, 'id' | 'boot' | 'at'>> & {
  /** Cache of files that nobody uses, which is in `memoryBytes` and not what an application needs. */
  unusedCacheBytes?: number
}

/** What stands in a file. */
export type StatsFile = { part: StatsPart; path: string; parse(text: string): Figures }

/** `cgroup`: as in the OCI configuration. `version` is the machine's. */
export const cgroupFiles = (cgroup: string, version: 1 | 2): StatsFile[] =>
  version === 2
    ? [
        { part: 'cpu', path: `/sys/fs/cgroup${cgroup}/cpu.stat`, parse: parseCpuStat },
        { part: 'cpuKinds', path: `/sys/fs/cgroup${cgroup}/cpu.stat`, parse: parseCpuKinds },
        { part: 'cpuKinds', path: `/sys/fs/cgroup${cgroup}/io.pressure`, parse: parsePressure },
        { part: 'disk', path: `/sys/fs/cgroup${cgroup}/io.stat`, parse: parseIoStat },
        { part: 'memory', path: `/sys/fs/cgroup${cgroup}/memory.current`, parse: parseMemory },
        { part: 'memory', path: `/sys/fs/cgroup${cgroup}/memory.stat`, parse: unused('inactive_file') },
        { part: 'processes', path: `/sys/fs/cgroup${cgroup}/pids.current`, parse: parseProcesses },
      ]
    : [
        { part: 'cpu', path: `/sys/fs/cgroup/cpuacct${cgroup}/cpuacct.usage`, parse: parseUsage },
        { part: 'cpuKinds', path: `/sys/fs/cgroup/cpuacct${cgroup}/cpuacct.stat`, parse: parseKinds },
        {
          ...{ part: 'disk', path: `/sys/fs/cgroup/blkio${cgroup}/blkio.throttle.io_service_bytes` },
          parse: (text) => named(parseBlkio(text), 'diskReadBytes', 'diskWriteBytes'),
        },
        {
          ...{ part: 'disk', path: `/sys/fs/cgroup/blkio${cgroup}/blkio.throttle.io_serviced` },
          parse: (text) => named(parseBlkio(text), 'diskReads', 'diskWrites'),
        },
        { part: 'memory', path: `/sys/fs/cgroup/memory${cgroup}/memory.usage_in_bytes`, parse: parseMemory },
        {
          ...{ part: 'memory', path: `/sys/fs/cgroup/memory${cgroup}/memory.stat` },
          parse: unused('total_inactive_file'),
        },
        { part: 'processes', path: `/sys/fs/cgroup/pids${cgroup}/pids.current`, parse: parseProcesses },
      ]

/** The kernel's ticks in a second, for whoever reads its files (USER_HZ). */
const TICKS = 100
/** An instance's disk is a loop device (Linux, devices.txt); what it reads of the machine's own disks is shared with others. */
const LOOP_MAJOR = '7:'

const parseProcesses = (text: string): Figures => ({ processes: Number(text) })
const parseMemory = (text: string): Figures => ({ memoryBytes: Number(text) })
const unused =
  (name: string) =>
  (text: string): Figures => ({ unusedCacheBytes: field(text, name) ?? 0 })
const parseUsage = (text: string): Figures => ({ cpuSeconds: Number(text) / 1e9 })

const parseKinds = (text: string): Figures =>
  kinds(field(text, 'user'), field(text, 'system'), (ticks) => ticks / TICKS)

export const parseCpuStat = (text: string): Figures => {
  const usage = field(text, 'usage_usec')
  return usage === undefined ? {} : { cpuSeconds: usage / 1e6 }
}

export function parseCpuKinds(text: string): Figures {
  // Linux 6.11 and later.
  const nice = field(text, 'nice_usec')
  return {
    ...kinds(field(text, 'user_usec'), field(text, 'system_usec'), (us) => us / 1e6),
    ...(nice === undefined ? {} : { cpuNiceSeconds: nice / 1e6 }),
  }
}

/** Time in which every task that had work waited, where the kernel keeps it (https://docs.kernel.org/accounting/psi.html). */
export function parsePressure(text: string): Figures {
  const total = /^full .*\btotal=(\d+)$/m.exec(text)?.[1]
  return total === undefined ? {} : { ioWaitSeconds: Number(total) / 1e6 }
}

const kinds = (
  user: number | undefined,
  system: number | undefined,
  seconds: (count: number) => number,
): Figures =>
  user === undefined || system === undefined
    ? {}
    : { cpuUserSeconds: seconds(user), cpuSystemSeconds: seconds(system) }

/** `7:3 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0`, a line a device that was used. */
export function parseIoStat(text: string): Figures {
  const figures = { diskReadBytes: 0, diskWriteBytes: 0, diskReads: 0, diskWrites: 0 }
  for (const line of text.split('\n')) {
    if (!line.startsWith(LOOP_MAJOR)) continue
    const count = (name: string) => Number(new RegExp(` ${name}=(\\d+)`).exec(line)?.[1] ?? 0)
    figures.diskReadBytes += count('rbytes')
    figures.diskWriteBytes += count('wbytes')
    figures.diskReads += count('rios')
    figures.diskWrites += count('wios')
  }
  return figures
}

/** `7:3 Read 1459200`, `7:3 Write 0`, …, `Total 1459200`. */
export function parseBlkio(text: string): { reads: number; writes: number } {
  const counts = { reads: 0, writes: 0 }
  for (const line of text.split('\n')) {
    if (!line.startsWith(LOOP_MAJOR)) continue
    const [, kind, count] = line.split(' ')
    if (kind === 'Read') counts.reads += Number(count)
    if (kind === 'Write') counts.writes += Number(count)
  }
  return counts
}

const named = (
  { reads, writes }: { reads: number; writes: number },
  read: keyof Figures,
  write: keyof Figures,
): Figures => ({ [read]: reads, [write]: writes })

/** /proc/PID/net/dev: `  eth0: 1296 16 0 0 0 0 0 0 840 12 0 …`, received first. {} while it is not attached. */
export function parseInterfaces(text: string): Figures {
  const at = text.indexOf('eth0:')
  if (at < 0) return {}
  const end = text.indexOf('\n', at)
  const counts = text
    .slice(at + 'eth0:'.length, end)
    .trim()
    .split(/ +/)
    .map(Number)
  return {
    ...{ networkInBytes: counts[0], networkInPackets: counts[1] },
    ...{ networkOutBytes: counts[8], networkOutPackets: counts[9] },
  } as Figures
}

const field = (text: string, name: string) => {
  const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}
