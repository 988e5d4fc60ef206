// The reconciler, on its bench: what reaches CloudWatch of an environment, minute by minute.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { MetricPoint } from '../cloud.ts'
import { makeBench, type Bench } from './test-bench.ts'

let bench: Bench
let points: MetricPoint[]
beforeEach(() => {
  bench = makeBench()
  points = []
  bench.world.measured = (all) => void points.push(...all)
  bench.version('v1')
})
afterEach(() => bench.end())

const created = async () => {
  bench.create()
  await bench.until('Ready')
  await bench.clock.run(60_000)
  points = []
}
const of = (metricName: string) => points.filter((one) => one.metricName === metricName)

describe('an environment', () => {
  it('tells its health once a minute, and nothing else unless it is asked for', async () => {
    await created()
    await bench.clock.run(180_000)
    assert.deepEqual(
      of('EnvironmentHealth').map(({ value, dimensions }) => [value, dimensions]),
      Array(3).fill([0, { EnvironmentName: 'shop-prod' }]),
    )
    assert.equal(points.length, 3)
    const minutes = points.map(({ at }) => at / 60_000)
    assert.deepEqual(
      minutes.map((minute) => minute - Math.floor(minute)),
      [0, 0, 0],
    )
  })

  it('tells what its ConfigDocument asks for, of itself and of its instances', async () => {
    await created()
    const value = JSON.stringify({
      Version: 1,
      CloudWatchMetrics: {
        Environment: { InstancesOk: 60 },
        Instance: { InstanceHealth: 60, CPUUser: 60, LoadAverage1min: 60 },
      },
    })
    const setting = {
      ...{ namespace: 'aws:elasticbeanstalk:healthreporting:system', optionName: 'ConfigDocument' },
      ...{ resourceName: null, value },
    }
    const row = bench.store.get<{ id: string; settings: string }>('select id, settings from environment')!
    const settings = [...(JSON.parse(row.settings) as object[]), setting]
    bench.store.update('environment', { id: row.id }, { settings: JSON.stringify(settings) })
    await bench.clock.run(60_000)
    const [instance] = bench.world.instances()
    assert.deepEqual(
      of('InstancesOk').map(({ value: count }) => count),
      [1],
    )
    assert.deepEqual(
      of('InstanceHealth').map(({ dimensions, value: health }) => [dimensions, health]),
      [[{ InstanceId: instance!.id, EnvironmentName: 'shop-prod' }, 0]],
    )
    assert.equal(of('CPUUser').length, 1)
    assert.deepEqual(of('LoadAverage1min'), [], 'nobody measures it')
  })
})
