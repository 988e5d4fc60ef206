// The program that follows files, on files of this machine: what a test of the engine cannot bring about.
import assert from 'node:assert/strict'
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { systemClock } from '../../kernel/clock.ts'
import { run } from '../../kernel/process.ts'
import type { FilePosition } from './engine.ts'
import { followArgv, partsOf } from './follow.ts'

let dir: string
let path: string
let position: FilePosition | null
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pb-follow-'))
  path = join(dir, "a log's name.log")
  position = null
})
afterEach(() => rmSync(dir, { recursive: true }))

/** Takes all that there is, and goes on behind it. `|` where a file ended. */
async function look(bytesMax = 1_000): Promise<string> {
  const files = [{ path, position }]
  const { stdout, exit } = await run(followArgv(files, bytesMax), {
    timeoutMs: 10_000,
    outputBytesMax: 100_000,
  })
  assert.equal(exit, 0)
  const parts = partsOf(stdout.toString('latin1'), files)
  for (const { from, bytes } of parts) position = { ...from, offset: from.offset + bytes.length }
  return parts.map(({ bytes, ends }) => `${bytes.toString()}${ends ? '|' : ''}`).join('')
}

const rotate = () => {
  copyFileSync(path, `${path}.1`)
  truncateSync(path, 0)
}

describe('following a file', () => {
  it('goes on where it was, whatever is in it', async () => {
    assert.equal(await look(), '')
    writeFileSync(path, 'a\u0000b é\n0 1 2 - 1 QQ==\n')
    assert.equal(await look(), 'a\u0000b é\n0 1 2 - 1 QQ==\n')
    assert.equal(await look(), '')
    appendFileSync(path, 'c\n')
    assert.equal(await look(), 'c\n')
  })

  it('takes no more than it may, and the rest the next time', async () => {
    writeFileSync(path, '123456')
    assert.deepEqual([await look(4), await look(4), await look(4)], ['1234', '56', ''])
    appendFileSync(path, '789')
    rotate()
    writeFileSync(path, 'abc')
    assert.deepEqual([await look(2), await look(2), await look(2), await look(2)], ['78', '9|ab', 'c', ''])
  })

  it('waits while a copy is being made', async () => {
    writeFileSync(path, 'old\n')
    assert.equal(await look(), 'old\n')
    writeFileSync(`${path}.1`, 'o')
    appendFileSync(path, 'more\n')
    assert.equal(await look(), '')
    rotate()
    assert.equal(await look(), 'more\n|')
    appendFileSync(path, 'new\n')
    assert.equal(await look(), 'new\n')
  })

  it('sees a rotation also when the file has grown beyond its copy again', async () => {
    writeFileSync(path, 'x\n')
    await look()
    appendFileSync(path, 'rest\n')
    rotate()
    appendFileSync(path, 'much that came after\n')
    assert.equal(await look(), '', 'the copy may not be whole')
    const earlier = systemClock.now() / 1_000 - 10
    utimesSync(`${path}.1`, earlier, earlier)
    assert.equal(await look(), 'rest\n|much that came after\n')
    assert.equal(await look(), '')
  })

  it('sees a rotation also when the file has grown beyond its position again', async () => {
    writeFileSync(path, 'x\n')
    await look()
    appendFileSync(path, 'a long rest\n')
    rotate()
    appendFileSync(path, 'grown\n')
    assert.equal(await look(), 'a long rest\n|grown\n')
  })

  it('follows a file that is moved away and made anew', async () => {
    writeFileSync(path, 'one\n')
    await look()
    appendFileSync(path, 'two\n')
    renameSync(path, `${path}.1`)
    assert.equal(await look(), '')
    writeFileSync(path, 'three\n')
    assert.equal(await look(), 'two\n|three\n')
    assert.equal(await look(), '')
  })

  it('begins anew with one that was emptied, and keeps to files', async () => {
    writeFileSync(path, 'something long\n')
    await look()
    truncateSync(path, 0)
    assert.equal(await look(), '')
    appendFileSync(path, 'a\n')
    assert.equal(await look(), 'a\n')
    rmSync(path)
    await run(['mkfifo', path], { timeoutMs: 10_000 })
    assert.equal(await look(), '')
    rmSync(path)
    symlinkSync('/dev/zero', path)
    assert.equal(await look(), '')
  })

  it('refuses a position that is none', () => {
    for (const wrong of [{ inode: 'x' }, { offset: -1 }, { offset: 1.5 }, { rotated: '$(reboot)' }])
      assert.throws(
        () => followArgv([{ path, position: { inode: '1', offset: 0, rotated: '-', ...wrong } }], 1),
        { name: 'EngineError' },
      )
    assert.throws(() => partsOf('whatever\n', []), { name: 'EngineError' })
  })
})
