import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { makeFilesystemRoom } from './filesystem.ts'

const dir = mkdtempSync(join(tmpdir(), 'pbt-room-'))
after(() => rmSync(dir, { recursive: true }))

describe("a home's disk", () => {
  const room = makeFilesystemRoom(dir)
  it('uses nothing at first', async () => {
    const { use, freeBytes, totalBytes } = await room.look()
    assert.deepEqual(use, { database: 0, daemonLogs: 0, instanceDisks: 0, builds: 0, backups: 0 })
    assert.ok(freeBytes <= totalBytes)
    assert.equal(room.space().totalBytes, totalBytes)
  })
  it('counts blocks that were written, and no link', async () => {
    mkdirSync(join(dir, 'instances', 'i-1'), { recursive: true })
    const image = join(dir, 'instances', 'i-1', 'disk.img')
    writeFileSync(image, Buffer.alloc(1 << 20, 1))
    truncateSync(image, 2 ** 33)
    mkdirSync(join(dir, 'log'))
    symlinkSync('/usr', join(dir, 'log', 'link'))
    const { use } = await room.look()
    assert.ok(use.instanceDisks >= 1 << 20 && use.instanceDisks < 2 << 20, String(use.instanceDisks))
    assert.ok(use.daemonLogs < 1 << 16, String(use.daemonLogs))
  })
  it('is told to be unknown when its folder is gone', () =>
    assert.throws(() => makeFilesystemRoom(join(dir, 'none')).space(), {
      name: 'EngineError',
      message: /cannot be told/,
    }))
})
