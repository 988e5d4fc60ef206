// What runs, read from runc's own state files: 200 instances cost 200 small reads instead of 200 processes.
// A process id counts only together with its start time, so that a reused id is never taken for an instance.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readFileIfAny } from '../../kernel/files.ts'

export type InitProcess = { pid: number; startTicks: number; created: boolean }

/** The init of a container as runc recorded it; undefined when there is no such container (or a half-made one). */
export function initProcess(stateDir: string, container: string): InitProcess | undefined {
  const text = readFileIfAny(join(stateDir, container, 'state.json'))
  if (text === undefined) return undefined
  try {
    const state = JSON.parse(text) as { init_process_pid?: number; init_process_start?: number }
    if (!state.init_process_pid || !state.init_process_start) return undefined
    // The fifo is there until `runc start`: the same test that runc makes.
    const created = existsSync(join(stateDir, container, 'exec.fifo'))
    return { pid: state.init_process_pid, startTicks: state.init_process_start, created }
  } catch {
    return undefined
  }
}

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
