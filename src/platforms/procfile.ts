// Procfile: which processes an application has. AWS: lines `<process_name>: <command>`, developer guide,
// platforms-linux-extend.

export type Process = {
  name: string
  command: string
  /** The command in the user's own words, where we start it in others. */
  shown?: string
}
export type ProcfileResult =
  | { kind: 'processes'; processes: Process[] }
  | { kind: 'problem'; problem: string }

const LINE = /^([A-Za-z0-9_-]+):\s*(\S.*)$/
const PROCESSES_MAX = 16
const NAME_LENGTH_MAX = 64
/** Names of the instance's own services. */
const RESERVED = ['nginx', 'rotate']

/** `web` comes first, whatever its line: it is the process that requests go to. Without one it is the first line. */
export function parseProcfile(text: string): ProcfileResult {
  const processes: Process[] = []
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/^\ufeff/, '').trim()
    if (line === '' || line.startsWith('#')) continue
    const [, name, command] = LINE.exec(line) ?? []
    const problem = (what: string) => ({
      kind: 'problem' as const,
      problem: `Procfile line ${index + 1} ${what}: ${line.slice(0, 200)}`,
    })
    if (!name || !command) return problem("is not of the form 'name: command'")
    if (name.length > NAME_LENGTH_MAX) return problem('has a name that is too long')
    if (command.includes('\0')) return problem('has a character that no command may have')
    if (RESERVED.includes(name)) return problem('has a name that the platform uses itself')
    if (processes.some((process) => process.name === name))
      return problem(`names the process '${name}' a second time`)
    processes.push({ name, command })
  }
  if (processes.length === 0) return { kind: 'problem', problem: 'The Procfile names no process.' }
  if (processes.length > PROCESSES_MAX) {
    return {
      kind: 'problem',
      problem: `The Procfile names ${processes.length} processes; at most ${PROCESSES_MAX} are allowed.`,
    }
  }
  return {
    kind: 'processes',
    processes: processes.toSorted((a, b) => Number(b.name === 'web') - Number(a.name === 'web')),
  }
}
