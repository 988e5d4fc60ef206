// Lets the user change a text in their own editor. It runs as the user, on a copy that nobody else can read or exchange.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from './failure.ts'

const USUAL = ['sensible-editor', 'nano', 'vi']

/** The text as the editor left it. VISUAL, else EDITOR, split at spaces: no shell sees them. */
export function editText(before: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'polebean-edit-'))
  const file = join(folder, 'config.yaml')
  try {
    writeFileSync(file, before, { mode: 0o600 })
    runEditor(file)
    return readFileSync(file, 'utf8')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function runEditor(file: string): void {
  const named = process.env['VISUAL'] || process.env['EDITOR']
  for (const command of named ? [named] : USUAL) {
    const [program = '', ...args] = command.trim().split(/\s+/)
    const { error, status, signal } = spawnSync(program, [...args, file], { stdio: 'inherit' })
    if (error && 'code' in error && error.code === 'ENOENT' && !named) continue
    if (error) throw new Failure(`the editor ${command} cannot be run: ${error.message}`)
    if (status === 0) return
    throw new Failure(`the editor ${command} ended with ${signal ?? `exit ${status}`}; nothing was changed`)
  }
  throw new Failure('there is no editor: set VISUAL or EDITOR')
}
