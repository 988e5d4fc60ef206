// The points of one metric in one span (a minute of seconds, an hour of minutes, …) as bytes: which are there, then columns.
import { readColumn, writeColumn, type Reader } from './bytes.ts'
import { combine, single, type Sample, type ValueCount } from './sample.ts'

/** By the number of the point in the block. */
export type Points = Map<number, Sample>

/** Every point is a single value. */
const SINGLES = 1
const WITH_VALUES = 2

// Who tells figures may tell ones that do not fit each other.
const isSingle = ({ count, sum, min, max, values }: Sample) =>
  count === 1 && Object.is(min, sum) && Object.is(max, sum) && !values

/** `length`: how many points a whole block has. */
export function packBlock(points: Points, length: number): Uint8Array {
  const places = [...points.keys()].toSorted((a, b) => a - b)
  const samples = places.map((place) => points.get(place)!)
  const singles = samples.every(isSingle)
  const withValues = samples.some(({ values }) => values !== undefined)
  const out: number[] = [(singles ? SINGLES : 0) + (withValues ? WITH_VALUES : 0), length]
  const present = Array.from<number>({ length: Math.ceil(length / 8) }).fill(0)
  for (const place of places) present[place >> 3]! |= 1 << (place & 7)
  out.push(...present)
  writeColumn(
    out,
    samples.map(({ sum }) => sum),
  )
  if (!singles) {
    for (const name of ['count', 'min', 'max'] as const)
      writeColumn(
        out,
        samples.map((sample) => sample[name]),
      )
  }
  if (withValues) {
    const lists = samples.map(({ values = [] }) => values)
    writeColumn(
      out,
      lists.map((list) => list.length),
    )
    for (const part of [0, 1] as const)
      writeColumn(
        out,
        lists.flatMap((list) => list.map((pair) => pair[part])),
      )
  }
  return Uint8Array.from(out)
}

export function unpackBlock(bytes: Uint8Array): Points {
  const from: Reader = { bytes, at: 2 }
  const flags = bytes[0]!
  const places: number[] = []
  for (let place = 0; place < bytes[1]!; place++)
    if (bytes[2 + (place >> 3)]! & (1 << (place & 7))) places.push(place)
  from.at += Math.ceil(bytes[1]! / 8)
  const sums = readColumn(from, places.length)
  if (flags & SINGLES) return new Map(places.map((place, index) => [place, single(sums[index]!)]))
  const [counts, mins, maxs] = [1, 2, 3].map(() => readColumn(from, places.length)) as [
    number[],
    number[],
    number[],
  ]
  const lists = flags & WITH_VALUES ? readLists(from, places.length) : []
  return new Map(
    places.map((place, index) => [
      place,
      {
        ...{ count: counts[index]!, sum: sums[index]!, min: mins[index]!, max: maxs[index]! },
        ...(lists[index]?.length ? { values: lists[index] } : {}),
      },
    ]),
  )
}

function readLists(from: Reader, count: number): ValueCount[][] {
  const lengths = readColumn(from, count)
  const all = lengths.reduce((sum, length) => sum + length, 0)
  const [values, counts] = [readColumn(from, all), readColumn(from, all)]
  let at = 0
  return lengths.map((length) => {
    const list = values.slice(at, at + length).map((value, index): ValueCount => [value, counts[at + index]!])
    at += length
    return list
  })
}

/** Adds what was seen at one place to what was seen there before. */
export function addPoint(points: Points, place: number, sample: Sample): void {
  const before = points.get(place)
  // What was told without its values makes the values of the others useless, and not the other way round: singles have theirs.
  points.set(place, before ? combine([before, sample])! : sample)
}
