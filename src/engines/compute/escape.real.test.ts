// What an instance's root tries to get out of it is refused, and the host and the neighbours are as before.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { instanceId, software } from './conformance.ts'
import { makeTestHome, traces } from './test-home.ts'

if (process.getuid?.() !== 0) {
  it('an escape', { skip: 'needs root: namespaces, mounts and cgroups' })
} else {
  await suite()
}

async function suite() {
  const test = await makeTestHome()
  const compute = test.open()
  const MEBIBYTES = 1 << 20
  const attempts = readFileSync(join(import.meta.dirname, 'escape-attempts.py'))
  const launch = (number: number) =>
    compute.launch({
      id: instanceId(number),
      platform: { name: 'host', version: '1' },
      software: software(1, { files: [] }),
      diskBytes: 128 * MEBIBYTES,
      cpu: 1,
      memoryBytes: 256 * MEBIBYTES,
      pids: 64,
      zone: 'a',
      requestedAddress: test.home.cidr.replace(/0\.0\/16$/, `1.${number}`),
      tags: {},
    })
  const inside = (number: number, ...argv: string[]) =>
    compute.exec(instanceId(number), argv, { timeoutMs: 20_000, outputBytesMax: 100_000 })

  before(async () => {
    await compute.ensure()
    await launch(1)
    await launch(2)
  })
  after(async () => {
    await test.destroy(compute)
    assert.deepEqual(await traces(test), [])
  })

  describe('an escape from an instance', { timeout: 120_000 }, () => {
    let said: Record<string, string> = {}
    before(async () => {
      const { output } = await compute.exec(instanceId(1), ['/usr/bin/python3', '-c', attempts.toString()], {
        timeoutMs: 30_000,
        outputBytesMax: 200_000,
      })
      said = JSON.parse(output) as typeof said
    })
    const answers = (start: string, allowed: RegExp) => {
      const found = Object.entries(said).filter(([name]) => name.startsWith(start))
      assert.ok(found.length > 0, start)
      assert.deepEqual(
        found.filter(([, answer]) => !allowed.test(answer)),
        [],
      )
    }

    it('by a system call is refused before the kernel looks at it', () => {
      answers('call ', /^(EPERM|ENOSYS)$/)
      answers('clone ', /^EPERM$/)
      answers('unshare by ', /^refused$/)
    })

    it('by a socket of another kind is refused, before it makes the host load a module', () => {
      answers('socket of family ', /^EPERM$/)
      answers('raw socket ', /^EPERM$/)
      answers('socket with any ', /^EPERM$/)
    })

    it('by files of the kernel, devices and control groups finds none that it may write', () => {
      answers('write ', /^(EROFS|EACCES|EPERM|ENOENT|EIO)$/)
      answers('read ', /^(0 bytes|EACCES|EPERM|ENOENT)$/)
      answers('see ', /^ENOENT$/)
      answers('make the device ', /^EPERM$/)
    })

    it('by time, priority, or being spared is refused', () => {
      answers('set the clock', /^EPERM$/)
      answers('be ', /^(EPERM|EACCES)$/)
      answers('lower ', /^(EPERM|EACCES)$/)
    })

    it('sees its own processes and no socket of the host', () => {
      assert.match(said.processes!, /^(chpst|init|python3|runsv|runsvdir|sh|svlogd|timeout| )+$/)
      assert.equal(said['unix sockets below /usr'], '')
    })

    it('takes few of the inotify instances that the kernel counts as the host’s', () => {
      const got = Number(/^(\d+) of them$/.exec(said.inotify ?? '')?.[1])
      assert.ok(got >= 16 && got <= 32, String(said.inotify))
    })

    it('by a setuid file is none: it runs as whoever calls it', async () => {
      await inside(1, 'sh', '-c', 'cp /usr/bin/id /var/id && chown 0:0 /var/id && chmod 6755 /var/id')
      const options = { timeoutMs: 5_000, outputBytesMax: 1_000, user: 'webapp' as const }
      assert.match(
        (await compute.exec(instanceId(1), ['/var/id'], options)).output,
        /^uid=900\S+ gid=900\S+ groups=900/,
      )
    })

    it('by a log that is a pipe, a device, a loop of links or has 10 GiB hurts nobody', async () => {
      await inside(
        1,
        'sh',
        '-c',
        `cd /var/log && rm -rf * && mkfifo pipe && ln -s /dev/zero zero && ln -s loop loop && ln -s /proc/kcore core &&
          truncate -s 10G huge && mkdir -p a/b && ln -s ../.. a/b/up && echo end >>huge && ln -s /proc/self/environ env`,
      )
      const startedAt = performance.now()
      const logs = await compute.logs(instanceId(1), { tailBytes: 4, bytesMax: 10_000 })
      assert.equal(logs.replaceAll(/^==> .*init.log <==\n.*\n/gm, '').trim(), '==> /var/log/huge <==\nend')
      assert.equal((await compute.read(instanceId(1), '/var/log/huge', { tailBytes: 4 })).toString(), 'end\n')
      await assert.rejects(compute.read(instanceId(1), '/var/log/loop', { tailBytes: 4 }), {
        name: 'EngineError',
      })
      assert.ok(performance.now() - startedAt < 30_000)
    })

    it('leaves the neighbour and the host as they were', async () => {
      assert.equal((await inside(2, 'sh', '-c', 'echo well; ls /tmp')).output, 'well\n')
      assert.deepEqual(
        (await compute.list()).map(({ state }) => state),
        ['running', 'running'],
      )
    })
  })
}
