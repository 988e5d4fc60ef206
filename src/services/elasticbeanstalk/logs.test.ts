import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { crc32, inflateRawSync } from 'node:zlib'
import { makeBench, type Bench } from './test-bench.ts'

let bench: Bench
beforeEach(async () => {
  bench = makeBench()
  bench.version('v1')
  bench.create({ OptionSettings: [{ Namespace: 'aws:autoscaling:asg', OptionName: 'MinSize', Value: '2' }] })
  await bench.until('Ready')
  bench.hooks.logs = { '/var/log/web.stdout.log': 'hello from ID\n', '/var/log/nginx/access.log': 'GET /\n' }
})
afterEach(() => bench.end())

const named = { EnvironmentName: 'shop-prod' }
const retrieve = (InfoType: 'tail' | 'bundle') =>
  bench.api.retrieveEnvironmentInfo(bench.context(), { ...named, InfoType }).EnvironmentInfo ?? []

describe('logs', () => {
  it('are pulled from every instance and handed out by URL', async () => {
    const context = bench.context()
    bench.api.requestEnvironmentInfo(context, { ...named, InfoType: 'tail' })
    assert.deepEqual(retrieve('tail'), [])
    await bench.clock.run(1_000)
    const ids = bench.world.instances().map(({ id }) => id)
    assert.deepEqual(bench.texts({ RequestId: context.requestId }), [
      'INFO requestEnvironmentInfo is starting.',
      ...ids.map((id) => `INFO [Instance: ${id}] Successfully finished tailing 3 log(s)`),
      'INFO Pulled logs for environment instances.',
    ])
    const infos = retrieve('tail')
    assert.deepEqual(
      infos.map(({ Ec2InstanceId }) => Ec2InstanceId),
      ids,
    )
    assert.match(
      infos[0]?.Message ?? '',
      /^http:\/\/127\.0\.0\.1:4777\/elasticbeanstalk-us-west-2-000000000000\/resources\/environments\/logs\/tail\/e-.*signature$/,
    )
    const text = [...bench.world.written.values()][0]?.toString() ?? ''
    assert.ok(text.includes(`/var/log/web.stdout.log\n${'-'.repeat(40)}\nhello from ${ids[0]}`))
  })

  it('are gone after a quarter of an hour', async () => {
    bench.api.requestEnvironmentInfo(bench.context(), { ...named, InfoType: 'tail' })
    await bench.clock.run(1_000)
    assert.equal(bench.world.written.size, 2)
    await bench.clock.run(17 * 60_000)
    assert.deepEqual([bench.world.written.size, retrieve('tail')], [0, []])
  })

  it('come as a zip when all of them are asked for', async () => {
    bench.api.requestEnvironmentInfo(bench.context(), { ...named, InfoType: 'bundle' })
    await bench.clock.run(1_000)
    let zip = [...bench.world.written.values()][0] ?? Buffer.alloc(0)
    const files = ['var/log/eb-engine.log', 'var/log/web.stdout.log'].map((name) => {
      const nameBytes = zip.readUInt16LE(26)
      assert.equal(zip.subarray(30, 30 + nameBytes).toString(), name)
      const end = 30 + nameBytes + zip.readUInt32LE(18)
      const content = inflateRawSync(zip.subarray(30 + nameBytes, end))
      assert.equal(crc32(content), zip.readUInt32LE(14))
      zip = zip.subarray(end)
      return content.toString()
    })
    assert.match(files[0] ?? '', /Instance deployment completed successfully\.\n$/)
    assert.match(files[1] ?? '', /^hello from i-/)
    assert.equal(retrieve('bundle').length, 2)
  })

  it('hold what the deployment said, under the name that its events point to', async () => {
    bench.world.starts = () => "[await-start] outcome=died\nModuleNotFoundError: No module named 'flask'"
    bench.version('v2')
    bench.api.updateEnvironment(bench.context(), { ...named, VersionLabel: 'v2' })
    await bench.until('Ready')
    bench.version('v3')
    bench.hooks.build = () => ({ exit: 1, output: 'No matching distribution found' })
    bench.api.updateEnvironment(bench.context(), { ...named, VersionLabel: 'v3' })
    await bench.until('Ready')
    bench.api.requestEnvironmentInfo(bench.context(), { ...named, InfoType: 'tail' })
    await bench.clock.run(1_000)
    const text = [...bench.world.written.values()][0]?.toString() ?? ''
    const log = text.slice(0, text.indexOf('/var/log/web.stdout.log')).replace(/^\S+Z /gm, '')
    assert.deepEqual(
      log
        .split('\n')
        .slice(1, -2)
        .filter((line) => !line.startsWith('---'))
        .map((line) => line.replace(/(bundle|python)-\S+:/, '$1-KEY:')),
      [
        '/var/log/eb-engine.log',
        '[INFO] Deployment 2: application version v2',
        '[INFO] Build of bundle-KEY: ready',
        'done',
        '[INFO] Build of python-KEY: ready',
        'done',
        '[await-start] outcome=died',
        "ModuleNotFoundError: No module named 'flask'",
        '[ERROR] Instance deployment failed.',
        '[INFO] Deployment 3: application version v3',
        '[ERROR] Build of bundle-KEY: failed',
        'No matching distribution found',
        '[INFO] Build of python-KEY: ready',
        'done',
        '',
      ],
    )
  })

  it('are those of its build while an instance waits for its first software', async () => {
    bench.end()
    bench = makeBench()
    bench.hooks.build = () => ({ exit: 1, output: 'No matching distribution found' })
    bench.version('v1')
    bench.create()
    await bench.until('Ready')
    const context = bench.context()
    bench.api.requestEnvironmentInfo(context, { ...named, InfoType: 'tail' })
    await bench.clock.run(1_000)
    const [{ id } = { id: '' }] = bench.world.instances()
    assert.deepEqual(bench.texts({ RequestId: context.requestId }), [
      'INFO requestEnvironmentInfo is starting.',
      `INFO [Instance: ${id}] Successfully finished tailing 1 log(s)`,
      'INFO Pulled logs for environment instances.',
    ])
    assert.match([...bench.world.written.values()][0]?.toString() ?? '', /No matching distribution found/)
  })

  it('are not said to be pulled when the engine cannot read them', async () => {
    bench.hooks.logs = {}
    bench.hooks.unreadable = 'the instance is not running'
    const context = bench.context()
    bench.api.requestEnvironmentInfo(context, { ...named, InfoType: 'tail' })
    await bench.clock.run(1_000)
    const ids = bench.world.instances().map(({ id }) => id)
    assert.deepEqual(bench.texts({ RequestId: context.requestId }), [
      'INFO requestEnvironmentInfo is starting.',
      ...ids.map((id) => `ERROR [Instance: ${id}] Failed to pull its logs: the instance is not running`),
      'ERROR Failed to pull logs for environment instances.',
    ])
  })

  it('refuse what cannot be done', () => {
    assert.throws(
      () => bench.api.requestEnvironmentInfo(bench.context(), { ...named, InfoType: 'analyze' }),
      /analyze is not implemented/,
    )
  })
})
