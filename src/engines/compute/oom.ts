// Processes that the kernel ended for want of memory: how many, from the cgroup; which one, from the kernel's log.
import { closeSync, constants, existsSync, openSync, readSync } from 'node:fs'
import { readFileIfAny } from '../../kernel/files.ts'

/** What the kernel says of the last process that it ended in a cgroup. */
export type OomVictim = {
  /** Its name, as in /proc/PID/comm; '' when the log does not reach back so far. */
  process: string
  /** Whether the memory of the whole machine was short, not only that of the cgroup. */
  ofMachine: boolean
}

/** Kills in the cgroup at `path` (as in the OCI configuration) since it was made; undefined when it cannot be read. */
export function readOomKills(path: string): number | undefined {
  const file = existsSync('/sys/fs/cgroup/cgroup.controllers')
    ? `/sys/fs/cgroup${path}/memory.events`
    : `/sys/fs/cgroup/memory${path}/memory.oom_control`
  try {
    return parseOomKills(readFileIfAny(file) ?? '')
  } catch {
    return undefined // ENODEV while the cgroup goes
  }
}

/** Version 1 (`memory.oom_control`) and 2 (`memory.events`) call the count alike. */
export function parseOomKills(text: string): number | undefined {
  const found = /^oom_kill (\d+)$/m.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** The last process of the cgroup at `path` that the log tells of; `log` as /dev/kmsg has it. */
export function parseVictim(log: string, path: string): OomVictim {
  // mm/oom_kill.c, dump_oom_summary(): one line a kill since Linux 5.0.
  const line = log
    .split('\n')
    .findLast((one) => /oom-kill:constraint=/.test(one) && cgroupOf(one).endsWith(path))
  const process = /,task=(.*),pid=\d+,uid=\d+/.exec(line ?? '')?.[1] ?? ''
  return { process: printable(process), ofMachine: line !== undefined && !line.includes('CONSTRAINT_MEMCG') }
}

const cgroupOf = (line: string) => /,task_memcg=([^,]*),task=/.exec(line)?.[1] ?? ''

/** An application names its processes as it likes. */
const printable = (name: string) => name.replace(/[^\x20-\x7e]/g, '?').slice(0, 32)

/** What the kernel has said; '' where it may not be read (a container). Costs a few milliseconds. */
export function readKernelLog(): string {
  let fd: number
  try {
    fd = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return ''
  }
  const records: string[] = []
  const buffer = Buffer.alloc(RECORD_BYTES_MAX)
  try {
    while (records.length < RECORDS_MAX) {
      const record = readRecord(fd, buffer)
      if (record === null) break
      records.push(record)
    }
  } finally {
    closeSync(fd)
  }
  return records.join('')
}

function readRecord(fd: number, buffer: Buffer): string | null {
  try {
    const bytes = readSync(fd, buffer)
    return bytes === 0 ? null : buffer.toString('utf8', 0, bytes)
  } catch (error) {
    // EPIPE: the ring went on meanwhile, and the next read goes on with the oldest that is left.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return ''
    return null // EAGAIN: that was all
  }
}

/** The kernel's CONSOLE_EXT_LOG_MAX. */
const RECORD_BYTES_MAX = 8192
const RECORDS_MAX = 100_000
