import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { backupName, backupsAmong, dueNow, RETRY_MS, surplus, type LastRun } from './schedule.ts'

const NOW = Date.UTC(2026, 10, 26, 15, 15)
const DAY_MS = 24 * 3_600_000

const run = (more: Partial<LastRun> = {}): LastRun => ({
  startedAt: NOW - 3_600_000,
  folder: '/b',
  endedAt: NOW - 3_500_000,
  file: '/b/x',
  fileAt: NOW - 3_600_000,
  failure: null,
  ...more,
})

describe('a scheduled backup', () => {
  const cases: [name: string, last: LastRun | undefined, due: string | null][] = [
    ['is due when there never was one', undefined, 'first'],
    ['is not due after an hour', run(), null],
    ['is due in another folder', run({ folder: '/c' }), 'first'],
    ['is due after a day', run({ startedAt: NOW - DAY_MS }), 'time'],
    ['is due when the clock was set back', run({ startedAt: NOW + 5_000 }), 'time'],
    ['that failed waits for an hour', run({ failure: 'no', startedAt: NOW - RETRY_MS + 1 }), null],
    ['that failed is tried again', run({ failure: 'no', startedAt: NOW - RETRY_MS }), 'again'],
    ['that was broken off is tried again', run({ endedAt: null, startedAt: NOW - RETRY_MS }), 'again'],
  ]
  for (const [name, last, due] of cases)
    it(name, () => assert.equal(dueNow({ everyMs: DAY_MS, folder: '/b' }, last, NOW), due))

  it('that failed does not wait longer than the period', () =>
    assert.equal(
      dueNow({ everyMs: 60_000, folder: '/b' }, run({ failure: 'no', startedAt: NOW - 60_000 }), NOW),
      'time',
    ))
})

describe('names', () => {
  it('are told again', () => {
    const names = [backupName('abc123', NOW, false), backupName('abc123', NOW + 1_000, true)]
    assert.deepEqual(names, [
      'polebean-abc123-20261126T151500Z.tar.zst',
      'polebean-abc123-20261126T151501Z.tar.zst.sealed',
    ])
    assert.deepEqual(
      backupsAmong(names, 'abc123').map(({ at, sealed }) => [at, sealed]),
      [
        [NOW + 1_000, true],
        [NOW, false],
      ],
    )
  })

  it('are never those of other files', () => {
    const others = [
      'polebean-zzzzzz-20261126T151500Z.tar.zst',
      'polebean-abc123-20261126T151500Z.tar.zst.bak',
      'polebean-abc123-20261326T151500Z.tar.zst',
      'x-polebean-abc123-20261126T151500Z.tar.zst',
      '.polebean-abc123-20261126T151500Z.tar.zst.part-12',
      'letters',
    ]
    assert.deepEqual(surplus(others, 'abc123', 1, 'x'), [])
  })

  it('of the oldest are surplus, and never the one just made', () => {
    const names = [5, 1, 4, 2, 3].map((day) => backupName('abc123', NOW + day * DAY_MS, false))
    const day = (number: number) => backupName('abc123', NOW + number * DAY_MS, false)
    assert.deepEqual(surplus(names, 'abc123', 3, day(5)), [day(2), day(1)])
    // The clock was set back: the newest of all has the oldest name.
    assert.deepEqual(surplus(names, 'abc123', 3, day(1)), [day(3), day(2)])
    assert.deepEqual(surplus(names, 'abc123', 1, day(5)), [day(4), day(3), day(2), day(1)])
  })
})
