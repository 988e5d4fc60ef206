import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { foldersInUse } from './servers.ts'

const scratch = mkdtempSync(join(tmpdir(), 'polebean-in-use-'))
after(() => rmSync(scratch, { recursive: true }))

it('a release is in use while a process runs from it, by whatever path it was started', async () => {
  const prefix = join(scratch, 'opt')
  for (const version of ['1.0.0', '1.1.0']) mkdirSync(join(prefix, version, 'bin'), { recursive: true })
  copyFileSync('/bin/sleep', join(prefix, '1.0.0/bin/sleep'))
  symlinkSync('1.0.0', join(prefix, 'current'))
  symlinkSync(prefix, join(scratch, 'link'))
  assert.deepEqual(foldersInUse(prefix), [])
  const child = spawn(join(prefix, 'current/bin/sleep'), ['60'])
  const ended = once(child, 'exit')
  await once(child, 'spawn')
  try {
    assert.deepEqual(foldersInUse(prefix), ['1.0.0'])
    assert.deepEqual(foldersInUse(join(scratch, 'link')), ['1.0.0'])
  } finally {
    child.kill()
    await ended
  }
  assert.deepEqual(foldersInUse(prefix), [])
})
