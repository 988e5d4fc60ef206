// On a file system of a few megabytes: what does not fit is refused or undone, and the way back needs no room.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { claim } from '../../engines/test-claims.ts'
import { checkRoom, copyDatabase, restoreDatabase } from './database-copy.ts'
import { findInstallation } from './installation.ts'
import { unpackRelease } from './unpack.ts'

const MEGABYTE = 1 << 20

describe('on a full disk', { concurrency: 1 }, () => {
  const scratch = mkdtempSync(join(tmpdir(), 'polebean-full-'))
  const unclaim = claim(scratch)
  const disk = join(scratch, 'disk')
  const home = join(disk, 'home')
  const prefix = join(disk, 'opt')
  const ledger = join(scratch, 'ledger.jsonl')
  const filler = join(disk, 'filler')

  before(() => {
    process.env['POLEBEAN_LEDGER'] = ledger
    mkdirSync(disk)
    const image = join(scratch, 'image')
    must(['truncate', '--size=32M', image])
    must(['mkfs.ext4', '-q', '-m', '0', image])
    must(['mount', '-o', 'loop', image, disk])
    for (const folder of [home, join(prefix, '1.0.0')]) mkdirSync(folder, { recursive: true })
    const release = { version: '1.0.0', commit: 'a'.repeat(40), arch: process.arch, node: '26.0.0' }
    writeFileSync(join(prefix, '1.0.0/release.json'), JSON.stringify(release))
    symlinkSync('1.0.0', join(prefix, 'current'))
    writeFileSync(join(home, 'home.json'), '{}')
    const db = new DatabaseSync(join(home, 'polebean.db'))
    db.exec('create table t (body blob) strict; insert into t values (zeroblob(4000000))')
    db.close()
  })
  after(() => {
    must(['umount', disk])
    rmSync(scratch, { recursive: true })
    unclaim()
  })

  const fill = (leaveBytes: number) => {
    rmSync(filler, { force: true })
    const { bavail, bsize } = statfsSync(disk)
    try {
      writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes)))
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC') // the file system's own records took the last of it
    }
  }

  it('a release that does not fit is not unpacked', async () => {
    const file = join(scratch, 'large.tar.gz')
    const next = join(scratch, 'next')
    mkdirSync(next)
    writeFileSync(join(next, 'body'), Buffer.alloc(40 * MEGABYTE))
    must(['tar', '-czf', file, '-C', scratch, 'next'])
    writeFileSync(`${file}.sha256`, must(['sha256sum', file]))
    const installation = findInstallation(join(prefix, '1.0.0'))
    await assert.rejects(
      unpackRelease(installation, file),
      /opt: the release needs 4\d MB, and 2\d MB are free; nothing was changed/,
    )
    assert.deepEqual(readdirSync(prefix).sort(), ['1.0.0', 'current'])
    assert.ok(!existsSync(ledger))
  })

  it('a copy that does not fit is refused before anything is stopped, and leaves nothing', async () => {
    checkRoom(home)
    fill(2 * MEGABYTE)
    assert.throws(
      () => checkRoom(home),
      /the copy of its database needs 1\d MB, and [23] MB are free; nothing was changed/,
    )
    await assert.rejects(copyDatabase(home, '1.0.0', '1.1.0'), /full/)
    assert.deepEqual(readdirSync(home).sort(), ['home.json', 'polebean.db'])
    assert.equal(statfsSync(disk).bavail * statfsSync(disk).bsize > MEGABYTE, true)
  })

  it('a copy is put back', async () => {
    rmSync(filler)
    await copyDatabase(home, '1.0.0', '1.1.0')
    writeFileSync(join(home, 'polebean.db'), 'what the newer version made of it')
    fill(0)
    restoreDatabase(home, '1.1.0')
    const db = new DatabaseSync(join(home, 'polebean.db'), { readOnly: true })
    assert.equal(db.prepare('select length(body) as bytes from t').get()?.['bytes'], 4_000_000)
    db.close()
  })
})

function must([file = '', ...args]: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8' })
  assert.equal(status, 0, `${file} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}
