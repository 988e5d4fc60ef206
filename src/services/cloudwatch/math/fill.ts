// FILL: what stands where a series has no point.
import { periodsOf, type Point, type Range, type Series, together, withValues } from './series.ts'

export type Filler = number | Series | 'REPEAT' | 'LINEAR'

/** Fills every period of the range, its first and last ones too. REPEAT needs a value before the gap, LINEAR one on each side. */
export function fill(series: Series, filler: Filler, range: Range): Series {
  const periods = periodsOf(range, series.periodSeconds).map((at) => ({ at, value: NaN }))
  const fillerAt = valuesOf(series.points, filler)
  const points = withValues(
    together(series.points, periods).map(({ at, left }) => ({ at, value: left ?? fillerAt(at) ?? NaN })),
  )
  return { ...series, points }
}

/** Asked in the order of time. */
function valuesOf(points: readonly Point[], filler: Filler): (at: number) => number | undefined {
  if (typeof filler === 'number') return () => filler
  if (typeof filler === 'object') {
    const values = new Map(filler.points.map(({ at, value }) => [at, value]))
    return (at) => values.get(at)
  }
  let next = 0
  return (at) => {
    while (next < points.length && (points[next]?.at ?? 0) < at) next++
    const [before, after] = [points[next - 1], points[next]]
    if (filler === 'REPEAT' || !before || !after) return filler === 'REPEAT' ? before?.value : undefined
    return before.value + ((after.value - before.value) * (at - before.at)) / (after.at - before.at)
  }
}
