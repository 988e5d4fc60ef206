import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { findNpm } from './find-npm.ts'

const dir = mkdtempSync(join(tmpdir(), 'find-npm-test-'))
after(() => rmSync(dir, { recursive: true }))

/** A prefix as nvm, fnm or an archive in /opt lays it out; answers its folder of npm. */
function prefix(name: string, version: string): string {
  const npm = join(dir, name, 'lib/node_modules/npm')
  mkdirSync(join(npm, 'bin'), { recursive: true })
  mkdirSync(join(dir, name, 'bin'))
  writeFileSync(join(npm, 'package.json'), JSON.stringify({ name: 'npm', version }))
  writeFileSync(join(npm, 'bin/npm-cli.js'), '')
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(dir, name, 'bin/npm'))
  return npm
}

describe('npm', () => {
  const nvm = prefix('nvm', '11.0.0')
  const opt = prefix('opt', '10.0.0')
  const path = `/nowhere:${join(dir, 'opt/bin')}`

  it('is the one that was handed over, before the one of the PATH', () => {
    assert.deepEqual(findNpm({ POLEBEAN_NPM: nvm, PATH: path }, []), { dir: nvm, version: '11.0.0' })
  })
  it('is the one of the PATH, through its links', () => {
    assert.deepEqual(findNpm({ PATH: path }, []), { dir: opt, version: '10.0.0' })
    assert.deepEqual(findNpm({ POLEBEAN_NPM: join(dir, 'gone'), PATH: path }, [])?.dir, opt)
  })
  it('is looked for where distributions put it', () => {
    assert.equal(findNpm({ PATH: '/nowhere' }, ['/nowhere', nvm])?.dir, nvm)
  })
  it('is not a program called npm that has no package around it', () => {
    mkdirSync(join(dir, 'odd/bin'), { recursive: true })
    writeFileSync(join(dir, 'odd/bin/npm'), '#!/bin/sh\n')
    assert.equal(findNpm({ PATH: join(dir, 'odd/bin') }, []), undefined)
  })
  it('is not taken from a relative path', () => {
    assert.equal(findNpm({ POLEBEAN_NPM: 'npm', PATH: '.:' }, []), undefined)
  })
})
