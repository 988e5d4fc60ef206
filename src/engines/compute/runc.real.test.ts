import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { systemClock } from '../../kernel/clock.ts'
import { computeConformance } from './conformance.ts'
import type { RuncCompute } from './runc.ts'
import { makeTestHome, traces, type TestHome } from './test-home.ts'

if (process.getuid?.() !== 0) {
  it('runc', { skip: 'needs root: namespaces, mounts and cgroups' })
} else {
  const test = await makeTestHome()
  let compute = test.open()
  after(async () => {
    await test.destroy(compute)
    assert.deepEqual(await traces(test), [])
  })
  const inside = async (id: string, script: string, ...args: string[]) => {
    const argv = ['/bin/sh', '-c', script, 'sh', ...args]
    const { exit, output } = await compute.exec(id, argv, { timeoutMs: 10_000, outputBytesMax: 1_000 })
    assert.equal(exit, 0, output)
  }
  computeConformance({
    engine: () => compute,
    restart: () => void (compute = test.open()),
    kill: async (id) => void process.kill(pidOf(test, id), 'SIGKILL'),
    reboot: () => reboot(test, compute),
    write: (id, path, text) => inside(id, 'printf %s "$2" >>"$1"', path, text),
    rotate: (id, path) => inside(id, 'cp -- "$1" "$1.1" && : >"$1"', path),
    until: (probe) => until(probe),
  })
}

const pidOf = ({ home }: TestHome, id: string) =>
  Number(readFileSync(join(home.runDir, 'compute', id, 'pid'), 'utf8'))

async function until(probe: () => Promise<boolean>, timeoutMs = 10_000) {
  for (const startedAt = systemClock.monotonic(); !(await probe()); await systemClock.sleep(20))
    if (systemClock.monotonic() - startedAt > timeoutMs) throw new Error(`not within ${timeoutMs} ms`)
}

async function reboot(test: TestHome, compute: RuncCompute) {
  for (const { id, state } of await compute.list())
    if (state === 'running') process.kill(pidOf(test, id), 'SIGKILL')
  await test.router.remove()
  rmSync(test.home.runDir, { recursive: true, force: true })
}
