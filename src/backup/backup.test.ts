import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { EngineError } from '../kernel/errors.ts'
import { run } from '../kernel/process.ts'
import { writeBackup } from './destination.ts'
import { FORMAT, isPath, SUMS } from './format.ts'
import { backupOfLive, backupOfStopped, makeAskedBackups } from './make.ts'
import { stage } from './stage.ts'
import { pack } from './pack.ts'
import { parseTarHeader, tarHeader } from './tar.ts'
import {
  AT,
  bytesOf,
  contentsOf,
  HOME_ID,
  idOf,
  inPieces,
  insertObject,
  makeHomeFolder,
  manifestOf,
  refusal,
  tarOf,
  zipped,
} from './test-backup.ts'
import { unpack } from './unpack.ts'

const scratch = mkdtempSync(join(tmpdir(), 'pbt-'))
after(() => rmSync(scratch, { recursive: true }))
const folder = () => mkdtempSync(join(scratch, 'f-'))
const until = async (done: () => boolean) => {
  while (!done()) await new Promise(setImmediate)
}
const subject = (dir: string) => ({ id: HOME_ID, dir })

describe('a backup', () => {
  const home = makeHomeFolder()
  after(home.remove)

  it('has all that must survive, none of the caches, and comes out as it went in', async () => {
    const backup = await bytesOf(backupOfLive(subject(home.dir), home.store, AT, 'x'))
    const dir = folder()
    const manifest = await unpack(inPieces(backup), dir, 'FILE', async () => '')
    assert.deepEqual(contentsOf(dir), {
      'home.json': `644 {"format":1,"id":"${HOME_ID}"}`,
      'credentials.json': '600 {"accessKeyId":"PBLN"}',
      'config.yaml': '644 backup.keep: 3\n',
      'polebean.db': '600 database',
      [`objects/01/${idOf(1)}`]: '600 one',
      [`objects/02/${idOf(2)}`]: '600 two',
    })
    assert.deepEqual([manifest.home.id, manifest.createdAt], [HOME_ID, '2026-11-26T15:15:00.000Z'])
    const db = new DatabaseSync(join(dir, 'polebean.db'))
    assert.equal(db.prepare('select count(*) as n from s3_object').get()?.['n'], 2)
    db.close()
    assert.deepEqual(readdirSync(join(home.dir, 'backup')), [], 'what it was made of is gone')
  })

  it('can be read with tar and sha256sum alone', async () => {
    const dir = folder()
    const tar = zstdDecompressSync(await bytesOf(backupOfLive(subject(home.dir), home.store, AT, 'x')))
    writeFileSync(join(dir, 'b.tar'), tar)
    const untarred = await run(['tar', '-xf', 'b.tar'], { cwd: dir })
    assert.equal(untarred.exit, 0, untarred.stderr.toString())
    const checked = await run(['sha256sum', '-c', '--strict', SUMS], { cwd: dir })
    assert.equal(checked.exit, 0, checked.stdout.toString())
    assert.equal(checked.stdout.toString().split('\n').length, 8)
  })

  it('keeps what is deleted while it is made', async () => {
    const one = makeHomeFolder()
    const staged = stage(one.dir, 'x', one.store.snapshot)
    one.store.run('delete from s3_object')
    rmSync(join(one.dir, 'objects'), { recursive: true })
    const dir = folder()
    await unpack(pack(staged, { version: '0', homeId: HOME_ID, at: AT }), dir, 'FILE', async () => '')
    assert.equal(readFileSync(join(dir, `objects/01/${idOf(1)}`), 'utf8'), 'one')
    one.remove()
  })

  it('is made for two at once at most', async () => {
    const ask = makeAskedBackups(subject(home.dir), home.store, () => AT)
    const [one, two] = [ask(), ask()]
    assert.throws(ask, /^EngineError: 2 backups are being made already/)
    one.destroy()
    await bytesOf(two)
    await until(() => readdirSync(join(home.dir, 'backup')).length === 0)
    assert.equal(await refusal(await bytesOf(ask())), 'accepted')
  })

  it('looks again when a body went between the database and the links, and says what is really missing', () => {
    const one = makeHomeFolder()
    let looks = 0
    const swept = (path: string) => {
      looks++
      one.store.snapshot(path)
      if (looks > 1) return
      one.store.run('delete from s3_object where body_id = :id', { id: idOf(1) })
      rmSync(join(one.dir, `objects/01/${idOf(1)}`))
    }
    assert.deepEqual(stage(one.dir, 'x', swept).missing, [])
    assert.equal(looks, 2)
    insertObject(one.store, idOf(9))
    assert.deepEqual(stage(one.dir, 'x', one.store.snapshot).missing, [`objects/09/${idOf(9)}`])
    one.remove()
  })

  it('of a home that no server holds is made without one, and refused beside one', async () => {
    const one = makeHomeFolder()
    const made = Promise.resolve().then(() => backupOfStopped(subject(one.dir), AT))
    await assert.rejects(made, /^EngineError: a server holds .* and does not answer/)
    one.store.close()
    assert.equal(await refusal(await bytesOf(backupOfStopped(subject(one.dir), AT))), 'accepted')
    rmSync(one.base, { recursive: true })
  })
})

describe('a backup that is not whole', () => {
  const home = makeHomeFolder()
  after(home.remove)
  const whole = bytesOf(backupOfLive(subject(home.dir), home.store, AT, 'y'))

  it('is refused wherever it is cut off', async () => {
    const backup = await whole
    assert.equal(await refusal(backup), 'accepted')
    assert.equal(await refusal(backup.subarray(0, 0)), 'FILE is empty')
    const cuts = [4, 5, 20, backup.length - 1, ...Array.from({ length: 20 }, (_, at) => 30 + at * 1_013)]
    for (const at of cuts.filter((one) => one < backup.length))
      assert.equal(await refusal(backup.subarray(0, at)), 'FILE is cut off: its end is missing', `at ${at}`)
    for (const at of [1, 2, 3]) assert.match(await refusal(backup.subarray(0, at)), /is not a backup/)
  })

  it('is refused at every block of the tar, also when it was packed again', async () => {
    const tar = zstdDecompressSync(await whole)
    for (let at = 512; at < tar.length - 1_024; at += 512 * 41)
      assert.equal(
        await refusal(zipped(tar.subarray(0, at))),
        'FILE is cut off: its end is missing',
        `at ${at}`,
      )
  })

  it('is refused with any bit flipped', async () => {
    const backup = await whole
    const tar = zstdDecompressSync(backup)
    for (let at = 0; at < backup.length; at += 211) {
      const flipped = Buffer.from(backup)
      flipped[at]! ^= 1 << (at % 8)
      const said = await refusal(flipped)
      // Some bits of a zstd frame say nothing (RFC 8878 §3.1.1: reserved and padding): what comes out must be the same then.
      if (said === 'accepted') assert.ok(zstdDecompressSync(flipped).equals(tar), `byte ${at}`)
      else assert.match(said, /^FILE (is damaged|is cut off|is not a backup)/, `byte ${at}`)
    }
  })

  it('is refused with any byte of the tar changed, though it was packed again', async () => {
    const tar = zstdDecompressSync(await whole)
    for (let at = 0; at < tar.length; at += 9_973) {
      const changed = Buffer.from(tar)
      changed[at]! ^= 0x41
      assert.notEqual(await refusal(zipped(changed)), 'accepted', `byte ${at}`)
    }
  })
})

describe('what is no backup', () => {
  const empty = (path: string) => ({ name: path, content: '' })
  const files = (path: string, bytes = 0) => [
    ...['home.json', 'credentials.json', 'polebean.db'].map((one) => ({ path: one, bytes: 0, mode: 0o600 })),
    { path, bytes, mode: 0o600 },
  ]
  const cases: [name: string, backup: Buffer, sentence: RegExp][] = [
    ['random bytes', Buffer.from('x'.repeat(5_000)), /^FILE is not a backup of Polebean$/],
    ['a zip', Buffer.from('PK\u0003\u0004 and so on'), /^FILE is not a backup of Polebean$/],
    ['a plain tar', tarOf([empty('a')]), /^FILE is not a backup of Polebean$/],
    ['a foreign tar', zipped(tarOf([empty('a')])), /^FILE is not a backup of Polebean$/],
    ['no tar', zipped(Buffer.alloc(2_000, 'no tar')), /^FILE is not a backup of Polebean$/],
    ['an empty tar', zipped(tarOf([])), /^FILE is not a backup of Polebean$/],
    ['another manifest', zipped(tarOf([{ ...manifestOf(), content: '{"kind":"x"}' }])), /is not a backup/],
    ['no JSON', zipped(tarOf([{ ...manifestOf(), content: '{' }])), /^FILE is damaged: its manifest cannot/],
    [
      'a newer one',
      zipped(tarOf([manifestOf({ format: FORMAT + 1, version: '9.9' })])),
      /^FILE was made by a newer Polebean \(9\.9, format 2; this one knows 1\)$/,
    ],
    ['a manifest of 10 TB', zipped(tarOf([{ ...manifestOf(), bytes: 1e13 }])), /is not a backup/],
    [
      'a file of 8 PB',
      zipped(tarOf([manifestOf({ files: files('a', 8e15) })])),
      /^the backup needs 8000000000 MB/,
    ],
    ['a negative size', zipped(tarOf([manifestOf({ files: files('a', -1) })])), /gives a -1 bytes$/],
    ['a name twice', zipped(tarOf([manifestOf({ files: files('home.json') })])), /names home\.json twice$/],
    ['no database', zipped(tarOf([manifestOf({ files: [] })])), /has no home\.json$/],
    ...[
      '../x',
      '/etc/passwd',
      'a/../../x',
      'objects/../x',
      '.',
      '..',
      'objects/aa',
      'x/y',
      'a\0b',
      '',
      SUMS,
    ].map((path): [string, Buffer, RegExp] => [
      `the path ${JSON.stringify(path)}`,
      zipped(tarOf([manifestOf({ files: files(path) })])),
      /^FILE is damaged: its manifest names /,
    ]),
    [
      'a file of another name than the manifest says',
      zipped(tarOf([manifestOf(), empty('../../etc/cron.d/x')])),
      /^FILE is damaged: where home\.json should be is \.\.\/\.\.\/etc\/cron\.d\/x$/,
    ],
    ...['1', '2', '3', '5', '6', 'L', 'x'].map((type): [string, Buffer, RegExp] => [
      `an entry of type ${type} (link, device, folder, long name …)`,
      zipped(tarOf([manifestOf(), { name: 'home.json', type }])),
      /^FILE is not a backup of Polebean$/,
    ]),
    [
      'no digests',
      zipped(tarOf([manifestOf(), ...['home.json', 'credentials.json', 'polebean.db'].map(empty)])),
      /^FILE is damaged: it has no SHA256SUMS$/,
    ],
    [
      'wrong digests',
      zipped(
        tarOf([
          manifestOf(),
          ...['home.json', 'credentials.json', 'polebean.db'].map(empty),
          { name: SUMS, content: 'x' },
        ]),
      ),
      /^FILE is damaged: polebean-backup\.json is not what was packed$/,
    ],
  ]
  for (const [name, backup, sentence] of cases)
    it(`is refused: ${name}`, async () => assert.match(await refusal(backup), sentence))

  it('paths are those of files at the top, and of bodies', () => {
    for (const path of ['home.json', 'config.yaml', `objects/0a/${'0a'.repeat(16)}`])
      assert.ok(isPath(path), path)
    for (const path of ['home.json.new', '.hidden', 'objects/0a/xyz', 'log/x', 'a b'])
      assert.ok(!isPath(path), path)
  })

  it('sizes above 8 GiB have a header, too', () => {
    for (const bytes of [0, 8 ** 11 - 1, 8 ** 11, 2 ** 45]) {
      const header = parseTarHeader(tarHeader({ name: 'a', bytes, mode: 0o644, modifiedAt: AT }))
      assert.deepEqual(header, { name: 'a', bytes, mode: 0o644, modifiedAt: AT })
    }
  })
})

describe('the file', () => {
  const content = () => inPieces(Buffer.alloc(5_000, 'b'))

  it('is for its owner only, whole or not at all, and overwrites nothing', async () => {
    const dir = folder()
    const file = join(dir, 'b')
    assert.equal(await writeBackup(content(), file), 5_000)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    await assert.rejects(writeBackup(inPieces(Buffer.from('other')), file), /is there already; --force/)
    assert.equal(readFileSync(file).length, 5_000)
    assert.equal(await writeBackup(inPieces(Buffer.from('other')), file, { force: true }), 5)
    assert.deepEqual(readdirSync(dir), ['b'])
  })

  it('that another program makes meanwhile is kept', async () => {
    const file = join(folder(), 'b')
    async function* slow() {
      yield* content()
      writeFileSync(file, 'theirs')
    }
    await assert.rejects(writeBackup(slow(), file), /is there already/)
    assert.equal(readFileSync(file, 'utf8'), 'theirs')
  })

  it('is not there when anything fails', async () => {
    const dir = folder()
    async function* failing() {
      yield* content()
      throw new EngineError('the server has gone')
    }
    await assert.rejects(writeBackup(failing(), join(dir, 'b')), /the server has gone/)
    const stopped = new AbortController()
    async function* interrupted() {
      yield* content()
      stopped.abort(new Error('interrupted'))
      yield* content()
    }
    await assert.rejects(
      writeBackup(interrupted(), join(dir, 'b'), { signal: stopped.signal }),
      /interrupted/,
    )
    await assert.rejects(writeBackup(content(), join(dir, 'no/b')), /^EngineError: there is no folder/)
    assert.deepEqual(readdirSync(dir), [])
  })
})
