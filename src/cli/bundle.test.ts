import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, afterEach, beforeEach, describe, it } from 'node:test'
import { packFolder } from './bundle.ts'
import { listFolder } from './folder.ts'

const base = mkdtempSync(join(tmpdir(), 'polebean-pack-'))
const dir = join(base, 'app')
// Of our own: others pack at the same time.
process.env.TMPDIR = join(base, 'tmp')
beforeEach(() => {
  chmodSync(base, 0o755)
  for (const folder of [dir, tmpdir()]) mkdirSync(folder)
})
afterEach(() => {
  for (const folder of [dir, tmpdir()]) rmSync(folder, { recursive: true, force: true })
})
after(() => rmSync(base, { recursive: true, force: true }))

const put = (files: Record<string, string>) => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(dir, dirname(path)), { recursive: true })
    writeFileSync(join(dir, path), content)
  }
}
const leftInTmp = () => readdirSync(tmpdir())

/** Root may read everything, so the look is that of nobody. */
function asNobody<T>(look: () => T): T {
  if (process.getuid!() !== 0) return look()
  process.seteuid!(65534)
  try {
    return look()
  } finally {
    process.seteuid!(0)
  }
}

describe('what is packed', () => {
  it('is what .ebignore leaves, whatever .gitignore says', () => {
    put({ '.ebignore': '*.log\n', '.gitignore': 'kept\n', kept: '', 'a.log': '', 'sub/b.log': '' })
    assert.deepEqual(listFolder(dir), ['.ebignore', '.gitignore', 'kept'])
  })
  it('is what the .gitignore of each folder leaves, the nearest deciding', () => {
    put({
      '.gitignore': '*.txt\n/build/\n',
      'a.txt': '',
      'build/x': '',
      'sub/.gitignore': '!keep.txt\n/local\nbuild/\n',
      'sub/keep.txt': '',
      'sub/other.txt': '',
      'sub/local': '',
      'sub/deep/local': '',
      'sub/build/y': '',
      'Build/z': '',
    })
    assert.deepEqual(listFolder(dir), [
      '.gitignore',
      'Build/z',
      'sub/.gitignore',
      'sub/deep/local',
      'sub/keep.txt',
    ])
  })
  it('is never version control, installed modules or a virtual environment, also under a whitelist', () => {
    put({
      '.gitignore': '*\n!*/\n!*.py\n!node_modules\n!.git\n!.git/**\n',
      'app.py': '',
      'notes.md': '',
      '.git/hooks/pre-commit.py': '',
      'node_modules/gyp/gyp.py': '',
      'web/node_modules/x/y.py': '',
      'env/pyvenv.cfg': '',
      'env/lib/site.py': '',
      '__pycache__/app.py': '',
    })
    assert.deepEqual(listFolder(dir), ['app.py'])
  })
  it('says what cannot be read, unless it is left out', () => {
    put({ 'app.py': '', 'secret/key': '', 'data.db': 'x' })
    chmodSync(join(dir, 'secret'), 0)
    const look = () => asNobody(() => listFolder(dir))
    assert.throws(look, { name: 'Failure', message: /^secret\/ cannot be read \(permission denied\)/ })
    put({ '.ebignore': 'secret\n' })
    assert.deepEqual(look(), ['.ebignore', 'app.py', 'data.db'])
    chmodSync(join(dir, 'data.db'), 0)
    assert.throws(look, { name: 'Failure', message: /^data\.db cannot be read .*\.ebignore/ })
  })
  it('says which name is not UTF-8, unless it is left out', () => {
    put({ 'app.py': '' })
    writeFileSync(Buffer.concat([Buffer.from(`${dir}/caf`), Buffer.from([0xe9])]), '')
    assert.throws(() => listFolder(dir), { name: 'Failure', message: /^the name of caf\uFFFD is not UTF-8/ })
    put({ '.ebignore': 'caf?\n' })
    assert.deepEqual(listFolder(dir), ['.ebignore', 'app.py'])
  })
})

describe('packFolder', () => {
  it('makes the same bytes of the same files, links as links', async () => {
    put({ 'app.py': 'x = 1\n', 'sub/ü.txt': 'y' })
    symlinkSync('app.py', join(dir, 'link'))
    const told: number[] = []
    const one = await packFolder(dir, (entries) => told.push(entries))
    const two = await packFolder(dir)
    assert.equal(one.sha256Hex, two.sha256Hex)
    assert.deepEqual([one.entries, told.at(-1)], [3, 3])
    assert.ok(readFileSync(one.file).includes('app.py'))
    one.remove()
    two.remove()
    assert.deepEqual(leftInTmp(), [])
  })
  it('opens files one after the other', async () => {
    put(Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`f${at}`, String(at)])))
    let most = 0
    const bundle = await packFolder(dir, (done) => {
      if (done % 100 === 1) most = Math.max(most, readdirSync('/proc/self/fd').length)
    })
    bundle.remove()
    assert.ok(most < 200, `${most} files were open`)
  })
  it('leaves nothing behind when it fails', async () => {
    put({ 'app.py': '', 'back\\slash': '' })
    await assert.rejects(packFolder(dir), { name: 'Failure', message: /back\\slash cannot be packed/ })
    rmSync(join(dir, 'back\\slash'))
    put({ 'zz-last': 'x' })
    // Gone after it was listed.
    const packing = packFolder(dir)
    rmSync(join(dir, 'zz-last'))
    await assert.rejects(packing, { name: 'Failure', message: /^zz-last cannot be packed/ })
    assert.deepEqual(leftInTmp(), [])
  })
})
