// What was seen in the minutes that are not in the file yet. Most metrics have one value a second: those take eight bytes.
import { addPoint, type Points } from './block.ts'
import { single, type Sample } from './sample.ts'

/** One metric, one minute. */
class OpenMinute {
  #values: Float64Array | undefined
  #others: Points = new Map()

  add(second: number, sample: Sample): void {
    const plain =
      sample.count === 1 && !sample.values && sample.min === sample.max && sample.sum === sample.min
    const values = (this.#values ??= new Float64Array(60).fill(Number.NaN))
    const before = values[second]!
    if (plain && Number.isNaN(before) && !this.#others.has(second)) {
      values[second] = sample.sum
      return
    }
    if (!Number.isNaN(before)) {
      this.#others.set(second, single(before))
      values[second] = Number.NaN
    }
    addPoint(this.#others, second, sample)
  }

  points(): Points {
    const points: Points = new Map(this.#others)
    for (const [second, value] of (this.#values ?? []).entries())
      if (!Number.isNaN(value)) points.set(second, single(value))
    return points
  }
}

export type OpenMinutes = ReturnType<typeof makeOpenMinutes>

/** Minutes are counted since 1970. */
export function makeOpenMinutes() {
  const minutes = new Map<number, Map<number, OpenMinute>>()
  return {
    add(series: number, minute: number, second: number, sample: Sample): void {
      const all = minutes.get(minute) ?? minutes.set(minute, new Map()).get(minute)!
      const own = all.get(series) ?? all.set(series, new OpenMinute()).get(series)!
      own.add(second, sample)
    },
    points: (series: number, minute: number): Points | undefined =>
      minutes.get(minute)?.get(series)?.points(),
    minutes: () => [...minutes.keys()],
    /** Takes at most `most` metrics of a minute out. */
    take(minute: number, most: number): [series: number, points: Points][] {
      const all = minutes.get(minute) ?? new Map<number, OpenMinute>()
      const taken = [...all.entries().take(most)]
      for (const [series] of taken) all.delete(series)
      if (all.size === 0) minutes.delete(minute)
      return taken.map(([series, own]) => [series, own.points()])
    },
  }
}
