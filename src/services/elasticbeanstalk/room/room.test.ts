import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { BUCKET, makeBench, type Bench } from '../test-bench.ts'
import { BURST_MS, killText, planKill, TOLD_EVERY_MS, type ToldRow } from './kills.ts'
import { planLow } from './low.ts'

const NOW = 10 * TOLD_EVERY_MS
const GIB = 2 ** 30

describe('the plan of the room', () => {
  const space = (freeBytes: number) => ({ freeBytes, totalBytes: 500 * GIB })
  const row = (low: number) => ({ id: 1 as const, low, ...space(0), since: 5 })
  it('writes the first look, then changes only', () => {
    assert.deepEqual(planLow(undefined, space(GIB), 9), { id: 1, low: 0, ...space(GIB), since: 9 })
    assert.equal(planLow(row(0), space(2 * GIB), 9), undefined)
    assert.equal(planLow(row(0), space(GIB - 1), 9)?.low, 1)
  })
  it('does not waver at the border', () => {
    assert.equal(planLow(row(1), space(1.1 * GIB), 9), undefined)
    assert.deepEqual(planLow(row(1), space(1.3 * GIB), 9), { id: 1, low: 0, ...space(1.3 * GIB), since: 9 })
  })
  it('follows a disk that grew', () =>
    assert.equal(planLow(row(0), { freeBytes: GIB, totalBytes: 600 * GIB }, 9)?.totalBytes, 600 * GIB))
})

describe('the plan of what is told of kills', () => {
  const seen = (oomKills: number, oomAt: number) => ({ instanceId: 'i-1', oomKills, oomAt })
  const told = (kills: number, at: number, toldAt = at): ToldRow => ({
    ...{ instanceId: 'i-1', kills, at, toldKills: kills, toldAt },
  })
  it('tells the first with all that came at once', () =>
    assert.deepEqual(planKill(seen(3, NOW), undefined, NOW), { row: told(3, NOW), count: 3 }))
  it('tells nothing twice', () => assert.equal(planKill(seen(3, NOW), told(3, NOW), NOW + 1), null))
  it('takes what follows within a minute as the same', () => {
    const plan = planKill(seen(4, NOW + BURST_MS - 1), told(3, NOW), NOW + BURST_MS)
    assert.deepEqual(plan, { row: { ...told(3, NOW), kills: 4, at: NOW + BURST_MS - 1 }, count: 0 })
  })
  it('tells the next burst, with what was not told before', () => {
    const quiet = { ...told(3, NOW), kills: 5 }
    assert.equal(planKill(seen(6, NOW + BURST_MS), quiet, NOW + BURST_MS)?.count, 3)
  })
  it('tells a burst that does not end again after an hour', () => {
    const at = NOW + TOLD_EVERY_MS
    assert.equal(planKill(seen(99, at), { ...told(3, NOW), kills: 98, at: at - 1 }, at)?.count, 96)
  })
  it('is not silenced by a clock that was set back', () =>
    assert.equal(planKill(seen(2, NOW), told(1, NOW + 5 * TOLD_EVERY_MS), NOW)?.count, 1))
})

describe('room and memory', () => {
  let bench: Bench
  beforeEach(() => {
    bench = makeBench()
  })
  afterEach(() => bench.end())
  const up = async () => {
    bench.version('v1')
    bench.create()
    await bench.until('Ready')
  }
  const starved = (instanceId: string, oomKills: number, more: object = {}) => ({
    ...{
      instanceId,
      instanceType: 't3.micro',
      limitMiB: 1024,
      nextType: { name: 't3.small', memoryMiB: 2048 },
    },
    ...{ oomKills, oomProcess: 'gunicorn', oomOfMachine: false, oomAt: bench.clock.now(), ...more },
  })
  const kills = () => bench.texts().filter((text) => /The kernel ended/.test(text))

  it('tells a kill as one event that names process, limit and the next type', async () => {
    await up()
    const [instance] = bench.world.instances()
    bench.world.starved = [starved(instance!.id, 1)]
    await bench.clock.run(61_000)
    const text =
      `WARN [Instance: ${instance!.id}] The kernel ended the process gunicorn for want of memory: an instance of type t3.micro ` +
      'may hold 1024 MiB. Let the application use less, or choose a larger instance type; the next larger one is t3.small with 2048 MiB.'
    assert.deepEqual(kills(), [text])
    await bench.clock.run(10 * 60_000)
    assert.equal(kills().length, 1)
    bench.world.starved = [starved(instance!.id, 3, { oomProcess: '' })]
    await bench.clock.run(61_000)
    assert.match(kills()[1]!, /The kernel ended 2 processes for want of memory:/)
  })
  it('says what helps when the whole machine is short, and when there is no larger type', () => {
    assert.match(
      killText(starved('i-1', 1, { oomOfMachine: true }), 1),
      /that of the whole machine was used up\. Terminate/,
    )
    assert.match(
      killText(starved('i-1', 1, { nextType: null }), 2),
      /ended 2 processes, the last one gunicorn, for .* there is no larger one/,
    )
  })

  it('refuses builds, processing and nothing that runs while the disk is nearly full, then goes on', async () => {
    await up()
    bench.disk.freeBytes = 1
    await bench.clock.run(10_000)
    assert.equal(bench.environment()?.HealthStatus, 'Warning')
    assert.match(
      bench.texts().at(-1)!,
      /^WARN Environment health has transitioned from Ok to Warning\. The disk of the home has less/,
    )
    const update = async (label: string) => {
      bench.version(label)
      bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', VersionLabel: label })
      await bench.until('Ready')
    }
    await update('v2')
    assert.ok(
      bench
        .texts()
        .some((text) =>
          /^ERROR Building application version v2 failed: The build was refused: the disk of the home has less than 1\.0 GiB/.test(
            text,
          ),
        ),
      bench.texts().join('\n'),
    )
    assert.equal(bench.environment()?.VersionLabel, 'v1')
    assert.throws(
      () =>
        bench.api.createApplicationVersion(bench.context(), {
          ...{ ApplicationName: 'shop', VersionLabel: 'v3', Process: true },
          SourceBundle: { S3Bucket: BUCKET, S3Key: 'v2.zip' },
        }),
      {
        code: 'InsufficientStorage',
        httpStatus: 507,
        message: /^Processing the version was refused: the disk/,
      },
    )
    bench.disk.freeBytes = 400 * GIB
    await bench.clock.run(10_000)
    assert.equal(bench.environment()?.HealthStatus, 'Ok')
    bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', VersionLabel: 'v2' })
    await bench.until('Ready')
    assert.equal(bench.environment()?.VersionLabel, 'v2')
  })

  it('names the limit of a build whose process the kernel ended', async () => {
    bench.hooks.build = () => ({
      exit: 137,
      output: 'Killed',
      oom: { process: 'cc1plus', limitBytes: 4 * GIB },
    })
    bench.version('v1')
    bench.create()
    await bench.until('Ready')
    const told = bench.texts().filter((text) => /The kernel ended/.test(text))
    assert.equal(told.length, 1)
    assert.match(
      told[0]!,
      /^ERROR Building application version v1 failed: The kernel ended the process cc1plus of the build for want of memory: a build may hold 4\.0 GiB/,
    )
  })

  it('keeps of each environment as many events as its budget says', async () => {
    bench.hooks.budgets = { caches: 0, events: 3 }
    await up()
    await bench.clock.run(61_000)
    assert.equal(bench.events().length, 3)
  })
})
