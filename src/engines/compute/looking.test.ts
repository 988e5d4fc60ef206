// A second process (`doctor` as root) makes the engine of a home whose server is at work, and looks.
import assert from 'node:assert/strict'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { it } from 'node:test'
import { systemClock } from '../../kernel/clock.ts'
import { silentLog } from '../../kernel/log.ts'
import { makeRouter } from '../network/router.ts'
import { instanceId } from './conformance.ts'
import { DIED } from './engine.ts'
import { makeRunc } from './runc.ts'

it('a second process that looks sees everything and touches nothing of what is under way', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'pbt-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const [died, digest] = [instanceId(1), `sha256-${'a'.repeat(64)}`]
  const layer = { digest, key: 'k', bytes: 1 }
  const record = {
    spec: {
      id: died,
      software: { revision: 1, layers: [] },
      zone: 'a',
      tags: {},
      requestedAddress: '10.70.1.1',
    },
    stoppedAt: 0,
    reason: '',
  }
  const files: Record<string, unknown> = {
    // A layer that is being copied, one that is whole, one that is being removed.
    [`home/layers/.new-sha256-${'b'.repeat(64)}/tree/half`]: '',
    [`home/layers/${digest}/layer.json`]: layer,
    [`home/layers/.gone-sha256-${'c'.repeat(64)}/tree/x`]: '',
    // An instance whose process has died and whose server has not yet seen it, one whose launch begins, one that goes.
    [`home/instances/${died}/spec.json`]: record,
    [`home/instances/${died}/launched`]: '',
    [`home/instances/${instanceId(2)}/disk.img`]: '',
    [`home/instances/.gone-${instanceId(3)}/disk.img`]: '',
    [`run/compute/${died}/started.json`]: { revision: 1, at: 1_000 },
    [`run/compute/runc/pbabc123-${died}/state.json`]: { init_process_pid: 4_194_304, init_process_start: 1 },
    [`run/compute/b-${'0'.repeat(17)}/log`]: '',
    'home/builds/one/in/bundle.zip': '',
    'run/compute/boot': 'another boot',
  }
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), JSON.stringify(content))
  }
  const tree = () =>
    globSync('**/*', { cwd: dir, exclude: () => false })
      .concat(globSync('**/.*/**', { cwd: dir }))
      .sort()
      .map((name) => [name, statSync(join(dir, name)).isFile() ? readFileSync(join(dir, name), 'utf8') : ''])

  const home = {
    id: 'abc123',
    dir: join(dir, 'home'),
    runDir: join(dir, 'run'),
    idBase: 1_900_000_000,
    cidr: '10.70.0.0/16',
    ports: { api: 0, http: 0, environments: 0, dns: 0 },
  }
  const before = tree()
  assert.ok(before.some(([name]) => name?.includes('.new-')))
  const compute = makeRunc({
    home,
    router: makeRouter(home),
    clock: systemClock,
    log: silentLog,
    zones: ['a'],
  })
  assert.deepEqual(
    (await compute.list()).map(({ id, state, reason }) => [id, state, reason]),
    [[died, 'stopped', DIED]],
  )
  assert.deepEqual(await compute.layers(), [layer])
  assert.deepEqual(await compute.stats(), [])
  await compute.capacity()
  assert.deepEqual(tree(), before)
})
