import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { LAYER_GRACE_MS, planCollection, planRemovals } from './layer-collection.ts'
import { listing, makeBench, NODEJS, NODEJS_STACK, PYTHON, type Bench } from './test-bench.ts'

const NOW = 1_000_000_000
const row = (unnamedSince: number | null, state: 'building' | 'ready' | 'failed' | 'removing' = 'ready') => ({
  key: 'a',
  state,
  unnamedSince,
  bytes: 100,
})

describe('the plan of the collection', () => {
  const unnamed = new Set<string>()
  const named = new Set(['a'])
  const plan = (one: ReturnType<typeof row>, names: Set<string>, bytesMax = 0) =>
    planCollection([one], names, NOW, bytesMax)[0]?.set

  it('leaves what is named as it is', () => assert.equal(plan(row(null), named), undefined))
  it('notes since when nothing names it', () =>
    assert.deepEqual(plan(row(null), unnamed), { unnamedSince: NOW }))
  it('forgets that when it is named again', () =>
    assert.deepEqual(plan(row(NOW - 1), named), { unnamedSince: null }))
  it('waits for the grace', () => assert.equal(plan(row(NOW - LAYER_GRACE_MS + 1), unnamed), undefined))
  for (const state of ['building', 'ready', 'failed'] as const) {
    it(`removes what is ${state} after it`, () =>
      assert.deepEqual(plan(row(NOW - LAYER_GRACE_MS, state), unnamed), { state: 'removing' }))
  }
  it('keeps what is built while there is room for all of it, and only that', () => {
    const old = (state: 'building' | 'ready' | 'failed') => row(NOW - LAYER_GRACE_MS, state)
    assert.equal(plan(old('ready'), unnamed, 100), undefined)
    assert.deepEqual(plan(old('ready'), unnamed, 99), { state: 'removing' })
    for (const state of ['building', 'failed'] as const)
      assert.deepEqual(plan(old(state), unnamed, 100), { state: 'removing' })
  })
  it('removes first what nothing has named for longest, until the rest fits, and nothing that is named', () => {
    const since = (key: string, ago: number) => ({ ...row(NOW - LAYER_GRACE_MS - ago), key })
    const rows = [since('new', 1), since('oldest', 9), since('old', 5), { ...row(null), key: 'used' }]
    const gone = (bytesMax: number) =>
      planCollection(rows, new Set(['used']), NOW, bytesMax).map(({ key }) => key)
    assert.deepEqual(gone(400), [])
    assert.deepEqual(gone(399), ['oldest'])
    assert.deepEqual(gone(200), ['oldest', 'old'])
    assert.deepEqual(gone(0), ['new', 'oldest', 'old'])
  })
  it('counts anew when the clock was set back', () =>
    assert.deepEqual(plan(row(NOW + 1), unnamed), { unnamedSince: NOW }))
  it('builds what is named while it is being removed', () =>
    assert.deepEqual(plan(row(NOW - LAYER_GRACE_MS, 'removing'), named), {
      state: 'building',
      digest: null,
      unnamedSince: null,
    }))
})

describe('the removal of a layer', () => {
  const bundle = { key: 'bundle', state: 'removing' as const, needs: [] }
  const packages = { key: 'packages', needs: ['bundle'] }
  it('waits for the builds that see it, also for one that nobody wants any more', () => {
    assert.deepEqual(planRemovals([bundle, { ...packages, state: 'building' }]), [])
    assert.deepEqual(planRemovals([bundle, { ...packages, state: 'removing' }]), ['packages'])
    assert.deepEqual(planRemovals([bundle]), ['bundle'])
  })
})

describe('layers', () => {
  let bench: Bench
  beforeEach(() => {
    bench = makeBench()
  })
  afterEach(() => bench.end())

  const requirements = (text: string) => {
    bench.hooks.inspect = () => listing({ 'requirements.txt': text })
  }
  const update = async (label: string) => {
    bench.version(label)
    bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', VersionLabel: label })
    await bench.until('Ready')
  }
  const keys = () => bench.layers.map(({ key }) => key)
  const afterGrace = () => bench.clock.run(LAYER_GRACE_MS + 5 * 60_000)
  const remove = (label: string) =>
    bench.api.deleteApplicationVersion(bench.context(), { ApplicationName: 'shop', VersionLabel: label })
  const up = async () => {
    requirements('flask')
    bench.version('v1')
    bench.create()
    await bench.until('Ready')
    return keys()
  }

  it('of a deleted version go, and what another version shares stays', async () => {
    const first = await up()
    assert.equal(first.length, 2)
    await update('v2')
    assert.equal(keys().length, 3, 'the requirements are the same: one environment of packages for both')
    requirements('django')
    await update('v3')
    await afterGrace()
    assert.equal(keys().length, 5, 'versions keep theirs')
    remove('v1')
    remove('v2')
    await bench.clock.run(LAYER_GRACE_MS - 60_000)
    assert.equal(keys().length, 5, 'not at once')
    await afterGrace()
    assert.equal(keys().length, 2)
    assert.ok(!keys().some((key) => first.includes(key)))
    assert.deepEqual(
      bench.store
        .all<{ key: string }>('select key from layer')
        .map(({ key }) => key)
        .sort(),
      keys().sort(),
    )
  })

  it('that are lost are built again with the same Node.js and the npm of now, wherever these lie', async () => {
    const seen: string[] = []
    bench.hooks.build = ({ inputs }) => {
      seen.push(...inputs.flatMap(({ name, path }) => (['node', 'npm'].includes(name) ? [path] : [])))
      return { exit: 0, output: '' }
    }
    bench.hooks.inspect = () => listing({ 'package.json': '{"scripts":{"start":"node ."}}' })
    bench.version('v1')
    bench.create({ SolutionStackName: NODEJS_STACK })
    await bench.until('Ready')
    assert.deepEqual(seen, ['/opt/node', '/usr/share/nodejs/npm'])
    // The release that brought it is gone; its successor brings the same one. npm was updated.
    bench.hooks.npm = { dir: '/opt/npm', version: '11.0.0' }
    bench.catalogue.renew([PYTHON, { ...NODEJS, program: '/opt/next/node' }])
    bench.layers.length = 0
    seen.length = 0
    await bench.clock.run(5 * 60_000)
    assert.deepEqual(seen, ['/opt/next/node', '/opt/npm'])
  })

  it('that are lost are built again also when another deployment wanted them meanwhile, in vain', async () => {
    await up()
    const built = keys().sort()
    bench.hooks.build = () => ({ exit: 1, output: 'no room' })
    bench.layers.length = 0
    await bench.clock.run(5 * 60_000)
    bench.create({ EnvironmentName: 'shop-test', CNAMEPrefix: 'shop-test' })
    await bench.until('Ready', 'shop-test')
    assert.deepEqual(keys(), [])
    bench.hooks.build = () => ({ exit: 0, output: '' })
    await bench.clock.run(5 * 60_000)
    assert.deepEqual(keys().sort(), built)
  })

  it('of a version that was deployed nowhere else outlive its environment, and go with the version', async () => {
    await up()
    bench.api.terminateEnvironment(bench.context(), { EnvironmentName: 'shop-prod' })
    await bench.clock.runUntil(
      () => bench.store.all(`select 1 from environment where status <> 'Terminated'`).length === 0,
      3_600_000,
    )
    await afterGrace()
    const before = keys()
    assert.equal(before.length, 2)
    bench.hooks.pipConfiguration = 'another index'
    bench.create({ EnvironmentName: 'shop-test', CNAMEPrefix: 'test' })
    await bench.until('Ready', 'shop-test')
    await afterGrace()
    assert.equal(keys().filter((key) => before.includes(key)).length, 1, 'the bundle alone is still named')
    bench.api.terminateEnvironment(bench.context(), { EnvironmentName: 'shop-test' })
    await bench.until('Terminated', 'shop-test')
    remove('v1')
    await afterGrace()
    assert.deepEqual(keys(), [])
  })

  it('of running instances stay, though their deployment is made of others by now', async () => {
    const [, packages = ''] = await up()
    const [instance] = bench.world.instances()
    assert.ok(instance)
    bench.hooks.pipConfiguration = 'another index'
    bench.api.updateEnvironment(bench.context(), {
      EnvironmentName: 'shop-prod',
      OptionSettings: [{ Namespace: 'aws:autoscaling:asg', OptionName: 'MinSize', Value: '2' }],
    })
    await bench.until('Ready')
    await bench.clock.runUntil(
      () => bench.world.instances().filter(({ intent }) => intent).length === 2,
      600_000,
    )
    await afterGrace()
    assert.equal(keys().length, 3)
    assert.ok(keys().includes(packages))
    bench.world.kill(instance.id)
    await afterGrace()
    assert.equal(keys().length, 2)
    assert.ok(!keys().includes(packages))
  })

  it('are built anew at the next launch on another build of the interpreter', async () => {
    await up()
    const before = bench.world.instances()[0]?.intent
    bench.catalogue.renew([{ ...PYTHON, build: '3.11.3 test' }])
    bench.world.kill(bench.world.instances()[0]?.id ?? '')
    const launched = () => bench.world.instances()[0]?.intent ?? before
    await bench.clock.runUntil(() => launched() !== before, 600_000)
    assert.notEqual(launched()?.platform.version, before?.platform.version)
    const packages = (intent: typeof before) => intent?.layers.find(({ target }) => target.includes('venv'))
    assert.notEqual(packages(launched())?.digest, packages(before)?.digest)
    assert.equal(launched()?.layers[0]?.digest, before?.layers[0]?.digest, 'the bundle is the same')
  })

  it('cannot be planned for an interpreter that is gone: that is told, and made good when it is back', async () => {
    await up()
    bench.catalogue.renew([])
    bench.world.kill(bench.world.instances()[0]?.id ?? '')
    await bench.clock.run(10 * 60_000)
    const told = bench.texts().filter((text) => text.includes('The application cannot be put on instance'))
    assert.equal(told.length, 1, told.join('\n'))
    assert.match(
      told[0] ?? '',
      /^ERROR .*needs Python 3\.11, which this machine lacks\. Add it with: sudo apt-get/,
    )
    bench.catalogue.renew([PYTHON])
    await bench.clock.run(60_000)
    assert.ok(bench.world.instances()[0]?.intent)
  })

  it('that are wanted again while they are being removed are built again', async () => {
    await up()
    await update('v2')
    remove('v1')
    let wantedAgain = false
    bench.hooks.removing = () => {
      wantedAgain = true
      bench.version('v3', 'v1')
      bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', VersionLabel: 'v3' })
    }
    await bench.clock.runUntil(() => wantedAgain, 3_600_000)
    bench.hooks.removing = () => undefined
    await bench.until('Ready')
    assert.equal(bench.environment()?.VersionLabel, 'v3')
    const digests = bench.layers.map(({ digest }) => digest)
    for (const { intent } of bench.world.instances())
      for (const { digest } of intent?.layers ?? []) assert.ok(digests.includes(digest), digest)
  })
})
