import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { runOk } from './process.ts'

const base = mkdtempSync(join(tmpdir(), 'process-'))
after(() => rmSync(base, { recursive: true }))

describe('run', () => {
  it("takes nothing from the caller's folder, where Python would look for modules", async () => {
    writeFileSync(join(base, 'venv.py'), 'print("run as us")')
    const before = process.cwd()
    process.chdir(base)
    try {
      assert.equal(await runOk(['/usr/bin/python3', '-c', 'import venv']), '')
    } finally {
      process.chdir(before)
    }
  })
})
