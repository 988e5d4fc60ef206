// Asks this machine which interpreters it has. The answers are what catalogue.ts turns into platforms.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../kernel/process.ts'
import type { Runtime } from './catalogue.ts'

// Only /usr/bin: instances see the host's /usr, but neither /usr/local nor anybody's home.
const PROGRAMS = '/usr/bin'
// A Python without ensurepip (Debian's package python3-venv) cannot make the environment that packages go into.
const PYTHON_PROBE = 'import sys, ensurepip, venv; print(sys.version.replace("\\n", " "))'

/** Changes when an interpreter comes, goes or is replaced, and costs next to nothing: probing starts each of them. */
export function interpretersSeen(programs = PROGRAMS, libraries = '/usr/lib'): string {
  return pythonsIn(programs)
    .sort()
    .map((language) => {
      const program = statSync(join(programs, `python${language}`), { throwIfNoEntry: false })
      const venv = statSync(join(libraries, `python${language}/ensurepip`), { throwIfNoEntry: false })
      return [language, program?.ino, program?.mtimeMs, venv?.ino, venv?.mtimeMs].join(' ')
    })
    .join('\n')
}

const pythonsIn = (programs: string) =>
  readdirSync(programs).flatMap((file) => /^python(3\.\d+)$/.exec(file)?.[1] ?? [])

/** `nodeProgram` is the home's own copy of Node.js, or null. Interpreters that do not answer are left out. */
export async function probeRuntimes(nodeProgram: string | null): Promise<Runtime[]> {
  const found = await Promise.all([
    ...pythonsIn(PROGRAMS).map(probePython),
    ...(nodeProgram ? [probeNode(nodeProgram)] : []),
  ])
  return found.filter((runtime) => runtime !== undefined)
}

async function probePython(language: string): Promise<Runtime | undefined> {
  const program = `${PROGRAMS}/python${language}`
  const build = await answer([program, '-I', '-c', PYTHON_PROBE])
  return build?.startsWith(language) ? { family: 'python', language, program, build } : undefined
}

async function probeNode(program: string): Promise<Runtime | undefined> {
  const build = await answer([program, '--version'])
  const language = /^v(\d+)\./.exec(build ?? '')?.[1]
  return build && language ? { family: 'nodejs', language, program, build } : undefined
}

async function answer(argv: string[]): Promise<string | undefined> {
  try {
    const { exit, stdout } = await run(argv, { timeoutMs: 10_000 })
    return exit === 0 ? stdout.toString().trim() : undefined
  } catch {
    return undefined // an interpreter that cannot be run is one that is not there
  }
}
