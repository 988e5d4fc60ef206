import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { cronOf, isTimeZone, latestDue, nextRun } from './schedule.ts'
import { makeTestGroup, NAME, type TestGroup } from './test-group.ts'

const at = (text: string) => Date.parse(text)
const daily = (more: object = {}) => ({
  ...{ startAt: null, endAt: null, recurrence: '30 8 * * 1-5', timeZone: null as string | null },
  ...more,
})

describe('when a scheduled action runs', () => {
  const monday = at('2026-03-02T00:00:00Z')
  const cases: [string, number | null, number | null][] = [
    ['next by its cron', nextRun(daily(), monday), at('2026-03-02T08:30:00Z')],
    ['not at the same time again', nextRun(daily(), at('2026-03-02T08:30:00Z')), at('2026-03-03T08:30:00Z')],
    ['over the week-end', nextRun(daily(), at('2026-03-06T12:00:00Z')), at('2026-03-09T08:30:00Z')],
    ['in its time zone', nextRun(daily({ timeZone: 'Europe/Berlin' }), monday), at('2026-03-02T07:30:00Z')],
    [
      'in its time zone, with daylight saving',
      nextRun(daily({ timeZone: 'Europe/Berlin' }), at('2026-03-29T12:00:00Z')),
      at('2026-03-30T06:30:00Z'),
    ],
    [
      'not before its start',
      nextRun(daily({ startAt: at('2026-03-04T08:30:00Z') }), monday),
      at('2026-03-04T08:30:00Z'),
    ],
    ['not after its end', nextRun(daily({ endAt: at('2026-03-02T08:00:00Z') }), monday), null],
    ['once', nextRun({ ...daily(), recurrence: null, startAt: monday + 1 }, monday), monday + 1],
    ['and never again', nextRun({ ...daily(), recurrence: null, startAt: monday }, monday), null],
  ]
  for (const [why, got, wanted] of cases) it(why, () => assert.equal(got, wanted))

  it('of what was missed, the latest', () => {
    const since = at('2026-03-02T08:30:00Z')
    assert.equal(latestDue(daily(), since, since), since)
    assert.equal(latestDue(daily(), since, at('2026-03-05T08:30:00Z')), at('2026-03-05T08:30:00Z'))
    assert.equal(latestDue(daily(), since, at('2026-03-05T08:29:59Z')), at('2026-03-04T08:30:00Z'))
    const ending = daily({ endAt: at('2026-03-03T12:00:00Z') })
    assert.equal(latestDue(ending, since, at('2026-03-09T00:00:00Z')), at('2026-03-03T08:30:00Z'))
  })
  it('is said by five fields, and by nothing else that croner knows', () => {
    for (const good of ['* * * * *', '*/5 0 1 1 0', '0 6 * JAN-MAR MON,FRI', '0 0 * JUL *', '15 10 * * 7'])
      assert.ok(cronOf(good, null), good)
    for (const bad of [
      '',
      'x',
      '@daily',
      '0 0 6 * * 1-5',
      '60 * * * *',
      '? * * * *',
      '0 0 L * *',
      '0 0 31 2',
      '0 24 * * *',
    ])
      assert.equal(cronOf(bad, null), undefined, bad)
    assert.deepEqual(
      ['UTC', 'Europe/Berlin', 'CET/x', 'EST', '+01:00', 'America/Argentina/Buenos_Aires'].map(isTimeZone),
      [true, true, false, false, false, true],
    )
  })
})

describe('a scheduled action', () => {
  let test: TestGroup
  beforeEach(() => {
    test = makeTestGroup({ MinSize: 0, MaxSize: 4 })
  })
  afterEach(() => test.world.end())
  const put = (input: object) =>
    test.world.autoscaling.putScheduledUpdateGroupAction(test.context, {
      ...{ AutoScalingGroupName: NAME, ScheduledActionName: 'a' },
      ...input,
    })
  const inMs = (ms: number) => new Date(test.clock.now() + ms)
  const actions = () =>
    test.world.autoscaling.describeScheduledActions(test.context, { AutoScalingGroupName: NAME })
      .ScheduledUpdateGroupActions!

  it('runs once, at its time, with the cause as AWS words it', async () => {
    put({ StartTime: inMs(10_000), MinSize: 1, DesiredCapacity: 2 })
    await test.clock.run(9_000)
    assert.equal(test.desired(), 0)
    await test.clock.run(2_000)
    await test.settle(2)
    assert.deepEqual(actions(), [])
    assert.match(
      test.activities()[0]!.Cause!,
      /^At \S+Z a scheduled action update of AutoScalingGroup constraints to min: 1, max: 4, desired: 2 changing the desired capacity from 0 to 2\.  At /,
    )
  })
  it('runs late, and once, when the server was down at its time', async () => {
    put({ StartTime: inMs(10_000), DesiredCapacity: 2 })
    put({ ScheduledActionName: 'hourly', Recurrence: '0 * * * *', MaxSize: 3 })
    test.world.die()
    await test.clock.run(5 * 3_600_000)
    test.world.restart()
    await test.clock.run(2_000)
    assert.equal(test.desired(), 2)
    assert.equal(test.group()!.MaxSize, 3)
    test.world.autoscaling.setDesiredCapacity(test.context, {
      AutoScalingGroupName: NAME,
      DesiredCapacity: 1,
    })
    test.world.restart()
    await test.clock.run(5_000)
    assert.equal(test.desired(), 1, 'not again')
    assert.deepEqual(
      actions().map((one) => one.ScheduledActionName),
      ['hourly'],
    )
    assert.ok(actions()[0]!.StartTime!.getTime() > test.clock.now())
  })
  it('leaves the group as it would be if all had run at their times', async () => {
    put({ ScheduledActionName: 'a-night', Recurrence: '0 20 * * *', DesiredCapacity: 0 })
    put({ ScheduledActionName: 'b-day', Recurrence: '0 8 * * *', DesiredCapacity: 3 })
    test.world.die()
    const hour = new Date(test.clock.now()).getUTCHours()
    // Until 22 o'clock two days on: the night came last.
    await test.clock.run((48 + 22 - hour) * 3_600_000)
    test.world.restart()
    await test.clock.run(2_000)
    assert.equal(test.desired(), 0)
  })
  it('keeps the desired capacity within the new sizes, and changes nothing by sizes that contradict the group', async () => {
    put({ StartTime: inMs(1_000), MinSize: 3 })
    put({ ScheduledActionName: 'b', StartTime: inMs(4_000), MinSize: 9 })
    await test.clock.run(3_000)
    assert.equal(test.desired(), 3)
    await test.clock.run(3_000)
    assert.equal(test.group()!.MinSize, 3)
    assert.ok(
      test.activities().some((one) => one.StatusCode === 'Failed' && /Max bound, 4/.test(one.StatusMessage!)),
    )
  })
  it('does not run while ScheduledActions is suspended', async () => {
    test.world.autoscaling.suspendProcesses(test.context, {
      ...{ AutoScalingGroupName: NAME, ScalingProcesses: ['ScheduledActions'] },
    })
    put({ StartTime: inMs(1_000), DesiredCapacity: 3 })
    await test.clock.run(3_000)
    assert.equal(test.desired(), 0)
    assert.deepEqual(actions(), [])
  })
  it('is refused as AWS words it', () => {
    const cases: [object, RegExp][] = [
      [
        { StartTime: inMs(1_000) },
        /At least one of max size, min size, or desired capacity must be specified/,
      ],
      [
        { DesiredCapacity: 1 },
        /Scheduled start time must be specified for non-recurrent future group action/,
      ],
      [{ DesiredCapacity: 1, StartTime: inMs(-1) }, /Given start time is in the past/],
      [{ DesiredCapacity: 1, Recurrence: '* * * * *', EndTime: inMs(-1) }, /Given end time is in the past/],
      [
        { DesiredCapacity: 1, Recurrence: '* * * * *', StartTime: inMs(9_000), EndTime: inMs(5_000) },
        /Given end time must be after start time/,
      ],
      [{ DesiredCapacity: 1, Recurrence: 'every day' }, /Given recurrence string: every day is invalid/],
      [{ DesiredCapacity: 1, Recurrence: '0 0 30 2 *' }, /Given recurrence string: 0 0 30 2 \* is invalid/],
      [
        { DesiredCapacity: 1, Recurrence: '0 0 * * *', TimeZone: 'PST' },
        /Time zone specified does not conform to standardized time zones found in IANA Time Zone Database/,
      ],
      [{ DesiredCapacity: -5, StartTime: inMs(1_000) }, /Desired capacity must be non-negative/],
      [
        { DesiredCapacity: 5, MaxSize: 3, StartTime: inMs(1_000) },
        /Desired capacity must be less than or equal to max size/,
      ],
    ]
    for (const [input, message] of cases)
      assert.throws(() => put(input), { code: 'ValidationError', message })
    put({ DesiredCapacity: 1, StartTime: inMs(60_000) })
    assert.throws(() => put({ ScheduledActionName: 'b', DesiredCapacity: 1, StartTime: inMs(60_000) }), {
      code: 'AlreadyExists',
    })
  })
  it('comes and goes in batches, of which some may fail', () => {
    const put = test.world.autoscaling.batchPutScheduledUpdateGroupAction(test.context, {
      AutoScalingGroupName: NAME,
      ScheduledUpdateGroupActions: [
        { ScheduledActionName: 'good', Recurrence: '0 0 * * *', MinSize: 1 },
        { ScheduledActionName: 'bad', Recurrence: 'never', MinSize: 1 },
      ],
    })
    assert.deepEqual(put.FailedScheduledUpdateGroupActions, [
      {
        ScheduledActionName: 'bad',
        ErrorCode: 'ValidationError',
        ErrorMessage: 'Given recurrence string: never is invalid',
      },
    ])
    const { FailedScheduledActions } = test.world.autoscaling.batchDeleteScheduledAction(test.context, {
      ...{ AutoScalingGroupName: NAME, ScheduledActionNames: ['good', 'bad'] },
    })
    assert.deepEqual(
      FailedScheduledActions!.map((one) => one.ScheduledActionName),
      ['bad'],
    )
    assert.deepEqual(actions(), [])
  })
})
