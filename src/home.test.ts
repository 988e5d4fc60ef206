import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { checkOwner, readHome } from './home.ts'

const base = mkdtempSync(join(tmpdir(), 'home-'))
after(() => rmSync(base, { recursive: true }))
const notRoot = process.getuid!() === 0 ? false : 'only root must not trust what others wrote'

const made = (name: string, settings: object): string => {
  const dir = join(base, name)
  mkdirSync(dir)
  writeFileSync(
    join(dir, 'home.json'),
    JSON.stringify({ format: 1, ports: { api: 4777, http: 80, environments: 18_000 }, ...settings }),
  )
  return dir
}

describe('a home', () => {
  it('is where it lies, whatever it says of itself', () => {
    const dir = made('moved', { id: 'abc123', dir: '/etc', runDir: '/etc' })
    const { runDir, ...home } = readHome(dir)!
    assert.deepEqual([home.dir, runDir], [dir, '/run/polebean/abc123'])
    assert.throws(() => readHome(made('odd', { id: '../../etc' })), /names no home/)
  })
  it('is refused by root where somebody else may write', { skip: notRoot }, () => {
    const dir = made('shared', { id: 'abc123' })
    checkOwner(dir)
    for (const mode of [0o775, 0o757]) {
      chmodSync(dir, mode)
      assert.throws(() => readHome(dir), /can be written by other users/)
    }
    chmodSync(dir, 0o755)
    chownSync(dir, 54_321, 54_321)
    assert.throws(() => readHome(dir), /chown root/)
  })
})
