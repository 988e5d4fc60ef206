// What ends leaves nothing: an environment, a home that is stopped, a home that is deleted.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { leftOvers, makeTestHome } from './support/home.ts'
import { writeProbeApp } from './support/probe-app.ts'
import { sandboxes, things, until, untilTold, untilWhole } from './support/world.ts'

describe('the end', { concurrency: 1 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  const folder = join(home.dir, '../probe-app')
  let host = ''

  before(async () => {
    const { stdout } = await home.polebean(['up', writeProbeApp(folder, 'v1'), '--name', 'probe-app'])
    host = new URL(stdout.trim()).hostname
    assert.equal((await home.get(host, '/note')).body, '1')
  })

  it('of an environment leaves nothing of it', async () => {
    await untilTold(home)
    const before = await things(home.settings())
    await home.polebean(['up', folder, '--name', 'short-life'])
    await home.polebean(['scale', '2', 'short-life'])
    await untilWhole(home, 'short-life', /^v1 /)
    assert.equal(sandboxes(home.settings()).length, 3)
    assert.ok((await things(home.settings())).length > before.length + 20, 'there is something to leave')
    await home.polebean(['terminate', 'short-life', '--force'])
    // The kernel takes mounts and loop devices away a moment after the processes.
    await until(
      'the same as before',
      async () => String(await things(home.settings())) === String(before),
      10_000,
    ).catch(() => undefined)
    assert.deepEqual(await things(home.settings()), before)
  })

  it('of all environments leaves nothing of any', async () => {
    await home.polebean(['up', folder, '--name', 'last-one'])
    for (const name of ['last-one', 'probe-app']) await home.polebean(['terminate', name, '--force'])
    await until(
      'no loop device, sandbox or server',
      async () => {
        const seen = await things(home.settings())
        return !seen.some((line) =>
          /^(loop|sandbox|container|instance|process|build|rule|address 10|map|haproxy server)/.test(line),
        )
      },
      10_000,
    ).catch(async () => assert.fail((await things(home.settings())).join('\n')))
    const { stdout } = await home.polebean(['up', folder, '--name', 'probe-app'])
    host = new URL(stdout.trim()).hostname
    assert.equal((await home.get(host, '/note')).body, '1')
  })

  it('of the day: down keeps the state, up brings it back, as often as one likes', async () => {
    const ids = sandboxes(home.settings()).map(({ id }) => id)
    const { id } = home.settings()
    for (let day = 2; day <= 5; day++) {
      await home.polebean(['down'])
      const left = (await leftOvers(id, home.dir)).filter(
        (line) => !line.startsWith('process') || !line.includes('--test'),
      )
      assert.deepEqual(left, [])
      await home.polebean(['down']) // quiet
      await home.polebean(['up', folder, '--name', 'probe-app'])
      await untilWhole(home, 'probe-app', /^v1 /)
      assert.deepEqual(
        sandboxes(home.settings()).map((one) => one.id),
        ids,
      )
      assert.equal((await home.get(host, '/note')).body, String(day))
    }
  })

  it('of a home leaves nothing at all', async () => {
    const { id, runDir } = home.settings()
    await home.polebean(['down', '--purge', '--force'])
    assert.deepEqual(await leftOvers(id, home.dir), [])
    assert.ok(!existsSync(home.dir) && !existsSync(runDir))
    const state = join(dirname(home.dir), '.local/state/polebean')
    assert.deepEqual(existsSync(state) ? readdirSync(state) : [], [])
  })
})
