// User data in a real instance: once, as root, at the first boot. And an instance of another type has its memory.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { after, it } from 'node:test'
import { systemClock } from '../../kernel/clock.ts'
import { makeTestHome, traces } from '../../engines/compute/test-home.ts'
import { checkUserData, userDataFiles } from './user-data.ts'

if (process.getuid?.() !== 0) {
  it('user data', { skip: 'needs root: namespaces, mounts and cgroups' })
} else {
  await suite()
}

async function suite() {
  const test = await makeTestHome()
  const compute = test.open()
  const id = 'i-0123456789abcdef0'
  const MEBIBYTES = 1 << 20
  after(async () => {
    await test.destroy(compute)
    assert.deepEqual(await traces(test), [])
  })
  const inside = async (...argv: string[]) =>
    (await compute.exec(id, argv, { timeoutMs: 15_000, outputBytesMax: 10_000 })).output
  const until = async (probe: () => Promise<boolean>) => {
    for (const startedAt = systemClock.monotonic(); !(await probe()); await systemClock.sleep(20))
      assert.ok(systemClock.monotonic() - startedAt < 10_000, 'not within 10 s')
  }
  const files = (script: string) => userDataFiles(checkUserData(Buffer.from(script).toString('base64')))
  const software = (revision: number, script: string) => ({
    ...{ revision, layers: [], env: {}, files: files(script) },
  })
  const isDown = async () => (await inside('sv', 'status', '/etc/service/user-data')).startsWith('down:')
  const SCRIPT = '#!/bin/bash\necho "$(id -un) in $PWD at $HOME" >>/var/lib/who\necho said\n'

  it('is run once, as root, at the first boot', async () => {
    await compute.launch({
      id,
      platform: { name: 'host', version: '1' },
      software: software(0, SCRIPT),
      diskBytes: 128 * MEBIBYTES,
      cpu: 1,
      memoryBytes: 128 * MEBIBYTES,
      pids: 64,
      zone: 'a',
      requestedAddress: test.home.cidr.replace(/0\.0\/16$/, '1.1'),
      tags: {},
    })
    await until(async () => (await inside('cat', '/var/lib/who')) === 'root in / at /root\n')
    await until(isDown)
    assert.equal(await inside('cat', '/var/log/cloud-init-output.log'), 'said\n')
  })

  it('is not run again at another boot, nor after a deployment, nor when it was changed', async () => {
    await compute.stop(id, 5_000)
    await compute.start(id, { cpu: 1, memoryBytes: 160 * MEBIBYTES })
    await until(isDown)
    await compute.update(id, software(1, `${SCRIPT}echo changed\n`), 5_000)
    await until(isDown)
    assert.equal(await inside('cat', '/var/lib/who'), 'root in / at /root\n')
    assert.equal(await inside('cat', '/var/log/cloud-init-output.log'), 'said\n')
  })

  it('leaves the instance the size in which it was started again', () => {
    const limits = globSync(`/sys/fs/cgroup/**/${test.home.id}/${id}/memory.{max,limit_in_bytes}`)
    assert.deepEqual(
      limits.map((path) => Number(readFileSync(path, 'utf8')) / MEBIBYTES),
      [160],
    )
  })
}
