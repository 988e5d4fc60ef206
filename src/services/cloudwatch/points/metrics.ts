// All points: those of the last minutes in memory, the others in the file. Seconds and minutes are counted since 1970.
import type { Clock } from '../../../kernel/clock.ts'
import { addPoint, type Points } from './block.ts'
import type { MetricFile, SeriesKey, SeriesRow } from './file.ts'
import { makeOpenMinutes } from './open-minutes.ts'
import { combine, type Sample } from './sample.ts'
import { FINEST, placeOf, startOf, stretches, TIERS, type Stretch } from './tiers.ts'

/** How long after its end a minute stays open for what comes late: lines of logs are read seconds after they were written. */
const LATE_SECONDS = 15
/** Of one turn, so that others have theirs: 500 rows take about 10 ms. */
const ROWS_AT_ONCE = 500
/** How long tiers are left alone after all was rolled up and dropped that was due. */
const IDLE_SECONDS = 10
/** AWS: two weeks, and two hours to come. */
export const PAST_SECONDS_MAX = 14 * 24 * 3600
export const FUTURE_SECONDS_MAX = 2 * 3600
/** Ids that are known without asking the file. */
const KNOWN_MAX = 50_000

export type Bin = { start: number; sample: Sample }
export type Metrics = ReturnType<typeof makeMetrics>

/** `bytesMax`: what the file may take; asked at each use. */
export function makeMetrics(file: MetricFile, clock: Clock, bytesMax: () => number) {
  const open = makeOpenMinutes()
  const known = new Map<string, number>()
  /** Who tells a metric each second hands the same object. */
  const handed = new WeakMap<SeriesKey, number>()
  const seconds = () => Math.floor(clock.now() / 1000)
  /** Whether a minute is in the file, or was. */
  const isClosed = (minute: number) => (minute + 1) * 60 + LATE_SECONDS <= seconds()
  for (const { points } of file.journal())
    for (const [series, second, sample] of JSON.parse(points) as [number, number, Sample][])
      if (!isClosed(Math.floor(second / 60)) || file.block(0, startOf(second, 60), series).size === 0)
        add(series, second, sample)

  /** Undefined of one that the file must be asked for. */
  const knownId = (key: SeriesKey): number | undefined => handed.get(key) ?? known.get(textOf(key))

  function idOf(key: SeriesKey, minute: number): number {
    const before = knownId(key)
    if (before !== undefined) return before
    const id = file.findSeries(key).find(({ unit }) => unit === key.unit)?.id ?? file.addSeries(key, minute)
    if (known.size >= KNOWN_MAX) known.clear()
    known.set(textOf(key), id)
    handed.set(key, id)
    return id
  }

  function add(series: number, second: number, sample: Sample): void {
    const minute = Math.floor(second / 60)
    if (isClosed(minute)) write(series, minute, new Map([[second % 60, sample]]))
    else open.add(series, minute, second % 60, sample)
  }

  const isRolled = (index: number, start: number, series: number) => {
    const { until, after } = file.rolled(index)
    return start < until || (start === until && series <= after)
  }

  // Into every tier that has its time already, for what comes late or again (the clock was set back); the others get it when they are
  // rolled up.
  function write(series: number, minute: number, points: Points): void {
    const now = seconds()
    let isFinest = true
    for (const [index, tier] of TIERS.entries()) {
      const start = startOf(minute * 60, tier.blockSeconds)
      if (start < startOf(now - tier.keptSeconds, tier.blockSeconds)) continue
      if (!isFinest && !isRolled(index, start, series)) continue
      isFinest = false
      const own = file.block(index, start, series)
      for (const [second, sample] of points) addPoint(own, placeOf(tier, minute * 60 + second), sample)
      file.putBlock(index, start, series, own)
    }
    file.seen(series, minute)
  }

  const writeOpen = (minute: number, most: number): number => {
    const taken = open.take(minute, most)
    file.transaction(() => {
      for (const [series, points] of taken) write(series, minute, points)
      if (!open.minutes().includes(minute)) file.dropJournal(minute)
    })
    return taken.length
  }

  /** Writes what minutes have that are over, as much as one turn may. Answers whether there is more. */
  function close(): boolean {
    const over = open.minutes().filter(isClosed)
    let left = ROWS_AT_ONCE
    for (const minute of over.toSorted((a, b) => a - b)) {
      left -= writeOpen(minute, left)
      if (left <= 0) return true
    }
    return false
  }

  const roll = makeRollUp(file, seconds, bytesMax)

  function pointsOf(series: number, tier: number, start: number): Points {
    const closed = file.block(tier, start, series)
    const opened = tier === 0 ? open.points(series, start / 60) : undefined
    for (const [place, sample] of opened ?? []) addPoint(closed, place, sample)
    return closed
  }

  function* samplesOf(series: number, { tier: index, from, to }: Stretch): Generator<[number, Sample]> {
    const tier = TIERS[index]!
    for (let start = startOf(from, tier.blockSeconds); start < to; start += tier.blockSeconds)
      for (const [place, sample] of pointsOf(series, index, start)) {
        const second = start + place * tier.seconds
        if (second + tier.seconds > from && second < to) yield [Math.max(second, from), sample]
      }
  }

  return {
    /** Takes points in. They are durable when the file is told of them soon after, or at once with `durable`. */
    record(points: readonly { key: SeriesKey; second: number; sample: Sample }[], { durable = false } = {}) {
      const write = () => {
        const ids = points.map(({ key, second }) => idOf(key, Math.floor(second / 60)))
        for (const [index, { second, sample }] of points.entries()) add(ids[index]!, second, sample)
        if (!durable) return
        const opened = points.flatMap(({ second, sample }, index) =>
          isClosed(Math.floor(second / 60)) ? [] : [[ids[index]!, second, sample] as const],
        )
        if (opened.length === 0) return
        const newest = Math.max(...opened.map(([, second]) => Math.floor(second / 60)))
        file.addJournal(newest, JSON.stringify(opened))
      }
      // Mostly nothing goes to the file yet.
      const isInMemory = ({ key, second }: (typeof points)[number]) =>
        knownId(key) !== undefined && !isClosed(Math.floor(second / 60))
      if (!durable && points.every(isInMemory)) write()
      else file.transaction(write)
    },
    find: (key: Omit<SeriesKey, 'unit'>) => file.findSeries(key),
    /** Metrics with points since a second, those of open minutes included. */
    list: (account: string, region: string, since: number): SeriesRow[] =>
      file.listSeries(account, region, Math.floor(since / 60)),
    countSeries: () => file.countSeries(),
    bytes: () => file.bytes(),
    /**
     * What was seen of a metric from `from` to `to` (not in it), in steps of `period` seconds that begin with `from`; steps without points
     * are left out. `withValues`: for percentiles.
     */
    read(series: number, span: { from: number; to: number; period: number }, withValues = false): Bin[] {
      const { from, to, period } = span
      const rolled = TIERS.map((_tier, index) => file.rolled(index).until)
      const bins = new Map<number, Sample[]>()
      for (const stretch of stretches({ ...span, now: seconds() }, rolled))
        for (const [second, sample] of samplesOf(series, stretch)) {
          const start = from + Math.floor((second - from) / period) * period
          const bin = bins.get(start)
          if (bin) bin.push(sample)
          else bins.set(start, [sample])
        }
      const inOrder = [...bins].toSorted(([a], [b]) => a - b)
      return inOrder
        .filter(([start]) => start < to)
        .map(([start, samples]) => ({ start, sample: combine(samples, { withValues })! }))
    },
    /** One turn of the work that is due: minutes that are over are written, tiers rolled up, what is too old dropped. Answers whether
     *  there is more. */
    work: (): boolean => close() || roll(),
    /** Writes all that is only in memory, minutes under way as well. For the end of the server. */
    flush() {
      for (const minute of open.minutes()) writeOpen(minute, Infinity)
    },
  }
}

const textOf = ({ account, region, namespace, name, dimensions, unit }: SeriesKey) =>
  [account, region, namespace, name, dimensions, unit].join('\0')

/** One turn of rolling up and dropping; answers whether there is more. */
function makeRollUp(file: MetricFile, seconds: () => number, bytesMax: () => number) {
  function rollUp(index: number): boolean {
    const [tier, below] = [TIERS[index]!, TIERS[index - 1]!]
    const complete =
      index === 1 ? seconds() - LATE_SECONDS - FINEST.blockSeconds : file.rolled(index - 1).until
    const { until, after } = file.rolled(index)
    const first = file.firstBlock(index - 1)
    // Where nothing was seen there is nothing to roll up.
    const idle = startOf(first ?? complete, tier.blockSeconds)
    if (idle > until) {
      file.putRolled(index, idle)
      return first !== undefined
    }
    const end = until + tier.blockSeconds
    if (first === undefined || end > complete) return false
    const ids = file.seriesWithBlocks(index - 1, until, end, after, ROWS_AT_ONCE / 10)
    file.transaction(() => {
      for (const id of ids) {
        // What came so late that the tiers below had not its time any more is there already.
        const points = file.block(index, until, id)
        for (let at = until; at < end; at += below.blockSeconds)
          gather(points, file.block(index - 1, at, id), { tier, below, at, start: until })
        file.putBlock(index, until, id, points)
      }
      if (ids.length === 0) file.putRolled(index, end)
      else file.putRolled(index, until, ids.at(-1))
    })
    return true
  }

  function dropOld(): boolean {
    const now = seconds()
    for (const [index, { keptSeconds, blockSeconds }] of TIERS.entries()) {
      // What is not rolled up yet stays until it is.
      const above = index + 1 < TIERS.length ? file.rolled(index + 1).until : Infinity
      const before = Math.min(startOf(now - keptSeconds, blockSeconds), above)
      if (file.dropBlocks(index, before, ROWS_AT_ONCE) === ROWS_AT_ONCE) return true
    }
    const longest = Math.floor((now - TIERS.at(-1)!.keptSeconds) / 60)
    return file.dropSeries(longest, ROWS_AT_ONCE) === ROWS_AT_ONCE || shrink()
  }

  // Over its budget the file gives up its oldest blocks, the finest first: they are those that are many.
  function shrink(): boolean {
    if (file.bytes() <= bytesMax()) return false
    for (const [index, { blockSeconds }] of TIERS.entries()) {
      const first = file.firstBlock(index)
      if (first === undefined) continue
      const above = index + 1 < TIERS.length ? file.rolled(index + 1).until : seconds()
      const before = Math.min(first + blockSeconds, above)
      if (file.dropBlocks(index, before, ROWS_AT_ONCE) > 0) return true
    }
    return false
  }

  /** When there was nothing to do, so that not each second asks whether there is. */
  let idleAt = -Infinity
  return () => {
    if (Math.abs(seconds() - idleAt) < IDLE_SECONDS) return false
    const more = TIERS.some((_tier, index) => index > 0 && rollUp(index)) || dropOld()
    if (!more) {
      file.giveBack()
      idleAt = seconds()
    }
    return more
  }
}

function gather(
  into: Points,
  points: Points,
  {
    tier,
    below,
    at,
    start,
  }: { tier: (typeof TIERS)[number]; below: (typeof TIERS)[number]; at: number; start: number },
): void {
  const places = Map.groupBy(points.keys(), (place) =>
    Math.floor((at + place * below.seconds - start) / tier.seconds),
  )
  for (const [place, own] of places) {
    const samples = own.map((one) => points.get(one)!)
    const before = into.get(place)
    into.set(place, combine(before ? [before, ...samples] : samples)!)
  }
}
