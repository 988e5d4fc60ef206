// What runs, read from runc's own state files: 200 instances cost 200 small reads instead of 200 processes.
// A process id counts only together with its start time, so that a reused id is never taken for an instance.
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readFileIfAny } from '../../kernel/files.ts'

export type InitProcess = { pid: number; startTicks: number; created: boolean }

/** The init of a container as runc recorded it; undefined when there is no such container (or a half-made one). */
export function initProcess(stateDir: string, container: string): InitProcess | undefined {
  const path = join(stateDir, container, 'state.json')
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return undefined
  const version = `${stat.ino} ${stat.mtimeMs}`
  let entry = read.get(path)
  if (entry?.version !== version) {
    entry = { version, process: parse(path) }
    if (read.size > READ_MAX) read.clear()
    read.set(path, entry)
  }
  // The fifo is there until `runc start`: the same test that runc makes.
  return entry.process && { ...entry.process, created: existsSync(join(stateDir, container, 'exec.fifo')) }
}

function parse(path: string): { pid: number; startTicks: number } | undefined {
  try {
    const state = JSON.parse(readFileIfAny(path) ?? '') as {
      init_process_pid?: number
      init_process_start?: number
    }
    if (!state.init_process_pid || !state.init_process_start) return undefined
    return { pid: state.init_process_pid, startTicks: state.init_process_start }
  } catch {
    return undefined
  }
}

/** runc keeps its whole configuration in that file, 20 KB, so what did not change is not parsed again. */
const read = new Map<string, { version: string; process: { pid: number; startTicks: number } | undefined }>()
const READ_MAX = 10_000

/** A zombie is dead: nothing of it runs. */
export function isAlive({ pid, startTicks }: InitProcess): boolean {
  let stat: string | undefined
  try {
    stat = readFileIfAny(`/proc/${pid}/stat`)
  } catch {
    return false // ESRCH while it is going
  }
  if (stat === undefined) return false
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return !['Z', 'X'].includes(fields[0]!) && Number(fields[19]) === startTicks
}
