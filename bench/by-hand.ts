// The floor: what somebody does by hand who has the same application and the same gunicorn.
import { spawn } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { root, runProgram } from '../test/support/home.ts'
import { firstAnswer } from './answers.ts'

const PORT = 9003
export const SAMPLE = 'samples/flask-guestbook'

export type ByHand = {
  folder: string
  /** Milliseconds from the start of gunicorn to its first 200. */
  start(): Promise<number>
}

/** The sample in `folder` with a virtual environment of its own; `tookMs` is what venv and pip took. */
export async function prepareByHand(folder: string): Promise<ByHand & { tookMs: number }> {
  const app = join(folder, 'app')
  const venv = join(folder, 'venv')
  cpSync(join(root, SAMPLE), app, { recursive: true })
  const startedAt = performance.now()
  await must(['/usr/bin/python3', '-m', 'venv', venv])
  const pip = [join(venv, 'bin/pip'), 'install', '-q', '--disable-pip-version-check']
  // Without pip's cache, as a new home has none.
  await must([...pip, '--no-cache-dir', 'gunicorn', '-r', join(app, 'requirements.txt')])
  const tookMs = performance.now() - startedAt
  return { folder, tookMs, start: () => startGunicorn(join(venv, 'bin/gunicorn'), app) }
}

async function startGunicorn(gunicorn: string, cwd: string): Promise<number> {
  const startedAt = Date.now()
  const argv = ['--bind', `127.0.0.1:${PORT}`, '--workers=1', '--threads=15', 'application:application']
  const child = spawn(gunicorn, argv, { cwd, stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  try {
    const died = ended.then(() => {
      throw new Error('gunicorn ended before it answered')
    })
    return (await Promise.race([firstAnswer(PORT, 'localhost'), died])) - startedAt
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

export async function must(argv: string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
  const ran = await runProgram(argv, { timeoutMs: 600_000, ...options })
  if (ran.status !== 0) throw new Error(`${argv.join(' ')}: ${ran.stderr.slice(-500)}`)
  return ran
}
