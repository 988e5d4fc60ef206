import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { readConfig } from './file.ts'

const base = mkdtempSync(join(tmpdir(), 'config-'))
after(() => rmSync(base, { recursive: true }))

describe('the configuration of a home', () => {
  it('is the defaults without a file', () => {
    const config = readConfig(base)
    assert.equal(config.listeners.http, null)
    assert.deepEqual(config.listeners.publicAddresses, [])
  })
  it('is what the file gives, by dotted keys or by groups', () => {
    writeFileSync(join(base, 'config.yaml'), 'listeners.http: 8088\nlimits:\n  instances: 3\n', {
      mode: 0o644,
    })
    const { listeners, limits } = readConfig(base)
    assert.deepEqual([listeners.http, limits.instances, limits.environments], [8088, 3, 200])
  })
})
