// `npm test` cleans up also after a test whose process was killed, and after nobody else's.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { makeTestHome, traces } from '../src/engines/compute/test-home.ts'
import { run } from '../src/kernel/process.ts'
import { leftOvers, makeTestHome as makeWholeHome, root, runProgram } from './support/home.ts'

const sweep = () => run([process.execPath, join(root, 'tools/test/sweep.ts')], { timeoutMs: 120_000 })
const support = (path: string) => JSON.stringify(join(root, path))

/** Runs code of a test in a process that is killed; answers what it printed. */
async function killed(code: string): Promise<{ [name: string]: string }> {
  const whole = `${code}\nprocess.kill(process.pid, 'SIGKILL')`
  const ran = await runProgram([process.execPath, '--input-type=module', '-e', whole])
  assert.equal(ran.status, 128, ran.stderr)
  return JSON.parse(ran.stdout)
}

describe('the sweep after a test that died', { concurrency: 1 }, () => {
  it('removes a network and its processes, but not that of a test that lives', async () => {
    const mine = await makeTestHome()
    const compute = mine.open()
    try {
      await mine.router.ensure()
      const { id = '', dir = '' } = await killed(`
        const { makeTestHome } = await import(${support('src/engines/compute/test-home.ts')})
        const { makeRunit } = await import(${support('src/engines/supervisor/runit.ts')})
        const { systemClock: clock } = await import(${support('src/kernel/clock.ts')})
        const { home, router } = await makeTestHome()
        await router.ensure()
        await makeRunit({ clock, home }).ensure({ name: 'one', argv: ['sleep', '1000'], env: {}, filesMax: null })
        console.log(JSON.stringify(home))`)
      assert.notDeepEqual(await leftOvers(id, dir), [])
      const { exit, stdout, stderr } = await sweep()
      assert.equal(exit, 0, `${stdout}${stderr}`)
      assert.match(stdout.toString(), new RegExp(`removed what a test left in ${dir}`))
      assert.deepEqual([await leftOvers(id, dir), existsSync(dir)], [[], false])
      assert.equal(
        (await traces(mine)).some((line) => line.includes(`pb-${mine.home.id}`)),
        true,
      )
    } finally {
      await mine.destroy(compute)
    }
    assert.deepEqual(await traces(mine), [])
  })

  const home = makeWholeHome()
  after(async () => assert.deepEqual(await home.remove(), []))

  it('removes a home with its server', async () => {
    await home.polebean(['start'])
    const { id = '', dir = '' } = await killed(`
      const { makeTestHome } = await import(${support('test/support/home.ts')})
      const home = makeTestHome()
      await home.polebean(['start'])
      console.log(JSON.stringify(home.settings()))`)
    assert.notDeepEqual(await leftOvers(id, dir), [])
    assert.equal((await sweep()).exit, 0)
    assert.deepEqual([await leftOvers(id, dir), existsSync(dir)], [[], false])
    assert.notDeepEqual(await leftOvers(home.settings().id, home.dir), [])
  })
})
