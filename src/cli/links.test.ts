import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { forgetLinks, linkAround, linkFolder, linkOf } from './links.ts'

let dir: string
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'polebean-links-')))
  process.env.XDG_STATE_HOME = join(dir, 'state')
  mkdirSync(join(dir, 'app/sub'), { recursive: true })
  symlinkSync('app', join(dir, 'alias'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

describe('links', () => {
  it('hold for the folder by any path, and around what lies in it', () => {
    const link = { folder: join(dir, 'app'), name: 'shop', id: 'e-1' }
    linkFolder('home', join(dir, 'alias'), link)
    assert.deepEqual(linkOf('home', join(dir, 'app')), link)
    assert.equal(linkOf('home', join(dir, 'app/sub')), undefined)
    assert.deepEqual(linkAround('home', join(dir, 'alias/sub')), link)
    assert.equal(linkAround('other', join(dir, 'app')), undefined)
    assert.equal(linkAround('home', dir), undefined)
  })
  it('go with the home, and only with it', () => {
    for (const home of ['one', 'two']) linkFolder(home, dir, { name: home, id: home })
    forgetLinks('one')
    assert.deepEqual([linkOf('one', dir), linkOf('two', dir)?.name], [undefined, 'two'])
  })
  it('that cannot be read are named', () => {
    linkFolder('home', dir, { name: 'shop', id: 'e-1' })
    const folder = join(dir, 'state/polebean/links-home')
    writeFileSync(join(folder, readdirSync(folder)[0]!), '{')
    assert.throws(() => linkOf('home', dir), {
      name: 'Failure',
      message: /links-home\/\w+\.json cannot be read/,
    })
  })
})
