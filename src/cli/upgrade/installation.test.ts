import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { removeOtherReleases } from './installation.ts'

describe('releases that nothing goes back to', () => {
  const folder = mkdtempSync(join(tmpdir(), 'polebean-releases-'))
  const prefix = join(folder, 'opt')
  const elsewhere = join(folder, 'elsewhere')
  const ledger = join(folder, 'ledger.jsonl')
  const earlier = process.env['POLEBEAN_LEDGER']
  before(() => {
    process.env['POLEBEAN_LEDGER'] = ledger
    mkdirSync(prefix)
  })
  after(() => {
    if (earlier === undefined) delete process.env['POLEBEAN_LEDGER']
    else process.env['POLEBEAN_LEDGER'] = earlier
    rmSync(folder, { recursive: true })
  })
  const release = (dir: string, version: string) => {
    mkdirSync(join(dir, 'src'), { recursive: true })
    writeFileSync(
      join(dir, 'release.json'),
      JSON.stringify({ version, commit: 'c'.repeat(40), arch: 'x64', node: '26.0.0' }),
    )
  }

  it('go, noted in the ledger; all else stays, and so does what a link leads to', () => {
    for (const version of ['1.2.0', '1.10.0', '2.0.0', '2.1.0']) release(join(prefix, version), version)
    release(elsewhere, '1.0.0')
    symlinkSync(elsewhere, join(prefix, '1.0.0'))
    symlinkSync(elsewhere, join(prefix, '1.2.0/linked'))
    symlinkSync('2.1.0', join(prefix, 'current'))
    release(join(prefix, '0.1.0'), '0.2.0') // says that it is another
    release(join(prefix, 'copy-of-1.2.0'), '1.2.0')
    mkdirSync(join(prefix, '0.3.0')) // nobody knows whose
    mkdirSync(join(prefix, '0.4.0'))
    writeFileSync(join(prefix, '0.4.0/release.json'), 'damaged')
    writeFileSync(join(prefix, '0.5.0'), 'a file')
    assert.deepEqual(removeOtherReleases(prefix, ['2.1.0', '2.0.0']), ['1.2.0', '1.10.0'])
    assert.deepEqual(
      readdirSync(prefix).sort(),
      ['0.1.0', '0.3.0', '0.4.0', '0.5.0', '1.0.0', '2.0.0', '2.1.0', 'copy-of-1.2.0', 'current'].sort(),
    )
    assert.ok(existsSync(join(elsewhere, 'release.json')))
    const noted = readFileSync(ledger, 'utf8').trim().split('\n')
    assert.deepEqual(
      noted.map((line) => {
        const { deed, path } = JSON.parse(line) as { deed: string; path: string }
        return `${deed} ${path}`
      }),
      ['1.2.0', '1.10.0'].map((version) => `remove folder ${join(prefix, version)}`),
    )
  })

  it('are none when there are only the two', () => {
    assert.deepEqual(removeOtherReleases(prefix, ['2.1.0', '2.0.0']), [])
  })
})
