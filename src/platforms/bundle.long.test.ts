import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run } from '../kernel/process.ts'
import { problemOf, type BundleEntry } from './bundle-entries.ts'
import { inspectBundle } from './bundle.ts'
import { zipOf, type FixtureEntry } from './zip-fixture.ts'

const dir = mkdtempSync(join(tmpdir(), 'bundle-test-'))
after(() => rmSync(dir, { recursive: true }))

let count = 0
const fileOf = (bytes: Buffer | string) => {
  const path = join(dir, `${++count}.zip`)
  writeFileSync(path, bytes)
  return path
}
const inspect = (entries: FixtureEntry[]) => inspectBundle(fileOf(zipOf(entries)))
const app: FixtureEntry = { name: 'application.py', content: 'application = None\n' }
const link = (name: string, target: string): FixtureEntry => ({ name, content: target, mode: 0o120777 })

describe('a good bundle', () => {
  it('is listed with its first level and the texts that decide how it is built', async () => {
    const listing = await inspect([
      { name: './', mode: 0o40755 }, // the eb client writes it
      app,
      { name: 'requirements.txt', content: 'Flask\n' },
      { name: 'static/', mode: 0o40755 },
      { name: 'static/ü.css', content: 'a{}', flags: 0x800 },
      link('static/latest.css', './ü.css'),
      link('deep', 'static'),
      { name: '__MACOSX/._application.py', content: 'x' },
      { name: '.DS_Store', content: 'x' },
    ])
    assert.ok(listing.kind === 'bundle')
    assert.deepEqual(listing.topLevel, ['application.py', 'deep', 'requirements.txt', 'static/'])
    assert.deepEqual(listing.texts, { 'requirements.txt': 'Flask\n' })
    assert.deepEqual(listing.unsupported, [])
    assert.equal(listing.entries, 6)
  })

  it('names what AWS would act on and we do not', async () => {
    const listing = await inspect([
      app,
      { name: '.ebextensions/01.config', content: 'commands: {}' },
      { name: '.ebextensions/readme.md', content: '' },
      { name: '.platform/hooks/prebuild/a.sh', content: '' },
      { name: 'Buildfile', content: 'a: b' },
      { name: 'Dockerfile', content: 'FROM x' },
    ])
    assert.ok(listing.kind === 'bundle')
    assert.deepEqual(listing.unsupported, [
      '.ebextensions/01.config',
      '.platform/hooks/prebuild/a.sh',
      'Buildfile',
    ])
  })

  it('may hold links that stay inside, however they are written', async () => {
    const listing = await inspect([
      app,
      link('a/b/up', '../../application.py'),
      link('a/root', '..'),
      link('c', 'a/b'),
    ])
    assert.equal(listing.kind, 'bundle')
  })
})

const EVIL: [string, FixtureEntry[], RegExp][] = [
  ['a path that climbs out', [app, { name: '../evil' }], /The entry '\.\.\/evil' leads out of the bundle\./],
  ['a path that climbs out later', [app, { name: 'a/../../evil' }], /leads out/],
  ['an absolute path', [app, { name: '/etc/passwd' }], /absolute path/],
  ['a drive letter', [app, { name: 'C:/x' }], /absolute path/],
  ['backslashes', [app, { name: 'a\\b.py' }], /backslashes/],
  ['a NUL in a name', [app, { name: 'a\0b' }], /characters that no file may have/],
  ['an empty name', [app, { name: 'a//b' }], /empty name/],
  ['a name that is too long', [app, { name: 'x'.repeat(256) }], /too long/],
  [
    'a link out',
    [app, link('passwd', '/etc/passwd')],
    /The link 'passwd' leads out of the bundle \(to '\/etc\/passwd'\)/,
  ],
  ['a link that climbs out', [app, link('a/b', '../../x')], /leads out/],
  ['a link that climbs behind another link', [app, link('d', 'a/b'), link('e', 'd/../../x')], /leads out/],
  [
    'a link that climbs out through another link',
    [app, link('a/b/up', '../..'), link('a/b/out', 'up/../x')],
    /The link 'a\/b\/out' leads out/,
  ],
  [
    'a file below a link',
    [app, link('d', '.'), { name: 'd/x', content: 'x' }],
    /lies under 'd', which is not a folder/,
  ],
  [
    'a file below a file, with another between them',
    [app, { name: 'd' }, { name: 'd-x' }, { name: 'd/y/z' }],
    /'d\/y\/z' lies under 'd'/,
  ],
  ['the same path twice', [app, app], /holds the entry 'application.py' twice/],
  ['a file that is a folder too', [app, { name: 'application.py/', mode: 0o40755 }], /twice/],
  [
    'names that differ in Unicode form only',
    [app, { name: 'u\u0308' }, { name: '\u00fc' }],
    /differ only in their Unicode form/,
  ],
  ['an encrypted entry', [app, { name: 'secret', content: 'x', flags: 1 }], /'secret' is encrypted/],
  ['an odd compression', [app, { name: 'x', method: 14 }], /method other than deflate/],
  ['a device', [app, { name: 'sda', mode: 0o60600 }], /neither a file, a folder nor a link/],
  [
    'a bomb',
    [app, { name: 'zeros', content: Buffer.alloc(101 << 20) }],
    /'zeros' would unpack to \d+ times its size/,
  ],
  [
    'one parent folder',
    [{ name: 'shop/', mode: 0o40755 }, { name: 'shop/app.py' }, { name: '__MACOSX/._shop' }],
    /holds one folder, 'shop\/'/,
  ],
  ['nothing', [], /The bundle is empty\./],
  ['a control character that would reach a terminal', [app, { name: 'a\u001b[2J' }], /'a\\u001b\[2J'/],
]

describe('a bad bundle', () => {
  for (const [what, entries, problem] of EVIL) {
    it(`with ${what} is refused by a sentence`, async () => {
      const listing = await inspect(entries)
      assert.ok(listing.kind === 'problem', JSON.stringify(listing))
      assert.match(listing.problem, problem)
    })
  }

  it('that is no zip file, is cut off, or is larger than 512 MB is refused', async () => {
    for (const bytes of ['hello', '', zipOf([app]).subarray(0, 60)]) {
      const listing = await inspectBundle(fileOf(bytes))
      assert.ok(listing.kind === 'problem')
      assert.match(listing.problem, /^The bundle is not a zip file that can be read/)
    }
    const large = fileOf('')
    truncateSync(large, 600 << 20)
    assert.deepEqual(await inspectBundle(large), {
      kind: 'problem',
      problem: 'The bundle is larger than 512 MB.',
    })
  })

  it('whose directory lies about a size is refused when the text is read', async () => {
    const listing = await inspect([
      app,
      { name: 'requirements.txt', content: 'Flask\n'.repeat(1000), claimedBytes: 3 },
    ])
    assert.equal(listing.kind, 'problem')
  })

  it('of sixty texts of one name is refused without reading any of them', async () => {
    const text: FixtureEntry = { name: 'requirements.txt', content: Buffer.alloc(8 << 20, 'flask\n') }
    const packed = zipOf([app, ...Array.from({ length: 60 }, () => text)])
    const content = packed.subarray(0, packed.indexOf('PK\x01\x02'))
    // Whoever opens one of them finds rubbish, and says so.
    content.fill(0xff, content.indexOf('requirements.txt'))
    const listing = await inspectBundle(fileOf(packed))
    assert.ok(listing.kind === 'problem')
    assert.equal(listing.problem, "The bundle holds the entry 'requirements.txt' twice.")
  })

  it('of texts that are large together is refused', async () => {
    const names = ['requirements.txt', 'Pipfile', 'package-lock.json']
    const listing = await inspect(names.map((name) => ({ name, content: Buffer.alloc(6 << 20, 'x') })))
    assert.ok(listing.kind === 'problem')
    assert.match(listing.problem, /are larger than 16 MB together/)
  })

  it('of names that are long together is refused', async () => {
    const folder = `${'x'.repeat(250)}/`.repeat(3)
    const entries = Array.from({ length: 23_000 }, (_, index) => ({ name: `${folder}${index}`, method: 0 }))
    const listing = await inspect(entries)
    assert.ok(listing.kind === 'problem')
    assert.match(listing.problem, /names in the bundle are longer than 16 MB/)
  })

  it('of too many links is refused', async () => {
    const listing = await inspect(Array.from({ length: 10_001 }, (_, index) => link(`l${index}`, 'x')))
    assert.ok(listing.kind === 'problem')
    assert.match(listing.problem, /holds 10001 links/)
  })

  it('is not read on when whoever asked has stopped waiting', async () => {
    const path = fileOf(zipOf([app, { name: 'requirements.txt', content: 'x\n' }]))
    await assert.rejects(inspectBundle(path, AbortSignal.abort(new Error('too late'))), /too late/)
  })

  it('of too many bytes or entries is refused before anything is unpacked', () => {
    const entry: BundleEntry = {
      path: 'a',
      kind: 'file',
      bytes: 1 << 30,
      compressedBytes: 1 << 30,
      encrypted: false,
      readable: true,
    }
    const many = ['a', 'b', 'c'].map((path) => ({ ...entry, path }))
    assert.match(problemOf(many) ?? '', /would unpack to 3,072 MB; at most 2,048 MB/)
    assert.equal(problemOf(many.slice(0, 2)), undefined)
  })
})

const UNPACK = fileURLToPath(new URL('assets/unpack.py', import.meta.url))

const unpack = async (entries: FixtureEntry[], ...args: string[]) => {
  const archive = fileOf(zipOf(entries))
  const out = `${archive}.out/in`
  mkdirSync(out, { recursive: true })
  const { exit, stdout } = await run(['/usr/bin/python3', '-I', UNPACK, archive, ...args], { cwd: out })
  return { exit, out, said: stdout.toString() }
}

describe('unpack.py', () => {
  it('unpacks files, folders, links and executable bits, readable for everybody', async () => {
    const { exit, out } = await unpack(
      [
        app,
        { name: 'bin/run.sh', content: '#!/bin/sh\n', mode: 0o100700 },
        link('here', 'bin'),
        { name: '__MACOSX/x' },
      ],
      '--node-modules',
    )
    assert.equal(exit, 0)
    assert.deepEqual(readdirSync(out).sort(), ['application.py', 'bin', 'here', 'node_modules'])
    assert.equal(statSync(join(out, 'bin/run.sh')).mode & 0o777, 0o755)
    assert.equal(statSync(join(out, 'application.py')).mode & 0o777, 0o644)
    assert.equal(readFileSync(join(out, 'here/run.sh'), 'utf8'), '#!/bin/sh\n')
  })

  for (const [what, entries] of EVIL.filter(([what]) =>
    /climbs|absolute|link|twice|device|encrypted/.test(what),
  )) {
    it(`refuses ${what} on its own`, async () => {
      const { exit, out, said } = await unpack(entries)
      assert.equal(exit, 1)
      assert.match(said, /^The /)
      assert.deepEqual(readdirSync(join(out, '..')), ['in'])
    })
  }
})
