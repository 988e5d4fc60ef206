import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { choosePorts, releasePorts, type Ports } from './home-ports.ts'

const base = mkdtempSync(join(tmpdir(), 'home-ports-'))
after(() => rmSync(base, { recursive: true }))
let count = 0
const fresh = () => join(base, String(++count))

const keep = (dir: string, ports: Ports) => {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'home.json'), JSON.stringify({ ports }))
}

describe('ports of a home', () => {
  it('are never those of a home that is made at the same moment', async () => {
    const claims = fresh()
    const made = await Promise.all([1, 2, 3].map(() => choosePorts(fresh(), 0.5, claims)))
    for (const kind of ['api', 'http', 'environments'] as const)
      assert.equal(new Set(made.map((ports) => ports[kind])).size, 3, kind)
  })
  it('are kept for a home that is stopped, and free again when it is released or gone', async () => {
    const claims = fresh()
    const [stopped, gone] = [fresh(), fresh()]
    const ofStopped = await choosePorts(stopped, 0, claims)
    keep(stopped, ofStopped)
    const ofGone = await choosePorts(gone, 0, claims)
    const old = new Date(Date.now() - 3_600_000)
    for (const name of readdirSync(claims)) utimesSync(join(claims, name), old, old)
    assert.deepEqual(
      await choosePorts(fresh(), 0, claims),
      ofGone,
      'the claims of a home that never was are stale',
    )
    releasePorts(ofStopped, stopped, claims)
    assert.deepEqual(await choosePorts(fresh(), 0, claims), ofStopped)
  })
})
