// A run that can be gone on with: after each step its guests, their memory too, are kept in a folder (qemu's internal
// snapshots), so that what fails late costs one step and not the hours before it.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { writeFileAtomic } from '../../src/kernel/files.ts'
import type { Disk } from './disk.ts'
import { runHere } from './here.ts'
import type { Timing } from './timings.ts'

/** A guest's own layer above its disk, and where qemu is spoken to; `resume`: it goes on from what was kept. */
export type Place = { layer: string; monitor: string; resume: boolean }

export type Progress = {
  /** Of the steps that passed. */
  steps: Timing[]
  memory: [string, string][]
  /** Names of the guests that ran. */
  guests: string[]
}

const SNAPSHOT = 'after-the-last-step'

/** What is kept of one disk's run in `folder`; `progress` is null where nothing is. */
export function openKept(folder: string, disk: Disk) {
  const file = join(folder, 'progress.json')
  const progress = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Progress) : null
  const resumed = new Set(progress?.guests)
  const monitorOf = (name: string) => join(folder, `${name}.monitor`)
  return {
    progress,
    /** Where a guest is to be; a new layer unless it goes on. */
    async place(name: string): Promise<Place> {
      mkdirSync(folder, { recursive: true })
      const layer = join(folder, `${name}.qcow2`)
      const resume = resumed.delete(name)
      if (!resume) {
        rmSync(layer, { force: true })
        await runHere(['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', disk.image, '-F', 'raw', layer])
      }
      return { layer, monitor: monitorOf(name), resume }
    },
    /** `names`: all that were started; who has been ended meanwhile is left out. */
    async save({ steps, memory }: Omit<Progress, 'guests'>, names: string[]): Promise<void> {
      const guests: string[] = []
      for (const name of names) if (await tell(monitorOf(name), `savevm ${SNAPSHOT}`)) guests.push(name)
      writeFileAtomic(file, JSON.stringify({ steps, memory, guests } satisfies Progress), 0o600)
    },
    forget: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Pure: the words of qemu's command line for a guest that is kept. */
export const argvOfPlace = ({ layer, resume }: Omit<Place, 'monitor'>): string[] => [
  ...['-drive', `file=${layer},format=qcow2,if=virtio,discard=unmap`],
  ...(resume ? ['-loadvm', SNAPSHOT] : []),
]

const PROMPT = '(qemu) '

/** Says it to qemu (its human monitor). False when no qemu listens; throws what it answers when it cannot do it. */
export function tell(monitor: string, command: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let said = ''
    let sent = false
    const socket = connect(monitor)
    socket.on('data', (chunk) => {
      said += chunk.toString()
      if (!said.endsWith(PROMPT)) return
      if (sent) return socket.end()
      sent = true
      said = ''
      socket.write(`${command}\n`)
    })
    socket.on('error', () => resolve(false))
    socket.on('close', () => (/Error/.test(said) ? reject(new Error(`qemu: ${said.trim()}`)) : resolve(sent)))
  })
}
