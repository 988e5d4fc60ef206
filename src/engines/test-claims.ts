// What a test makes on this machine is claimed by its process first, so that whoever finds the claim of a process that is
// no more can remove what it left (tools/test/sweep.ts).
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readFileIfAny, writeFileAtomic } from '../kernel/files.ts'

/** `dir`: the folder in the temporary one; `id`: of the home, when it is known before the home is made. */
export type Claim = { dir: string; id: string | null; pid: number; startTicks: string }

const CLAIMS = '/run/polebean/tests'

/** Answers what takes the claim back. */
export function claim(dir: string, id: string | null = null): () => void {
  const file = join(CLAIMS, `${encodeURIComponent(dir)}.json`)
  const own: Claim = { dir, id, pid: process.pid, startTicks: startTicksOf(process.pid) ?? '' }
  mkdirSync(CLAIMS, { recursive: true })
  writeFileAtomic(file, JSON.stringify(own))
  return () => rmSync(file, { force: true })
}

/** Claims whose process has ended, each with what takes it back. */
export function abandonedClaims(): (Claim & { forget(): void })[] {
  mkdirSync(CLAIMS, { recursive: true })
  return readdirSync(CLAIMS).flatMap((name) => {
    const file = join(CLAIMS, name)
    if (!name.endsWith('.json')) return []
    const found = JSON.parse(readFileSync(file, 'utf8')) as Claim
    if (startTicksOf(found.pid) === found.startTicks) return []
    return [{ ...found, forget: () => rmSync(file, { force: true }) }]
  })
}

// A pid alone may be somebody else's by now.
function startTicksOf(pid: number): string | undefined {
  const stat = readFileIfAny(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}
