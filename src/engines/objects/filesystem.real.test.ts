// Needs root: fills a small tmpfs of its own.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { it } from 'node:test'
import { EngineError } from '../../kernel/errors.ts'
import { runOk } from '../../kernel/process.ts'
import { makeFilesystemObjects } from './filesystem.ts'

const reason = process.getuid?.() === 0 ? false : 'needs root to mount a tmpfs'

it('a full disk is said, keeps nothing, and frees what was written', { skip: reason }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'polebean-full-'))
  await runOk(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir])
  try {
    const objects = makeFilesystemObjects(dir)
    const body = (count: number) =>
      Readable.from(Array.from({ length: count }, () => Buffer.alloc(64 * 1024)))
    await assert.rejects(
      objects.put('abcdef01', body(32), 1 << 30),
      (error) => error instanceof EngineError && error.message === 'the disk is full',
    )
    assert.deepEqual(await objects.list(), [])
    assert.deepEqual(readdirSync(join(dir, 'incoming')), [])
    assert.equal((await objects.put('abcdef02', body(8), 1 << 30)).bytes, 8 * 64 * 1024)
  } finally {
    await runOk(['umount', dir])
    rmSync(dir, { recursive: true })
  }
})
