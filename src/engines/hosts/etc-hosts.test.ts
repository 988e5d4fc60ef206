import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { systemClock as clock } from '../../kernel/clock.ts'
import { idsIn, makeEtcHosts, withBlock } from './etc-hosts.ts'

const THEIRS = '127.0.0.1 localhost\n192.0.2.1 somebody\n'

describe('the block of a home in /etc/hosts', () => {
  it('comes after what is there, changes in its place, and goes without a trace', () => {
    const one = withBlock(THEIRS, 'abcdef', ['b.test', 'a.test'])
    assert.match(
      one,
      /^127\.0\.0\.1 localhost\n192\.0\.2\.1 somebody\n# begin polebean abcdef: .*\n127\.0\.0\.1 a\.test\n::1 a\.test\n127\.0\.0\.1 b\.test\n::1 b\.test\n# end polebean abcdef\n$/,
    )
    assert.equal(withBlock(one, 'abcdef', ['a.test', 'b.test']), one)
    assert.equal(withBlock(one, 'abcdef', []), THEIRS)
    assert.equal(withBlock('', 'abcdef', []), '')
  })

  it("leaves another home's, and what follows, alone", () => {
    const both = withBlock(withBlock(THEIRS, 'abcdef', ['a.test']), 'ghijkl', ['g.test']) + '192.0.2.2 late\n'
    assert.deepEqual(idsIn(both), ['abcdef', 'ghijkl'])
    const left = withBlock(both, 'abcdef', [])
    assert.deepEqual(idsIn(left), ['ghijkl'])
    assert.match(left, /^127\.0\.0\.1 g\.test$/m)
    assert.match(left, /^192\.0\.2\.2 late$/m)
  })

  it('takes nothing of others with it when its end was taken away', () => {
    const broken = withBlock(THEIRS, 'abcdef', ['a.test']).replace(
      '# end polebean abcdef\n',
      '192.0.2.9 other\n',
    )
    assert.equal(withBlock(broken, 'abcdef', []), `${THEIRS}192.0.2.9 other\n`)
  })

  it('is written through a link, and refuses what is no name', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'pbt-hosts-'))
    after(() => rmSync(dir, { recursive: true }))
    const [file, link] = [join(dir, 'file'), join(dir, 'hosts')]
    writeFileSync(file, THEIRS)
    symlinkSync(file, link)
    const hosts = makeEtcHosts({ clock, id: 'abcdef', path: link })
    await hosts.put(['a.test'])
    assert.match(readFileSync(file, 'utf8'), /^127\.0\.0\.1 a\.test$/m)
    for (const name of ['a b', 'a\nb', '', '*.test', 'a#'])
      await assert.rejects(hosts.put([name]), { name: 'EngineError' })
    const nowhere = makeEtcHosts({ clock, id: 'abcdef', path: join(file, 'hosts') })
    await assert.rejects(nowhere.put(['a.test']), { name: 'EngineError', message: /cannot be written/ })
  })
})
