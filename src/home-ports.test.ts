import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { choosePorts, claimPorts, rangesOfHomes, releasePorts, type Ports } from './home-ports.ts'

const base = mkdtempSync(join(tmpdir(), 'home-ports-'))
after(() => rmSync(base, { recursive: true }))
let count = 0
const fresh = () => join(base, String(++count))

const keep = (dir: string, ports: Ports) => {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'home.json'), JSON.stringify({ ports, cidr: '10.70.0.0/16' }))
}

describe('ports of a home', () => {
  it('are found beside homes that are damaged, which keep theirs', async () => {
    const claims = fresh()
    const [cut, file, pipe] = [fresh(), fresh(), fresh()]
    const theirs = [await choosePorts(cut, 0, claims), await choosePorts(pipe, 0, claims)]
    const ofFile = await choosePorts(file, 0, claims)
    for (const dir of [cut, pipe]) mkdirSync(dir)
    writeFileSync(join(cut, 'home.json'), '{"ports":')
    assert.equal(spawnSync('mkfifo', [join(pipe, 'home.json')]).status, 0)
    writeFileSync(file, 'a file where a home was')
    const old = new Date(Date.now() - 3_600_000)
    for (const name of readdirSync(claims)) utimesSync(join(claims, name), old, old)
    assert.deepEqual(rangesOfHomes(claims), [])
    const own = await choosePorts(fresh(), 0, claims)
    assert.deepEqual(own, ofFile)
    assert.ok(theirs.every(({ api }) => api !== own.api))
  })
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
    assert.deepEqual(rangesOfHomes(claims), ['10.70.0.0/16'])
    releasePorts(Object.values(ofStopped), stopped, claims)
    assert.deepEqual(await choosePorts(fresh(), 0, claims), ofStopped)
  })
  it('are claimed again by a home that has them and lost its claims', async () => {
    const dir = fresh()
    const ports = await choosePorts(dir, 0, fresh())
    keep(dir, ports)
    const claims = fresh()
    claimPorts(Object.values(ports), dir, claims)
    const others = await choosePorts(fresh(), 0, claims)
    for (const kind of ['api', 'http', 'environments'] as const) assert.notEqual(others[kind], ports[kind])
  })
  it('are none that somebody has on ::1 only', async (t) => {
    const [first] = [(await choosePorts(fresh(), 0, fresh())).api]
    const server = createServer()
    const listening = await new Promise((answer) => {
      server.once('error', () => answer(false))
      server.listen({ port: first, host: '::1' }, () => answer(true))
    })
    if (!listening) return t.skip('this machine has no IPv6')
    t.after(() => server.close())
    assert.notEqual((await choosePorts(fresh(), 0, fresh())).api, first)
  })
  it('of environments end where the kernel takes ports for outgoing connections', async () => {
    const last = await choosePorts(fresh(), 0.999, fresh())
    assert.equal(last.environments, 32_400)
    assert.ok(last.environments + 200 <= 32_768)
  })
})
