import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  killInstance,
  rotateInside,
  runningInstances,
  writeInside,
} from '../../../engines/compute/fake-world.ts'
import { onRealServices, option } from '../test-real-bench.ts'

const stage = onRealServices()
const LOGS = 'aws:elasticbeanstalk:cloudwatch:logs'
const WEB = '/var/log/web.stdout.log'
const GROUP = `/aws/elasticbeanstalk/shop-prod${WEB}`
const on = option(LOGS, 'StreamLogs', 'true')
const SECOND = 1_000

async function created(...OptionSettings: ReturnType<typeof option>[]): Promise<string> {
  const { bench, world } = stage
  bench.create({ OptionSettings })
  await bench.until('Ready')
  await world.clock.run(5 * SECOND)
  return runningInstances(world.compute.world)[0]!.spec.id
}
const groups = () => {
  const { logGroups = [] } = stage.world.logs.describeLogGroups(stage.world.context, {})
  return logGroups.map((one) => `${one.logGroupName} ${one.retentionInDays}`)
}
const lines = (logGroupName = GROUP) =>
  stage.world.logs.filterLogEvents(stage.world.context, { logGroupName }).events!.map((one) => one.message)
const write = (id: string, text: string) => writeInside(stage.world.compute.world, id, WEB, text)

describe('logs that are streamed', () => {
  it('are in groups of AWS’s names, a stream an instance', async () => {
    const id = await created(on)
    assert.deepEqual(groups(), [
      '/aws/elasticbeanstalk/shop-prod/var/log/eb-engine.log 7',
      '/aws/elasticbeanstalk/shop-prod/var/log/nginx/access.log 7',
      '/aws/elasticbeanstalk/shop-prod/var/log/nginx/error.log 7',
      '/aws/elasticbeanstalk/shop-prod/var/log/web.stdout.log 7',
    ])
    write(id, 'one\ntwo\nthr')
    await stage.world.clock.run(5 * SECOND)
    assert.deepEqual(lines(), ['one', 'two'])
    write(id, 'ee\n')
    await stage.world.clock.run(5 * SECOND)
    assert.deepEqual(lines(), ['one', 'two', 'three'])
    const { logStreams } = stage.world.logs.describeLogStreams(stage.world.context, { logGroupName: GROUP })
    assert.deepEqual(
      logStreams!.map((one) => one.logStreamName),
      [id],
    )
    const engine = lines('/aws/elasticbeanstalk/shop-prod/var/log/eb-engine.log')
    assert.match(engine[0]!, /\[INFO\] Deployment 1: application version v1/)
    assert.match(engine.at(-1)!, /Instance deployment completed successfully\./)
  })

  it('are neither lost nor doubled over rotations, deaths of the control plane and errors of the engine', async () => {
    const { world } = stage
    const id = await created(on)
    const written: string[] = []
    for (let round = 0; round < 60; round++) {
      const text = `line ${round}`
      written.push(text)
      write(id, `${text}\n`)
      if (round % 7 === 3) rotateInside(world.compute.world, id, WEB)
      world.compute.fault = ({ method }) =>
        method === 'follow' && round % 5 === 0 ? (round % 2 ? 'error before' : 'error after') : undefined
      await world.clock.run(1_700)
      if (round % 11 === 0) world.restart()
    }
    world.compute.fault = () => undefined
    await world.clock.run(120 * SECOND)
    assert.deepEqual(lines(), written)
  })

  it('of a chatty instance come little by little, and whole', async () => {
    const id = await created(on)
    const all = Array.from({ length: 50_000 }, (_, index) => `${index} ${'x'.repeat(90)}`)
    write(id, all.map((line) => `${line}\n`).join(''))
    await stage.world.clock.run(30 * SECOND)
    const found: (string | undefined)[] = []
    for (let nextToken: string | undefined, more = true; more; more = nextToken !== undefined) {
      const page = stage.world.logs.filterLogEvents(stage.world.context, {
        logGroupName: GROUP,
        ...(nextToken ? { nextToken } : {}),
      })
      found.push(...page.events!.map((one) => one.message))
      nextToken = page.nextToken
    }
    assert.deepEqual(found, all)
  })

  it('go on when it begins to be asked for, and end when it does not', async () => {
    const { bench, world } = stage
    const id = await created()
    assert.deepEqual(groups(), [])
    write(id, 'before\n')
    const update = async (...OptionSettings: ReturnType<typeof option>[]) => {
      bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', OptionSettings })
      await bench.until('Ready')
      await world.clock.run(5 * SECOND)
    }
    await update(on, option(LOGS, 'RetentionInDays', '30'))
    assert.equal(runningInstances(world.compute.world)[0]!.spec.id, id, 'in place')
    assert.deepEqual(lines(), ['before'])
    assert.ok(groups().every((one) => one.endsWith(' 30')))
    await update(option(LOGS, 'RetentionInDays', '3'))
    assert.ok(groups().every((one) => one.endsWith(' 3')))
    await update(option(LOGS, 'StreamLogs', 'false'))
    write(id, 'after\n')
    await world.clock.run(10 * SECOND)
    assert.deepEqual(lines(), ['before'])
  })

  it('stay when their environment goes, unless its settings say something else', async () => {
    const { bench, world } = stage
    const end = async () => {
      bench.api.terminateEnvironment(bench.context(), { EnvironmentName: 'shop-prod' })
      await bench.until('Terminated')
      await world.clock.run(30 * SECOND)
    }
    const id = await created(on)
    write(id, 'x\n')
    await world.clock.run(5 * SECOND)
    await end()
    assert.deepEqual([groups().length, lines()], [4, ['x']])
    await created(
      on,
      option(LOGS, 'DeleteOnTerminate', 'true'),
      option(`${LOGS}:health`, 'HealthStreamingEnabled', 'true'),
    )
    await end()
    assert.deepEqual(groups(), ['/aws/elasticbeanstalk/shop-prod/environment-health.log 7'])
  })

  it('of health are a line of JSON for each change', async () => {
    const { world } = stage
    const id = await created(option(`${LOGS}:health`, 'HealthStreamingEnabled', 'true'))
    const group = '/aws/elasticbeanstalk/shop-prod/environment-health.log'
    assert.deepEqual(groups(), [`${group} 7`])
    world.unanswering.add(world.compute.world.instances.get(id)!.spec.requestedAddress)
    await world.clock.run(180 * SECOND)
    killInstance(world.compute.world, id, world.clock.now())
    await world.clock.run(60 * SECOND)
    const said = lines(group).map((line) => JSON.parse(line!) as Record<string, unknown>)
    assert.ok(said.length >= 3)
    assert.ok(said.some((one) => one['HealthStatus'] === 'Ok' && one['Color'] === 'Green'))
    assert.ok(said.some((one) => one['HealthStatus'] === 'Severe'))
    const [first] = said
    assert.deepEqual(Object.keys(first!), [
      'EnvironmentName',
      'EnvironmentId',
      'HealthStatus',
      'Color',
      'Status',
      'Causes',
      'RefreshedAt',
    ])
    const { logStreams } = world.logs.describeLogStreams(world.context, { logGroupName: group })
    assert.match(logStreams![0]!.logStreamName!, /^\d{4}-\d\d-\d\d#[a-z0-9]+$/)
  })
})
