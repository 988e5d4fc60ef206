import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { copiedVersion, copyDatabase, removeOlderCopies, restoreDatabase } from './database-copy.ts'

describe('the copy of a database', () => {
  let home = ''
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'polebean-copy-'))
    writeFileSync(join(home, 'home.json'), '{"format":1}')
    writeFileSync(join(home, 'config.yaml'), 'api.port: 4777\n', { mode: 0o600 })
    change("create table t (name text) strict; insert into t values ('before')")
  })
  afterEach(() => rmSync(home, { recursive: true }))

  const open = () => new DatabaseSync(join(home, 'polebean.db'))
  function change(sql: string) {
    const db = open()
    db.exec(`pragma journal_mode = wal; ${sql}`)
    db.close()
  }
  function names() {
    const db = open()
    const found = db
      .prepare('select name from t')
      .all()
      .map((row) => row['name'])
    db.close()
    return found
  }

  it('takes the place of what came later, once, with the settings', async () => {
    await copyDatabase(home, '1.0.0', '1.1.0')
    assert.equal(copiedVersion(home, '1.1.0'), '1.0.0')
    assert.equal(copiedVersion(home, '1.2.0'), undefined)
    change("insert into t values ('after')")
    writeFileSync(join(home, 'home.json'), '{"format":2}')
    writeFileSync(join(home, 'config.yaml'), 'newer.setting: 1\n')
    // A journal of the database that goes must not be played into the one that comes back.
    const crashed = open()
    crashed.exec("insert into t values ('journal')")
    const journal = readFileSync(join(home, 'polebean.db-wal'))
    crashed.close()
    writeFileSync(join(home, 'polebean.db-wal'), journal)
    restoreDatabase(home, '1.1.0')
    assert.deepEqual(names(), ['before'])
    assert.equal(readFileSync(join(home, 'home.json'), 'utf8'), '{"format":1}')
    assert.equal(readFileSync(join(home, 'config.yaml'), 'utf8'), 'api.port: 4777\n')
    assert.equal(statSync(join(home, 'config.yaml')).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(home).sort(), ['config.yaml', 'home.json', 'polebean.db'])
  })

  it('of a home without config.yaml takes a later one back', async () => {
    rmSync(join(home, 'config.yaml'))
    await copyDatabase(home, '1.0.0', '1.1.0')
    writeFileSync(join(home, 'config.yaml'), 'newer.setting: 1\n')
    restoreDatabase(home, '1.1.0')
    assert.equal(readFileSync(join(home, 'config.yaml'), 'utf8'), '')
  })

  it('has the rows that only the journal holds after a crash', async () => {
    const crashed = open()
    crashed.exec("insert into t values ('journal')")
    const [db, wal] = ['', '-wal'].map((end) => readFileSync(join(home, `polebean.db${end}`)))
    crashed.close()
    writeFileSync(join(home, 'polebean.db'), db!)
    writeFileSync(join(home, 'polebean.db-wal'), wal!)
    await copyDatabase(home, '1.0.0', '1.1.0')
    restoreDatabase(home, '1.1.0')
    assert.deepEqual(names(), ['before', 'journal'])
  })

  it('can be read by its owner only', async () => {
    await copyDatabase(home, '1.0.0', '1.1.0')
    assert.equal(statSync(join(home, 'before-1.1.0')).mode & 0o777, 0o700)
    assert.equal(statSync(join(home, 'before-1.1.0/polebean.db')).mode & 0o777, 0o600)
  })

  it('that cannot be made leaves nothing, nor takes an earlier one away', async () => {
    await copyDatabase(home, '1.0.0', '1.1.0')
    writeFileSync(
      join(home, 'polebean.db'),
      'no database, but long enough to be read as the head of one'.repeat(50),
    )
    await assert.rejects(copyDatabase(home, '1.1.0', '1.2.0'), /not a database/)
    assert.deepEqual(
      readdirSync(home).filter((name) => name.startsWith('before')),
      ['before-1.1.0'],
    )
  })

  it('of a restoration that was cut short is used up by the next', async () => {
    await copyDatabase(home, '1.0.0', '1.1.0')
    change("insert into t values ('after')")
    const folder = join(home, 'before-1.1.0')
    for (const name of ['polebean.db', 'config.yaml']) renameSync(join(folder, name), join(home, name))
    restoreDatabase(home, '1.1.0')
    assert.deepEqual(names(), ['before'])
    assert.equal(readFileSync(join(home, 'config.yaml'), 'utf8'), 'api.port: 4777\n')
    assert.ok(!existsSync(folder))
  })

  it('of an earlier upgrade goes, what only looks like one stays', async () => {
    for (const version of ['1.1.0', '1.2.0']) await copyDatabase(home, '1.0.0', version)
    mkdirSync(join(home, 'before-lunch'))
    mkdirSync(join(home, 'before-1.0.0'))
    removeOlderCopies(home, '1.2.0')
    assert.deepEqual(
      readdirSync(home).filter((name) => name.startsWith('before')),
      ['before-1.0.0', 'before-1.2.0', 'before-lunch'],
    )
  })
})
