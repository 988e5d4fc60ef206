import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { EngineError } from '../../kernel/errors.ts'
import { objectsConformance } from './conformance.ts'
import { makeFilesystemObjects } from './filesystem.ts'

const makeDir = () => mkdtempSync(join(tmpdir(), 'polebean objekte ü '))

objectsConformance('filesystem', () => {
  const dir = makeDir()
  return { objects: makeFilesystemObjects(dir), dispose: () => rmSync(dir, { recursive: true }) }
})

describe('objects on a file system', () => {
  it('lie under two hexadecimal digits, readable by the owner only', async (t) => {
    const dir = makeDir()
    t.after(() => rmSync(dir, { recursive: true }))
    const objects = makeFilesystemObjects(dir)
    await objects.put('abcdef01', Readable.from([Buffer.from('x')]), 10)
    assert.equal(objects.path('abcdef01'), join(dir, 'ab', 'abcdef01'))
    assert.equal(readFileSync(objects.path('abcdef01'), 'utf8'), 'x')
    assert.equal(statSync(objects.path('abcdef01')).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(join(dir, 'incoming')), [])
  })
  it('survive a new start, which clears what was half written', async (t) => {
    const dir = makeDir()
    t.after(() => rmSync(dir, { recursive: true }))
    await makeFilesystemObjects(dir).put('abcdef01', Readable.from([Buffer.from('x')]), 10)
    writeFileSync(join(dir, 'incoming', 'abcdef02'), 'half')
    const objects = makeFilesystemObjects(dir)
    objects.open()
    assert.deepEqual(await objects.list(), ['abcdef01'])
    assert.equal(existsSync(join(dir, 'incoming')), false)
  })
  it('are not disturbed by a second process that looks while a body comes in', async (t) => {
    const dir = makeDir()
    t.after(() => rmSync(dir, { recursive: true }))
    async function* body() {
      yield Buffer.from('a')
      // Asked for more, so the first part is written.
      assert.deepEqual(await makeFilesystemObjects(dir).list(), [])
      assert.equal(readFileSync(join(dir, 'incoming', 'abcdef01'), 'utf8'), 'a')
      yield Buffer.from('b')
    }
    assert.equal((await makeFilesystemObjects(dir).put('abcdef01', body(), 10)).bytes, 2)
    assert.deepEqual(await makeFilesystemObjects(dir).list(), ['abcdef01'])
  })
  it('refuse ids that are not ids', (t) => {
    const dir = makeDir()
    t.after(() => rmSync(dir, { recursive: true }))
    assert.throws(() => makeFilesystemObjects(dir).path('../../etc/shadow'), EngineError)
  })
})
