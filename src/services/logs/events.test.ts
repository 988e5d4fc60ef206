import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { messagesOf as messages, onLogs } from './test-logs.ts'

const bench = onLogs()
const { logs, at, filter, group, stream, put, every } = bench

describe('events of a stream', () => {
  const get = (more: object = {}) =>
    logs().getLogEvents(bench.world.context, { logGroupName: 'app', logStreamName: 's', ...more })
  beforeEach(() => {
    group('app')
    stream('app', 's')
  })

  it('come back as they were put, in the order of their times', () => {
    put('app', 's', [at(-10), 'c'], [at(-10), 'd'], [at(), 'e \u{1f600}\n\u0000 "'])
    put('app', 's', [at(-20), 'a'], [at(-20), 'b'])
    const { events } = get({ startFromHead: true })
    assert.deepEqual(messages(events), ['a', 'b', 'c', 'd', 'e \u{1f600}\n\u0000 "'])
    assert.deepEqual(events![0], { timestamp: at(-20), message: 'a', ingestionTime: at() })
  })

  it('are paged forwards, with the same token at the end until there are more', () => {
    put('app', 's', 'a', 'b', 'c')
    const first = get({ startFromHead: true, limit: 2 })
    assert.deepEqual(messages(first.events), ['a', 'b'])
    const second = get({ startFromHead: true, limit: 2, nextToken: first.nextForwardToken })
    assert.deepEqual(messages(second.events), ['c'])
    const third = get({ startFromHead: true, nextToken: second.nextForwardToken })
    assert.deepEqual(third.events, [])
    assert.equal(third.nextForwardToken, second.nextForwardToken)
    put('app', 's', 'd')
    assert.deepEqual(messages(get({ nextToken: third.nextForwardToken }).events), ['d'])
    assert.deepEqual(messages(get({ nextToken: third.nextBackwardToken, limit: 1 }).events), ['c'])
  })

  it('are paged backwards from the end, which is the default', () => {
    put('app', 's', 'a', 'b', 'c')
    const first = get({ limit: 2 })
    assert.deepEqual(messages(first.events), ['b', 'c'])
    const second = get({ limit: 2, nextToken: first.nextBackwardToken })
    assert.deepEqual(messages(second.events), ['a'])
    const third = get({ nextToken: second.nextBackwardToken })
    assert.deepEqual([third.events, third.nextBackwardToken], [[], second.nextBackwardToken])
    assert.deepEqual(messages(get({ nextToken: third.nextForwardToken }).events), ['a', 'b', 'c'])
    put('app', 's', 'd')
    assert.deepEqual(messages(get({ nextToken: first.nextForwardToken }).events), ['d'])
  })

  it('of a stream that has none lead to those that come', () => {
    const { events, nextForwardToken } = get()
    assert.deepEqual(events, [])
    put('app', 's', 'a')
    assert.deepEqual(messages(get({ nextToken: nextForwardToken }).events), ['a'])
  })

  it('are of the time that is asked for: the start is of it, the end is not', () => {
    put('app', 's', [at(-2), 'a'], [at(-1), 'b'], [at(), 'c'])
    assert.deepEqual(messages(get({ startTime: at(-2), endTime: at() }).events), ['a', 'b'])
    assert.deepEqual(messages(get({ startTime: at(-1) }).events), ['b', 'c'])
  })

  it('fill an answer up to a megabyte', () => {
    const half = 'x'.repeat(500_000)
    put('app', 's', half, half)
    put('app', 's', half)
    const first = get({ startFromHead: true })
    assert.equal(first.events!.length, 2)
    assert.equal(get({ nextToken: first.nextForwardToken }).events!.length, 1)
  })

  it('are refused with a token that is none, or a limit that is none', () => {
    for (const nextToken of ['x', 'f/12', `q/${'1'.repeat(56)}`, `f/3${'9'.repeat(55)}`])
      assert.throws(() => get({ nextToken }), { message: 'The specified nextToken is invalid.' })
    assert.throws(() => get({ limit: 10_001 }), { message: /less than or equal to 10000/ })
    assert.throws(() => get({ limit: 0 }), { message: /greater than or equal to 1/ })
    assert.throws(() => get({ startTime: -1 }), { message: /greater than or equal to 0/ })
    assert.throws(() => get({ logStreamName: 'no' }), {
      message: 'The specified log stream does not exist.',
    })
  })

  it('expire with the retention of their group, and leave the file', async () => {
    const day = 24 * 3_600_000
    put('app', 's', [at(-3 * day), 'old'])
    put('app', 's', [at(), 'new'])
    logs().putRetentionPolicy(bench.world.context, { logGroupName: 'app', retentionInDays: 3 })
    assert.deepEqual(messages(get().events), ['old', 'new'])
    await bench.world.clock.run(20_000)
    assert.deepEqual(messages(get().events), ['new'])
    assert.deepEqual(every(), ['new'])
    assert.equal(bench.world.logEvents.all('select * from log_block').length, 1)
  })
})

describe('PutLogEvents', () => {
  beforeEach(() => {
    group('app')
    stream('app', 's')
  })
  const day = 24 * 3_600_000

  it('leaves out what is too old, too new or expired, and says so', () => {
    const { rejectedLogEventsInfo } = put(
      'app',
      's',
      [at(-15 * day), 'old'],
      [at(), 'now'],
      [at(2 * 3_600_000), 'soon'],
      [at(2 * 3_600_000 + 1), 'late'],
    )
    assert.deepEqual(rejectedLogEventsInfo, { tooNewLogEventStartIndex: 3, tooOldLogEventEndIndex: 1 })
    logs().putRetentionPolicy(bench.world.context, { logGroupName: 'app', retentionInDays: 1 })
    const later = put('app', 's', [at(-2 * day), 'expired'], [at(), 'then'])
    assert.deepEqual(later.rejectedLogEventsInfo, { expiredLogEventEndIndex: 1 })
    assert.deepEqual(every(), ['now', 'then', 'soon'])
    assert.equal(put('app', 's', 'fine').rejectedLogEventsInfo, undefined)
  })

  it('takes no entity, and the events all the same', () => {
    const { rejectedEntityInfo } = logs().putLogEvents(bench.world.context, {
      ...{ logGroupName: 'app', logStreamName: 's', sequenceToken: 'of earlier days' },
      logEvents: [{ timestamp: at(), message: 'x' }],
      entity: { keyAttributes: { Type: 'Service' } },
    })
    assert.deepEqual(rejectedEntityInfo, { errorType: 'UnsupportedLogGroupType' })
    assert.deepEqual(every(), ['x'])
  })

  const refused: [what: string, batch: () => [number, string][], message: RegExp | string][] = [
    ['nothing', () => [], /at 'logEvents' .*length greater than or equal to 1/],
    [
      '10,001 events',
      () => Array.from({ length: 10_001 }, (): [number, string] => [at(), 'x']),
      /at 'logEvents' .*length less than or equal to 10000/,
    ],
    [
      'events out of order',
      () => [
        [at(), 'b'],
        [at(-1), 'a'],
      ],
      'Log events in a single PutLogEvents request must be in chronological order.',
    ],
    [
      'more than a day',
      () => [
        [at(-day - 1), 'a'],
        [at(), 'b'],
      ],
      'The batch of log events in a single PutLogEvents request cannot span more than 24 hours.',
    ],
    [
      'more than a megabyte',
      () => [
        [at(), 'x'.repeat(524_288)],
        [at(), 'y'.repeat(524_288)],
      ],
      'Upload too large: 1048628 bytes exceeds limit of 1048576',
    ],
    [
      'an event that is too large',
      () => [[at(), 'é'.repeat(524_288)]],
      'Log event too large: 1048602 bytes exceeds limit of 1048576',
    ],
    ['an empty message', () => [[at(), '']], /at 'logEvents\.1\.member\.message'/],
    ['a time before 1970', () => [[-1, 'x']], /at 'logEvents\.1\.member\.timestamp'/],
  ]
  for (const [what, batch, message] of refused)
    it(`refuses ${what} whole`, () => {
      assert.throws(() => put('app', 's', ...batch()), { name: 'InvalidParameterException', message })
      assert.deepEqual(every(), [])
    })
})

describe('FilterLogEvents', () => {
  beforeEach(() => {
    group('app')
    for (const name of ['i-1', 'i-2', 'other']) stream('app', name)
  })

  it('has the events of all streams, in the order of their times', () => {
    put('app', 'i-1', [at(-30), 'a'], [at(-10), 'c'])
    put('app', 'i-2', [at(-20), 'b'], [at(), 'd'])
    put('app', 'other', [at(-5), 'x'])
    assert.deepEqual(every(), ['a', 'b', 'c', 'x', 'd'])
    assert.deepEqual(every({ limit: 2 }), ['a', 'b', 'c', 'x', 'd'])
    assert.deepEqual(every({ logStreamNames: ['i-1', 'other'] }), ['a', 'c', 'x'])
    assert.deepEqual(every({ logStreamNames: ['i-2'] }), ['b', 'd'])
    assert.deepEqual(every({ logStreamNamePrefix: 'i-', limit: 1 }), ['a', 'b', 'c', 'd'])
    assert.deepEqual(every({ logStreamNamePrefix: 'none' }), [])
    assert.deepEqual(every({ startTime: at(-20), endTime: at(-5) }), ['b', 'c', 'x'])
    assert.deepEqual(every({ startTime: at(-20), startFromHead: false }), ['d', 'x', 'c', 'b'])
    assert.deepEqual(every({ startTime: at(-30), startFromHead: false, limit: 2 }), ['d', 'x', 'c', 'b', 'a'])
    assert.deepEqual(every({ logGroupName: undefined, logGroupIdentifier: 'app', filterPattern: 'b' }), ['b'])
  })

  it('tells each event by an id of its own, which stays', () => {
    put('app', 'i-1', 'a', 'a')
    put('app', 'i-2', 'a')
    const ids = () => filter().events!.map((one) => one.eventId)
    const before = ids()
    assert.equal(new Set(before).size, 3)
    for (const id of before) assert.match(id!, /^\d{56}$/)
    put('app', 'i-1', 'b')
    assert.deepEqual(
      before.every((id) => ids().includes(id)),
      true,
    )
  })

  it('finds what a pattern says', () => {
    put('app', 'i-1', '{"level":"error","n":7}', 'plain ERROR', '{"level":"info"}')
    assert.deepEqual(every({ filterPattern: '{ $.level = "error" && $.n > 5 }' }), [
      '{"level":"error","n":7}',
    ])
    assert.deepEqual(every({ filterPattern: 'ERROR' }), ['plain ERROR'])
    for (const filterPattern of ['{ $.a', 'foo-bar', '%x%', 'x'.repeat(1_025)])
      assert.throws(() => filter({ filterPattern }), { name: 'InvalidParameterException' })
  })

  it('refuses what AWS refuses', () => {
    const failing: [object, RegExp][] = [
      [{ logStreamNames: ['i-1'], logStreamNamePrefix: 'i' }, /mutually exclusive/],
      [{ logStreamNames: [] }, /between 1 and 100/],
      [{ logStreamNames: ['no'] }, /The specified log stream does not exist\./],
      [{ nextToken: 'x' }, /The specified nextToken is invalid\./],
      [{ limit: 10_001 }, /less than or equal to 10000/],
      [{ startFromHead: false }, /2024/],
    ]
    for (const [input, message] of failing) assert.throws(() => filter(input), { message })
  })

  it('goes through much little by little, and says where to go on', () => {
    const line = 'x'.repeat(1_000)
    for (let count = 0; count < 30; count++)
      put('app', 'i-1', ...Array.from({ length: 1_000 }, (): [number, string] => [at(count), line]))
    put('app', 'i-1', [at(100), 'needle'])
    const first = filter({ filterPattern: 'needle' })
    assert.deepEqual(first.events, [])
    assert.ok(first.nextToken)
    assert.deepEqual(every({ filterPattern: 'needle' }), ['needle'])
    assert.deepEqual(every({ filterPattern: 'needle', startFromHead: false, startTime: at(-1) }), ['needle'])
  })
})

describe('what other services write', () => {
  const ingest = (position?: string, ...lines: string[]) =>
    logs().ingest(
      bench.world.context,
      { group: 'app', stream: 'i-1', retentionDays: 7 },
      lines.map((message) => ({ timestamp: at(), message })),
      position,
    )

  it('makes the group and the stream, and keeps how far its source was read', () => {
    assert.equal(logs().position(bench.world.context, { group: 'app', stream: 'i-1' }), null)
    ingest('1', 'a', 'b')
    ingest('2')
    assert.equal(logs().position(bench.world.context, { group: 'app', stream: 'i-1' }), '2')
    assert.deepEqual(every(), ['a', 'b'])
    const days = () => logs().describeLogGroups(bench.world.context, {}).logGroups![0]!.retentionInDays
    assert.equal(days(), 7)
    logs().putRetentionPolicy(bench.world.context, { logGroupName: 'app', retentionInDays: 30 })
    ingest('3', 'c')
    assert.equal(days(), 30, 'what a user sets is kept until the service asks for something else')
    logs().removeGroup(bench.world.context, 'app')
    logs().removeGroup(bench.world.context, 'app')
    assert.equal(logs().position(bench.world.context, { group: 'app', stream: 'i-1' }), null)
  })

  it('is cut where AWS has no room for it', () => {
    ingest('1', 'x'.repeat(2 << 20))
    assert.equal(filter().events![0]!.message!.length, 1 << 20)
  })
})
