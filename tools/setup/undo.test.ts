// What uninstall may remove. Only the question is asked here, nothing is removed.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFullPath, mayRemoveFolder } from './undo.mjs'

const OURS = ['/opt/polebean']

describe('a folder that uninstall may remove', () => {
  it('is one of Polebean’s places, or in one', () => {
    for (const path of ['/opt/polebean', '/opt/polebean/1.0.0', '/opt/polebean/1.0.0/node'])
      assert.equal(mayRemoveFolder(path, OURS), true, path)
  })

  it('is nothing else, however it is written', () => {
    const others = [
      '/',
      '//',
      '/.',
      '/..',
      '',
      '.',
      '..',
      '/opt',
      '/opt/',
      '/usr',
      '/etc',
      '/etc/../usr',
      '/home/ada',
    ]
    const near = [
      '/opt/polebean2',
      '/opt/polebean/',
      '/opt/polebean/..',
      '/opt/polebean/../..',
      '/opt//polebean',
      'opt/polebean',
    ]
    for (const path of [...others, ...near, undefined, null, 7, ['/opt/polebean']])
      assert.equal(mayRemoveFolder(path, OURS), false, String(path))
    assert.equal(mayRemoveFolder('/', ['/']), false)
    assert.equal(mayRemoveFolder('/usr', ['/usr']), false)
  })

  it('is named in full, as every path of a ledger', () => {
    for (const path of [
      '/usr/local/bin/polebean',
      '/etc/systemd/system/polebean.service',
      '/usr/sbin/policy-rc.d',
    ])
      assert.equal(isFullPath(path), true, path)
    for (const path of ['/', '/usr', '/usr/', '/a/../b', 'a/b', '', undefined])
      assert.equal(isFullPath(path), false, String(path))
  })
})
