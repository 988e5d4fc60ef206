// IF (CloudWatch user guide, "Using IF expressions").
import { type Point, type Series, withValues } from './series.ts'

type Branch = number | Series

/** Without `otherwise`, points where the condition is false are dropped. */
export function choose(condition: Branch, then: Branch, otherwise: Branch | undefined): Series {
  if (typeof condition === 'number') return wholly(condition, then as Series, otherwise as Series | undefined)
  const thenAt = valueAt(then)
  const otherwiseAt = otherwise === undefined ? () => undefined : valueAt(otherwise)
  const points = condition.points.flatMap(({ at, value }): Point[] => {
    // AWS: a value that is missing is 0 where the condition is true, and drops the point where it is false.
    const chosen = value === 0 ? otherwiseAt(at) : (thenAt(at) ?? 0)
    return chosen === undefined ? [] : [{ at, value: chosen }]
  })
  return { ...condition, points: withValues(points) }
}

/** A condition without a value chooses neither. */
function wholly(condition: number, then: Series, otherwise: Series | undefined): Series {
  const chosen = condition === 0 ? otherwise : then
  return chosen && !Number.isNaN(condition) ? chosen : { ...then, points: [] }
}

function valueAt(branch: Branch): (at: number) => number | undefined {
  if (typeof branch === 'number') return () => branch
  const values = new Map(branch.points.map(({ at, value }) => [at, value]))
  return (at) => values.get(at)
}
