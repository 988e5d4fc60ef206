import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { packArchive } from './archive.ts'
import { librariesIn, licenses } from './stage.ts'
import { stripModule, stripModules } from './strip.ts'

const scratch = mkdtempSync(join(tmpdir(), 'polebean-pack-'))
after(() => rmSync(scratch, { recursive: true }))
const INSTALL = join(import.meta.dirname, 'install.sh')

describe('sources of a release', () => {
  it('lose their types, keep their lines, and import what lies beside them', () => {
    const source = `import { a, type A } from './a.ts'
import type { B } from '../b.ts'
export const run = async (one: A): Promise<B> =>
  (await import('./c.ts')).run(one as A, new URL('d.ts', import.meta.url), './not-ours.tsx')
`
    const { code, references } = stripModule('src/x/y.ts', source)
    assert.match(code, /^import \{ a, +\} from '.\/a\.js'\n[^\n]*\nexport const run = async \(one +\) +=>\n/)
    assert.match(code, /import\('\.\/c\.js'\)\)\.run\(one +, new URL\('d\.js', import\.meta\.url\)/)
    assert.deepEqual(references, ['src/x/a.ts', 'src/x/c.ts', 'src/x/d.ts'])
  })
  it('that name another in a way nobody follows are refused', () => {
    assert.throws(
      () => stripModule('a.ts', `const other = join(dir, 'b.ts')`),
      /a\.ts names a source .*'b\.ts'/,
    )
  })
  it('are all that the command line needs, and nothing of the tests', () => {
    const root = join(import.meta.dirname, '../..')
    const paths = [...stripModules(root, ['src/cli/main.ts']).keys()]
    for (const needed of ['src/main.ts', 'src/cli/doctor/probe.ts', 'src/cli/commands/upgrade.ts'])
      assert.ok(paths.includes(needed), needed)
    assert.deepEqual(
      paths.filter(
        (path) => !path.startsWith('src/') || /\.test\.ts$|\/fake|conformance|testing\//.test(path),
      ),
      [],
    )
  })
})

describe('an archive', () => {
  const NAMES = Array.from('kacbjdiehfg')
  const make = (parent: string, mode: number, seconds: number) => {
    const dir = join(scratch, parent, 'polebean-1.0.0')
    mkdirSync(join(dir, 'bin'), { recursive: true })
    // In another order, so that folders list them differently.
    const names = mode === 0o600 ? NAMES : NAMES.toReversed()
    for (const name of names) writeFileSync(join(dir, name), name, { mode })
    writeFileSync(join(dir, 'bin/run'), '#!/bin/sh\n')
    chmodSync(join(dir, 'bin/run'), mode | 0o100)
    symlinkSync('bin/run', join(dir, 'link'))
    utimesSync(join(dir, 'a'), seconds, seconds)
    return dir
  }
  it('depends on nothing but the files: not on times, masks, or order', async () => {
    const sums = []
    for (const [parent, mode, seconds] of [
      ['one', 0o600, 1],
      ['two', 0o664, 2],
    ] as const) {
      const dir = make(parent, mode, seconds)
      const file = join(scratch, parent, 'polebean-1.0.0.tar.gz')
      sums.push(await packArchive({ dir, file, epochSeconds: 1_700_000_000, level: 6 }))
      const said = spawnSync('sha256sum', ['--check', `${file}.sha256`], {
        cwd: join(scratch, parent),
        encoding: 'utf8',
      })
      assert.equal(said.stdout, 'polebean-1.0.0.tar.gz: OK\n')
    }
    assert.equal(sums[0], sums[1])
    const { stdout } = spawnSync('tar', ['-tvzf', join(scratch, 'two/polebean-1.0.0.tar.gz')], {
      encoding: 'utf8',
    })
    const order = [...stdout.matchAll(/1\.0\.0\/(\w)$/gm)].map(([, name]) => name)
    assert.deepEqual(order, NAMES.toSorted())
    assert.match(stdout, /^-rw-r--r-- 0\/0 +1 2023-11-14 .* polebean-1\.0\.0\/a$/m)
    assert.match(stdout, /^-rwxr-xr-x 0\/0 .* polebean-1\.0\.0\/bin\/run$/m)
  })
  it('of a folder that is not there is an error', async () => {
    const file = join(scratch, 'none.tar.gz')
    await assert.rejects(
      packArchive({ dir: join(scratch, 'none'), file, epochSeconds: 0, level: 0 }),
      /tar: exit 2/,
    )
  })
})

describe('install.sh', () => {
  const run = (...args: string[]) => {
    const env = { PATH: process.env.PATH, POLEBEAN_LEDGER: join(scratch, 'ledger.jsonl') }
    const { status, stderr } = spawnSync('sh', [INSTALL, ...args], { encoding: 'utf8', env, cwd: scratch })
    return `${status} ${stderr}`
  }
  it('is short enough to be read', () => {
    assert.ok(readFileSync(INSTALL, 'utf8').trim().split('\n').length < 60)
  })
  it('satisfies shellcheck, where there is one', (test) => {
    const said = spawnSync('shellcheck', [INSTALL], { encoding: 'utf8' })
    if (said.error) return test.skip('no shellcheck here')
    assert.equal(said.stdout, '')
  })
  it('refuses what is no release for this machine, and changes nothing', () => {
    const arch = process.arch === 'x64' ? 'arm64' : 'x64'
    const own = `polebean-1.0.0-linux-${process.arch}.tar.gz`
    const prefix = ['--prefix', join(scratch, 'opt'), '--bin', join(scratch, 'bin')]
    assert.match(run(), /^1 polebean: name the release/)
    assert.match(run('--prefix'), /^2 .*--prefix needs a folder/)
    assert.match(run('--wrong'), /^1 polebean: unknown option --wrong/)
    assert.match(run('--prefix', 'relative', own), /by their whole path/)
    assert.match(run('--prefix', '/tmp/a b', own), /letters, digits/)
    assert.match(run(...prefix, `polebean-1.0.0-linux-${arch}.tar.gz`), /is no release for this machine/)
    assert.match(run(...prefix, `polebean-..-linux-${process.arch}.tar.gz`), /names no version/)
    if (process.getuid!() !== 0) return
    assert.match(run(...prefix, own), /\.sha256 is missing/)
    writeFileSync(join(scratch, `${own}.sha256`), `${'0'.repeat(64)}  ${own}\n`)
    writeFileSync(join(scratch, own), 'cut')
    assert.match(run(...prefix, own), /is damaged: its sum is not that of/)
    assert.deepEqual(
      ['opt', 'bin', 'ledger.jsonl'].filter((name) => spawnSync('ls', [join(scratch, name)]).status === 0),
      [],
    )
  })
})

describe('the licences of a release', () => {
  const root = join(import.meta.dirname, '../..')
  it('are there for each library that goes with it', () => {
    const text = licenses(root, librariesIn(root))
    assert.match(text, /^yaml \S+: ISC \(node_modules\/yaml\/LICENSE\)$/m)
  })
  it('are asked of a library that has neither a file nor a word of one', () => {
    const dir = join(scratch, 'node_modules/bare')
    mkdirSync(dir, { recursive: true })
    const bare = { version: '1.0.0', license: 'MIT', integrity: '' }
    assert.throws(() => licenses(scratch, [['node_modules/bare', bare]]), /says no licence/)
    writeFileSync(join(dir, 'README.md'), '# bare\n\nlicensed to nobody\n')
    assert.throws(() => licenses(scratch, [['node_modules/bare', bare]]), /says no licence/)
    writeFileSync(join(dir, 'README.md'), '# bare\n\n## License\n\n(The MIT License)\n')
    assert.match(
      licenses(scratch, [['node_modules/bare', bare]]),
      /bare 1\.0\.0: MIT \(node_modules\/bare\/README\.md\)/,
    )
  })
})
