import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { listing, makeBench, type Bench } from '../test-bench.ts'

let bench: Bench
let from = 0
beforeEach(async () => {
  bench = makeBench()
  bench.version('v1')
  bench.create({ OptionSettings: [{ Namespace: 'aws:autoscaling:asg', OptionName: 'MinSize', Value: '2' }] })
  await bench.until('Ready')
  await bench.clock.run(60_000)
  from = bench.texts().length
})
afterEach(() => bench.end())

const since = () => bench.texts().slice(from)
const plain = () => since().filter((text) => !text.includes('Environment health'))
const sizes = () => [...bench.world.groups.values()].flatMap(({ min, max, desired }) => [min, max, desired])
const property = (OptionName: string, Value: string) => ({
  Namespace: 'aws:elasticbeanstalk:application:environment',
  OptionName,
  Value,
})
const update = (input: object) =>
  bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', ...input })

describe('updating an environment', () => {
  it('deploys a new version to all instances at once', async () => {
    bench.version('v2')
    const answer = update({ VersionLabel: 'v2' })
    assert.deepEqual([answer.Status, answer.VersionLabel], ['Updating', 'v2'])
    await bench.until('Ready')
    assert.deepEqual(plain(), [
      'INFO Environment update is starting.',
      'INFO Deploying new version to instance(s).',
      'INFO Instance deployment completed successfully.',
      'INFO Instance deployment completed successfully.',
      'INFO New application version was deployed to running EC2 instances.',
      'INFO Environment update completed successfully.',
    ])
    assert.deepEqual(
      bench.world.instances().map(({ revision }) => revision),
      [2, 2],
    )
    assert.deepEqual([bench.environment()?.VersionLabel, bench.environment()?.Health], ['v2', 'Green'])
  })

  it('says by what the application is started after it says that it is deployed', async () => {
    bench.hooks.inspect = () => listing({ Procfile: 'web: gunicorn app:app', 'requirements.txt': 'gunicorn' })
    bench.version('v2')
    update({ VersionLabel: 'v2' })
    await bench.until('Ready')
    assert.deepEqual(plain().slice(1, 4), [
      'INFO Deploying new version to instance(s).',
      "INFO Instance deployment used the commands in your 'Procfile' to initiate startup of your application.",
      'INFO Instance deployment completed successfully.',
    ])
  })

  it('fails when its group goes away meanwhile', async () => {
    bench.version('v2')
    update({ VersionLabel: 'v2' })
    await bench.clock.run(3_000)
    bench.world.groups.clear()
    await bench.until('Ready')
    const texts = plain()
    assert.ok(
      texts.includes(
        'ERROR 1 of the instances could not be launched. The environment has no Auto Scaling group.',
      ),
    )
    assert.ok(texts.includes('ERROR Failed to deploy application.'))
    assert.ok(!texts.some((text) => text.includes('New application version was deployed')))
    const { Health, VersionLabel } = bench.environment() ?? {}
    assert.deepEqual([Health, VersionLabel], ['Red', 'v1'])
  })

  it('makes anew what somebody deleted behind its back, and tells Red until then', async () => {
    bench.world.groups.clear()
    bench.world.loadBalancers.clear()
    bench.world.listeners.clear()
    await bench.clock.run(10_000)
    const causes = bench.api.describeEnvironmentHealth(bench.context(), {
      EnvironmentName: 'shop-prod',
      AttributeNames: ['All'],
    }).Causes
    assert.deepEqual(causes, [
      'The Auto Scaling group of the environment does not exist.',
      'The load balancer of the environment does not exist.',
      'There are no instances.',
    ])
    assert.equal(bench.environment()?.Health, 'Red')
    // Settings alone are enough: what runs is put on the new instances.
    update({ OptionSettings: [{ Namespace: 'aws:autoscaling:asg', OptionName: 'MaxSize', Value: '5' }] })
    await bench.until('Ready')
    assert.equal(plain().at(-1), 'INFO Environment update completed successfully.')
    assert.deepEqual(
      bench.world.instances().map(({ revision }) => revision),
      [1, 1],
    )
    assert.deepEqual(
      [bench.world.groups, bench.world.loadBalancers, bench.world.listeners].map(({ size }) => size),
      [1, 1, 1],
    )
    assert.equal(bench.environment()?.Health, 'Green')
  })

  it('gives the balancer its listener back, without which health is Severe after the grace', async () => {
    bench.world.listeners.clear()
    await bench.clock.run(50_000)
    assert.equal(bench.environment()?.Health, 'Green')
    await bench.clock.run(20_000)
    assert.equal(bench.environment()?.Health, 'Red')
    const [instance] =
      bench.api.describeInstancesHealth(bench.context(), {
        EnvironmentName: 'shop-prod',
        AttributeNames: ['All'],
      }).InstanceHealthList ?? []
    assert.match(
      instance?.Causes?.[0] ?? '',
      /^Instance ELB health has not been available for \d+ seconds\.$/,
    )
    assert.ok(
      since().some((text) =>
        text.startsWith(
          'WARN Environment health has transitioned from Ok to Severe. ELB health is failing or not available for all instances.',
        ),
      ),
    )
    update({ VersionLabel: 'v1' })
    await bench.until('Ready')
    assert.equal(bench.world.listeners.size, 1)
    assert.equal(bench.environment()?.Health, 'Green')
  })

  it('changes environment properties by restarting the application', async () => {
    update({ OptionSettings: [property('GREETING', 'ahoy')] })
    await bench.until('Ready')
    assert.deepEqual(plain(), [
      'INFO Environment update is starting.',
      "INFO Updating environment shop-prod's configuration settings.",
      'INFO Instance deployment completed successfully.',
      'INFO Instance deployment completed successfully.',
      'INFO Successfully deployed new configuration to environment.',
      'INFO Environment update completed successfully.',
    ])
    assert.deepEqual(
      bench.world.instances().map(({ intent }) => intent?.env['GREETING']),
      ['ahoy', 'ahoy'],
    )
  })

  it('changes the size without touching instances that stay', async () => {
    update({ OptionSettings: [{ Namespace: 'aws:autoscaling:asg', OptionName: 'MinSize', Value: '3' }] })
    await bench.until('Ready')
    await bench.clock.run(30_000)
    assert.deepEqual(
      bench.world.instances().map(({ revision }) => revision),
      [1, 1, 1],
    )
    assert.ok(plain().includes('INFO Successfully deployed new configuration to environment.'))
    assert.equal(bench.environment()?.HealthStatus, 'Ok')
  })

  it('gives an instance that comes later the version and the settings of the last success', async () => {
    update({ OptionSettings: [property('GREETING', 'ahoy')] })
    await bench.until('Ready')
    bench.world.kill(bench.world.instances()[0]?.id ?? '')
    await bench.clock.run(30_000)
    assert.deepEqual(
      bench.world.instances().map(({ intent }) => intent?.env['GREETING']),
      ['ahoy', 'ahoy'],
    )
  })

  it('leaves what runs alone when the new version cannot be built', async () => {
    bench.hooks.build = () => ({ exit: 1, output: 'nothing works' })
    bench.version('v2')
    update({ VersionLabel: 'v2' })
    await bench.until('Ready')
    const texts = plain()
    assert.equal(texts[1], 'INFO Deploying new version to instance(s).')
    assert.match(texts[2] ?? '', /^ERROR Building application version v2 failed: /)
    assert.equal(texts.at(-1), 'ERROR Failed to deploy application.')
    assert.deepEqual(
      bench.world.instances().map(({ revision }) => revision),
      [1, 1],
    )
    assert.deepEqual([bench.environment()?.VersionLabel, bench.environment()?.Health], ['v1', 'Green'])
  })

  it('says which instances failed, and gives new ones the version of the last success', async () => {
    const failing = bench.world.instances()[0]?.id ?? ''
    bench.world.starts = (_intent, id) => (id === failing ? 'Boom' : '')
    bench.version('v2')
    update({ VersionLabel: 'v2' })
    await bench.until('Ready')
    const texts = plain()
    assert.ok(
      texts.includes(
        'INFO Command execution completed on all instances. Summary: [Successful: 1, Failed: 1].',
      ),
    )
    assert.ok(
      texts.includes(
        `ERROR Unsuccessful command execution on instance id(s) '${failing}'. Aborting the operation.`,
      ),
    )
    assert.deepEqual(
      texts.slice(-2).map((text) => text.slice(0, 42)),
      ['ERROR Failed to deploy application.', 'ERROR During an aborted deployment, some i'],
    )
    assert.equal(bench.environment()?.VersionLabel, 'v1')
    const health = bench.api.describeEnvironmentHealth(bench.context(), {
      EnvironmentName: 'shop-prod',
      AttributeNames: ['All'],
    })
    assert.ok(
      health.Causes?.includes(
        'Incorrect application version found on all instances. Expected version "v1" (deployment 1).',
      ),
      String(health.Causes),
    )

    bench.world.kill(failing)
    await bench.clock.run(30_000)
    const newest = bench.world.instances().at(-1)
    const digests = (label: string) =>
      bench.store.get<{ layers: string }>('select layers from deployment where version_label = :label', {
        label,
      })?.layers ?? ''
    assert.ok(digests('v1').includes(newest?.intent?.layers[0]?.digest.replace('digest-of-', '') ?? '?'))
  })

  it('takes settings back that the application cannot run with', async () => {
    bench.world.starts = ({ env }) => (env['GREETING'] === 'bad' ? 'KeyError' : '')
    update({ OptionSettings: [property('GREETING', 'bad')] })
    await bench.until('Ready')
    const texts = plain()
    assert.ok(texts.includes('ERROR Failed to deploy configuration.'))
    assert.equal(texts.at(-1), 'ERROR The environment was reverted to the previous configuration setting.')
    assert.deepEqual(
      bench.world.instances().map(({ intent }) => intent?.env['GREETING']),
      [undefined, undefined],
    )
    assert.equal(bench.environment()?.Health, 'Green')
  })

  it('replaces instances one at a time when their type changes', async () => {
    const before = bench.world.instances().map(({ id }) => id)
    let fewest = 2
    let most = 2
    update({
      OptionSettings: [
        { Namespace: 'aws:autoscaling:launchconfiguration', OptionName: 'InstanceType', Value: 't3.small' },
      ],
    })
    await bench.clock.runUntil(() => {
      const serving = bench.world.instances().length
      ;[fewest, most] = [Math.min(fewest, serving), Math.max(most, serving)]
      return bench.environment()?.Status === 'Ready'
    }, 3_600_000)
    const after = bench.world.instances()
    assert.deepEqual([fewest, most], [2, 3])
    assert.deepEqual(sizes(), [2, 4, 2])
    assert.deepEqual(
      after.map(({ type }) => type),
      ['t3.small', 't3.small'],
    )
    assert.ok(after.every(({ id }) => !before.includes(id)))
    assert.equal(bench.world.configurations.size, 1)
    assert.equal(plain().at(-1), 'INFO Environment update completed successfully.')
  })

  it('takes a type back that instances cannot run with', async () => {
    const before = bench.world.instances().map(({ id }) => id)
    bench.world.starts = (_intent, id) =>
      bench.world.instances().find((one) => one.id === id)?.type === 't3.small' ? 'MemoryError' : ''
    update({
      OptionSettings: [
        { Namespace: 'aws:autoscaling:launchconfiguration', OptionName: 'InstanceType', Value: 't3.small' },
      ],
    })
    await bench.until('Ready')
    assert.equal(plain().at(-1), 'ERROR The environment was reverted to the previous configuration setting.')
    assert.deepEqual([...bench.world.configurations.values()], [{ type: 't3.micro' }])
    assert.deepEqual(
      bench.world.instances().map(({ id }) => id),
      before,
    )
    assert.deepEqual(sizes(), [2, 4, 2])
    await bench.clock.run(60_000)
    assert.equal(bench.environment()?.Health, 'Green')
  })

  it('terminates nothing when no new instance can be launched, not even in a group at its largest size', async () => {
    update({ OptionSettings: [{ Namespace: 'aws:autoscaling:asg', OptionName: 'MaxSize', Value: '2' }] })
    await bench.until('Ready')
    const before = bench.world.instances().map(({ id }) => id)
    bench.world.launchFailure = 'We currently do not have sufficient t3.small capacity.'
    update({
      OptionSettings: [
        { Namespace: 'aws:autoscaling:launchconfiguration', OptionName: 'InstanceType', Value: 't3.small' },
      ],
    })
    await bench.until('Ready')
    assert.ok(
      plain().includes(
        'ERROR 1 of the instances could not be launched. We currently do not have sufficient t3.small capacity.',
      ),
    )
    assert.equal(plain().at(-1), 'ERROR The environment was reverted to the previous configuration setting.')
    assert.deepEqual(
      bench.world.instances().map(({ id, revision }) => [id, revision]),
      before.map((id) => [id, 1]),
    )
    assert.deepEqual(sizes(), [2, 2, 2])
    assert.equal(bench.environment()?.Health, 'Green')
  })

  it('keeps what was replaced before a later instance failed', async () => {
    const before = bench.world.instances().map(({ id }) => id)
    const newest = () => bench.world.instances().filter(({ id }) => !before.includes(id))
    bench.world.starts = (_intent, id) =>
      newest().findIndex((one) => one.id === id) > 0 ? 'MemoryError' : ''
    update({
      OptionSettings: [
        { Namespace: 'aws:autoscaling:launchconfiguration', OptionName: 'InstanceType', Value: 't3.small' },
      ],
    })
    await bench.until('Ready')
    assert.deepEqual(
      bench.world.instances().map(({ id, type }) => [before.includes(id), type]),
      [
        [true, 't3.micro'],
        [false, 't3.small'],
      ],
    )
    assert.deepEqual(sizes(), [2, 4, 2])
    assert.equal(bench.environment()?.Health, 'Green')
  })

  it('restarts the application on every instance', async () => {
    bench.api.restartAppServer(bench.context(), { EnvironmentName: 'shop-prod' })
    await bench.until('Ready')
    assert.equal(plain()[0], 'INFO restartAppServer is starting.')
    assert.equal(plain().at(-1), 'INFO restartAppServer completed successfully.')
    assert.deepEqual(
      bench.world.instances().map(({ revision }) => revision),
      [2, 2],
    )
  })

  it('is refused while another operation is under way', () => {
    update({ OptionSettings: [property('GREETING', 'ahoy')] })
    assert.throws(() => update({ VersionLabel: 'v1' }), {
      code: 'InvalidParameterValue',
      message: 'Environment named shop-prod is in an invalid state for this operation. Must be Ready.',
    })
  })

  it('only writes down a new description', () => {
    assert.equal(update({ Description: 'the shop' }).Status, 'Ready')
    assert.equal(bench.environment()?.Description, 'the shop')
    assert.deepEqual(plain(), [
      'INFO Environment update is starting.',
      'INFO Environment update completed successfully.',
    ])
  })
})
