import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { list, lookForThings } from './look.ts'

const NOBODY = 65534

describe('who looks for what homes left', () => {
  it('finds nothing where there is nothing', () => {
    assert.deepEqual(list(join(tmpdir(), 'polebean-no-such-folder')), [])
    assert.throws(() => list('/proc/self/stat'), /ENOTDIR/)
  })

  // As a home that is the first of its machine makes /run/polebean.
  it('is not stopped by what only root may read', async (t) => {
    if (process.getuid!() !== 0) return t.skip('only root can become somebody else')
    const folder = mkdtempSync(join(tmpdir(), 'polebean-look-'))
    mkdirSync(join(folder, 'closed'), { mode: 0o711 })
    mkdirSync(join(folder, 'closed/abcdef'))
    try {
      assert.deepEqual(list(join(folder, 'closed')), ['abcdef'])
      process.seteuid!(NOBODY)
      assert.deepEqual(list(join(folder, 'closed')), [])
      await lookForThings()
    } finally {
      process.seteuid!(0)
      rmSync(folder, { recursive: true })
    }
  })
})
