import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { note, standing } from './ledger.mjs'

const text = (...entries: object[]) => entries.map((one) => `${JSON.stringify(one)}\n`).join('')

describe('what stands of a ledger', () => {
  it('is what no later line took back, the latest first, each once', () => {
    const mask = (unit: string) => ({ deed: 'mask unit', unit })
    assert.deepEqual(
      standing(
        text(
          mask('a'),
          mask('b'),
          { deed: 'install packages', packages: ['x', 'y'] },
          { deed: 'unmask unit', unit: 'a' },
          { deed: 'remove packages', packages: ['x'] },
          mask('b'),
          { deed: 'make link', path: '/l', to: '/one' },
        ),
      ),
      [
        { deed: 'make link', path: '/l', to: '/one' },
        { deed: 'install packages', packages: ['y'] },
        mask('b'),
      ],
    )
  })

  it('counts again what was done again', () => {
    const [install, remove] = ['install packages', 'remove packages'].map((deed) => ({
      deed,
      packages: ['x'],
    }))
    assert.deepEqual(standing(text(install!, remove!)), [])
    assert.deepEqual(standing(text(install!, remove!, install!)), [install])
  })

  it('keeps what it cannot read, and writes the next line on one of its own', () => {
    const dir = mkdtempSync(join(tmpdir(), 'ledger-'))
    after(() => rmSync(dir, { recursive: true }))
    const file = join(dir, 'new/ledger.jsonl')
    note(file, { deed: 'mask unit', unit: 'a' })
    writeFileSync(file, '{"deed":"mask u', { flag: 'a' })
    note(file, { deed: 'unmask unit', unit: 'a' })
    assert.deepEqual(standing(readFileSync(file, 'utf8')), [{ deed: 'unknown', line: '{"deed":"mask u' }])
    assert.deepEqual(
      standing(text({ deed: 'write file' }, { deed: 'install packages', packages: [7] })).map(
        ({ deed }) => deed,
      ),
      ['unknown', 'unknown'],
    )
  })
})
