import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { VirtualClock } from '../../../../sim/virtual-clock.ts'
import { openMetricFile } from './file.ts'
import { makeMetrics } from './metrics.ts'
import { combine, single } from './sample.ts'
import { stretches, TIERS } from './tiers.ts'

const dir = mkdtempSync(join(tmpdir(), 'polebean-metrics-'))
after(() => rmSync(dir, { recursive: true }))

/** A minute's beginning. */
const T = 1_800_000_000
const keyOf = (name: string) => ({
  ...{ account: '1', region: 'r', namespace: 'N', name, dimensions: '[]', unit: 'None' },
})
const GIB = 2 ** 30

function makeWorld(path = ':memory:', bytesMax = GIB) {
  const clock = new VirtualClock()
  const at = (second: number) => clock.setWall(second * 1000 - clock.now())
  at(T)
  const file = openMetricFile(path)
  const start = () => makeMetrics(file, clock, () => bytesMax)
  const world = { clock, file, metrics: start(), restart: () => (world.metrics = start()) }
  const put = (name: string, second: number, value: number, durable = false) =>
    world.metrics.record([{ key: keyOf(name), second, sample: single(value) }], { durable })
  const settle = () => {
    while (world.metrics.work());
  }
  const read = (name: string, from: number, to: number, period: number) => {
    const [series] = file.findSeries(keyOf(name))
    return series ? world.metrics.read(series.id, { from, to, period }) : []
  }
  return { ...world, world, put, settle, read, at }
}

describe('metrics', () => {
  it('are read each second, out of memory and out of the file', () => {
    const { put, read, at, settle } = makeWorld()
    for (let second = 0; second < 200; second++) {
      at(T + second)
      put('a', T + second, second)
      settle()
    }
    const bins = read('a', T, T + 200, 1)
    assert.deepEqual(
      bins.map(({ start, sample }) => [start - T, sample.sum]),
      Array.from({ length: 200 }, (_none, second) => [second, second]),
    )
    assert.deepEqual(
      read('a', T, T + 200, 100).map(({ sample }) => sample),
      [
        { count: 100, sum: 4950, min: 0, max: 99 },
        { count: 100, sum: 14950, min: 100, max: 199 },
      ],
    )
  })

  it('say the same of any span and period, however they were rolled up', () => {
    const points = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 3 * 86_400 - 1 }), fc.integer({ min: -50, max: 50 })),
      { minLength: 1, maxLength: 150 },
    )
    const reads = fc.array(fc.tuple(fc.integer({ min: 0, max: 70 }), fc.constantFrom(3600, 7200, 21_600)), {
      minLength: 3,
      maxLength: 3,
    })
    fc.assert(
      fc.property(points, reads, fc.boolean(), (all, asked, late) => {
        const { put, read, at, settle } = makeWorld()
        const told = late ? all : all.toSorted(([a], [b]) => a - b)
        for (const [index, [second, value]] of told.entries()) {
          // Late ones: by up to two days, in any order.
          at(T + (late ? Math.max(second, 86_400 + index) : second))
          put('a', T + second, value)
          settle()
        }
        at(T + 3 * 86_400)
        settle()
        for (const [hour, period] of asked) {
          const from = T + hour * 3600
          for (const { start, sample } of read('a', from, from + 86_400, period)) {
            const own = told.filter(([second]) => T + second >= start && T + second < start + period)
            assert.deepEqual(sample, combine(own.map(([, value]) => single(value))))
          }
          const inSpan = told.filter(([second]) => T + second >= from && T + second < from + 86_400)
          const counted = read('a', from, from + 86_400, period).reduce(
            (sum, { sample }) => sum + sample.count,
            0,
          )
          assert.equal(counted, inSpan.length)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('have percentiles of the values that were told, also rolled up', () => {
    const { metrics, read, at, settle, file } = makeWorld()
    const values = Array.from({ length: 100 }, (_none, index): [number, number] => [index + 1, 1])
    for (let second = 0; second < 60; second++)
      metrics.record([
        { key: keyOf('a'), second: T + second, sample: { count: 100, sum: 5050, min: 1, max: 100, values } },
      ])
    at(T + 4 * 3600)
    settle()
    assert.equal(read('a', T, T + 60, 60)[0]!.sample.values?.length, 100)
    const hour = metrics.read(
      file.findSeries(keyOf('a'))[0]!.id,
      { from: T - (T % 3600), to: T + 3600, period: 3600 },
      true,
    )
    assert.equal(hour[0]!.sample.values?.length, 100)
  })

  it('keep what was acknowledged when the server is killed, and the rest up to the last minutes', () => {
    const path = join(dir, 'killed.db')
    const { put, at, settle, clock, file } = makeWorld(path)
    put('put', T, 1, true)
    put('measured', T, 1)
    at(T + 90)
    settle()
    put('put', T + 90, 2, true)
    put('measured', T + 90, 2)
    file.close()
    const again = openMetricFile(path)
    const metrics = makeMetrics(again, clock, () => GIB)
    const sumOf = (name: string) =>
      metrics
        .read(again.findSeries(keyOf(name))[0]!.id, { from: T, to: T + 300, period: 300 })
        .reduce((sum, { sample }) => sum + sample.sum, 0)
    assert.deepEqual([sumOf('put'), sumOf('measured')], [3, 1])
    at(T + 300)
    while (metrics.work());
    assert.deepEqual([sumOf('put'), sumOf('measured')], [3, 1])
    assert.deepEqual(again.journal(), [])
    again.close()
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  it('are all there after an orderly end', () => {
    const { put, world, restart, read } = makeWorld()
    put('a', T + 3, 7)
    world.metrics.flush()
    restart()
    assert.equal(read('a', T, T + 60, 60)[0]?.sample.sum, 7)
  })

  it('write nothing to a file that is as it should be: a full disk keeps no server from starting', () => {
    const path = join(dir, 'as-it-is.db')
    openMetricFile(path).close()
    // https://www.sqlite.org/fileformat.html: 24 counts changes, 64 says whether pages can be given back.
    const before = readFileSync(path)
    assert.equal(before.readUInt32BE(64), 1)
    openMetricFile(path).close()
    assert.equal(readFileSync(path).readUInt32BE(24), before.readUInt32BE(24))
  })

  it('begin anew where the file is damaged, and put it aside', () => {
    const path = join(dir, 'damaged.db')
    writeFileSync(path, 'x'.repeat(8192))
    const file = openMetricFile(path)
    assert.equal(file.broken, `${path}.broken`)
    assert.equal(file.countSeries(), 0)
    file.close()
  })

  it('go when they are too old, names last', () => {
    const { put, settle, at, file } = makeWorld()
    put('a', T, 1)
    for (let day = 0; day < 460; day++) {
      at(T + day * 86_400)
      settle()
    }
    assert.equal(file.countSeries(), 0)
    assert.deepEqual(
      TIERS.map((_tier, index) => file.firstBlock(index)),
      TIERS.map(() => undefined),
    )
  })

  it('give up the oldest seconds first when the file is over its budget', () => {
    const { put, settle, at, file } = makeWorld(':memory:', 400_000)
    for (let second = 0; second < 2 * 3600; second += 1) {
      at(T + second)
      for (let metric = 0; metric < 10; metric++) put(`m${metric}`, T + second, Math.sqrt(second + metric))
      if (second % 20 === 0) settle()
    }
    assert.ok(file.bytes() <= 500_000, String(file.bytes()))
    assert.ok(file.firstBlock(0)! > T + 600)
    assert.ok(file.firstBlock(1)! <= file.firstBlock(0)! - 1800, 'what is rolled up stays longer')
  })
})

describe('stretches', () => {
  const now = T + 100 * 86_400
  const rolled = [0, now - 600, now - 3600, now - 21_600, now - 3 * 86_400]
  it('cover the time once, without holes, from where anything is kept', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 450 * 86_400 }),
        fc.integer({ min: 1, max: 86_400 }),
        (ago, length) => {
          const from = now - ago
          const to = Math.min(now, from + length)
          let at = from
          for (const one of stretches({ from, to, period: 60, now }, rolled)) {
            assert.equal(one.from, at)
            at = one.to
          }
          assert.equal(at, to)
        },
      ),
    )
  })
})
