import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { InstanceStats } from '../../engines/compute/engine.ts'
import { instancePoints, statusFigures, usedPerSecond } from './instance-points.ts'

const AT = Date.UTC(2026, 0, 1)
const instance = { id: 'i-1', vcpus: 2, memoryBytes: 2_000, group: null }
const stats = (seconds: number, over: Partial<InstanceStats>): InstanceStats => ({
  ...{ id: 'i-1', boot: 'b1', at: AT + seconds * 1_000, cpuSeconds: 10, ...over },
})
const named = (figures: ReturnType<typeof usedPerSecond>) =>
  Object.fromEntries(figures.map(({ metricName, value }) => [metricName, value]))

describe('what an instance used in a second', () => {
  const cases: [
    what: string,
    before: InstanceStats | undefined,
    now: InstanceStats,
    seconds: number,
    figures: Record<string, number>,
  ][] = [
    ['half of two processors', stats(0, {}), stats(1, { cpuSeconds: 11 }), 1, { CPUUtilization: 50 }],
    ['never more than all', stats(0, {}), stats(1, { cpuSeconds: 12.2 }), 1, { CPUUtilization: 100 }],
    [
      'as much in each second of a stall',
      stats(0, { networkInBytes: 100 }),
      stats(5, { cpuSeconds: 15, networkInBytes: 600 }),
      5,
      { CPUUtilization: 50, NetworkIn: 100 },
    ],
    ['nothing at the first look', undefined, stats(1, {}), 1, {}],
    ['nothing from one boot to another', stats(0, { boot: 'b0' }), stats(1, { cpuSeconds: 1 }), 1, {}],
    [
      'what was counted since it was attached anew',
      stats(0, { networkOutBytes: 900, networkOutPackets: 9 }),
      stats(1, { networkOutBytes: 50, networkOutPackets: 1 }),
      1,
      { CPUUtilization: 0, NetworkOut: 50, NetworkPacketsOut: 1 },
    ],
    [
      'no figure of what was not measured',
      stats(0, { diskReads: 4, diskWriteBytes: 0 }),
      stats(1, { diskReads: 6, diskReadBytes: 8_192 }),
      1,
      { CPUUtilization: 0, DiskReadOps: 2 },
    ],
    [
      'every counter',
      stats(0, {
        ...{ networkInBytes: 0, networkOutBytes: 0, networkInPackets: 0, networkOutPackets: 0 },
        ...{ diskReadBytes: 0, diskWriteBytes: 0, diskReads: 0, diskWrites: 0 },
      }),
      stats(1, {
        ...{ networkInBytes: 1, networkOutBytes: 2, networkInPackets: 3, networkOutPackets: 4 },
        ...{ diskReadBytes: 5, diskWriteBytes: 6, diskReads: 7, diskWrites: 8, memoryBytes: 500 },
      }),
      1,
      {
        ...{ CPUUtilization: 0, NetworkIn: 1, NetworkOut: 2, NetworkPacketsIn: 3, NetworkPacketsOut: 4 },
        ...{ DiskReadBytes: 5, DiskWriteBytes: 6, DiskReadOps: 7, DiskWriteOps: 8, mem_used_percent: 25 },
      },
    ],
    ['memory at once', undefined, stats(1, { memoryBytes: 1_000 }), 1, { mem_used_percent: 50 }],
  ]
  for (const [what, before, now, seconds, figures] of cases)
    it(what, () => assert.deepEqual(named(usedPerSecond(instance, before, now, seconds)), figures))
})

describe('points of instances', () => {
  const used = (id: string, value: number, group: string | null) => ({
    instance: { ...instance, id, group },
    figures: usedPerSecond(
      instance,
      stats(0, { cpuSeconds: 0 }),
      stats(1, { cpuSeconds: (value / 100) * 2, memoryBytes: 20 }),
      1,
    ),
  })

  it('are of the instance, and of its group as one', () => {
    const points = instancePoints(
      [used('i-1', 20, 'web'), used('i-2', 40, 'web'), used('i-3', 60, null)],
      [AT],
    )
    assert.deepEqual(
      points
        .filter(({ metricName }) => metricName === 'CPUUtilization')
        .map(({ namespace, dimensions, unit, at, value }) => [namespace, dimensions, unit, at, value]),
      [
        ['AWS/EC2', { InstanceId: 'i-1' }, 'Percent', AT, 20],
        ['AWS/EC2', { InstanceId: 'i-2' }, 'Percent', AT, 40],
        ['AWS/EC2', { InstanceId: 'i-3' }, 'Percent', AT, 60],
        [
          ...['AWS/EC2', { AutoScalingGroupName: 'web' }, 'Percent', AT],
          {
            ...{ count: 2, sum: 60, min: 20, max: 40 },
            values: [
              [20, 1],
              [40, 1],
            ],
          },
        ],
      ],
    )
  })

  it('of what is now are of the last second alone', () => {
    const points = instancePoints([used('i-1', 20, null)], [AT, AT + 1_000, AT + 2_000])
    const at = (name: string) => points.flatMap((one) => (one.metricName === name ? one.at - AT : []))
    assert.deepEqual(at('CPUUtilization'), [0, 1_000, 2_000])
    assert.deepEqual(at('mem_used_percent'), [2_000])
    assert.equal(points.find(({ metricName }) => metricName === 'mem_used_percent')?.namespace, 'CWAgent')
  })
})

describe('status checks', () => {
  const cases: [engineState: string | null, failed: number, instance: number, system: number][] = [
    ['running', 0, 0, 0],
    ['stopped', 1, 1, 0],
    ['gone', 1, 1, 0],
    ['unknown', 1, 0, 1],
    [null, 0, 0, 0],
  ]
  for (const [engineState, ...values] of cases)
    it(`of an instance that the engine says is ${engineState}`, () =>
      assert.deepEqual(
        statusFigures(engineState).map(({ metricName, value }) => [metricName, value]),
        ['StatusCheckFailed', 'StatusCheckFailed_Instance', 'StatusCheckFailed_System'].map((name, index) => [
          name,
          values[index],
        ]),
      ))
})
