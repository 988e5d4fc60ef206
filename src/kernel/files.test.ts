import assert from 'node:assert/strict'
import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { writeFileAtomic } from './files.ts'

const base = mkdtempSync(join(tmpdir(), 'files-'))
after(() => rmSync(base, { recursive: true }))

describe('writeFileAtomic', () => {
  it('writes through no link that lies where it writes first', () => {
    const [path, other] = [join(base, 'key'), join(base, 'other')]
    writeFileSync(other, 'not ours')
    symlinkSync(other, `${path}.new`)
    writeFileAtomic(path, 'secret', 0o600)
    assert.equal(readFileSync(other, 'utf8'), 'not ours')
    assert.equal(readFileSync(path, 'utf8'), 'secret')
    assert.equal(lstatSync(path).isFile(), true)
    assert.equal(lstatSync(path).mode & 0o777, 0o600)
  })
})
