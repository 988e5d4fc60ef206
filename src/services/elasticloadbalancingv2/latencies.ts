// How long targets took to answer, as figures from which percentiles follow. Times go into classes that are 2 % wide, so that a
// percentile is right to 1 % however many there were.

/** By what names response times are kept. */
export const ofLoadBalancer = (id: string) => `lb ${id}`
export const ofTargetGroup = (id: string) => `tg ${id}`
export const ofTarget = (targetGroupId: string, targetId: string) => `target ${targetGroupId} ${targetId}`

export type Histogram = {
  /** Class → how many requests. */
  classes: Map<number, number>
  count: number
  sumMs: number
}

export const emptyHistogram = (): Histogram => ({ classes: new Map(), count: 0, sumMs: 0 })

export function addTo(histogram: Histogram, ms: number, weight: number): void {
  const at = classOf(ms)
  histogram.classes.set(at, (histogram.classes.get(at) ?? 0) + weight)
  histogram.count += weight
  histogram.sumMs += ms * weight
}

/** Milliseconds that `percent` of all did not exceed; undefined when there were none. */
export function percentile(histograms: Histogram[], percent: number): number | undefined {
  const count = histograms.reduce((sum, one) => sum + one.count, 0)
  if (count === 0) return undefined
  const all = new Map<number, number>()
  for (const { classes } of histograms)
    for (const [at, weight] of classes) all.set(at, (all.get(at) ?? 0) + weight)
  let passed = 0
  const sorted = [...all].sort(([a], [b]) => a - b)
  for (const [at, weight] of sorted) {
    passed += weight
    // Sums of weights are not exact.
    if (passed >= (count * percent) / 100 - 1e-9 * count) return middleOf(at)
  }
  return middleOf(sorted.at(-1)![0])
}

// HAProxy tells whole milliseconds: up to WHOLE each is a class of its own.
const WHOLE = 64
const WIDTH = Math.log(1.02)
const classOf = (ms: number) => (ms < WHOLE ? ms : WHOLE + Math.floor(Math.log(ms / WHOLE) / WIDTH))
const middleOf = (at: number) => (at < WHOLE ? at : WHOLE * Math.exp((at - WHOLE + 0.5) * WIDTH))

/** Milliseconds that stand for a class, and how many requests are in it. */
export const middlesOf = ({ classes }: Histogram): [ms: number, weight: number][] =>
  [...classes].map(([at, weight]) => [middleOf(at), weight])

const SECONDS_KEPT = 10

/** Of the last ten seconds, by keys. In memory: what is older than a restart is of no use. */
export function makeLatencies(now: () => number) {
  const slots = new Map<string, Map<number, Histogram>>()
  const secondOf = (at: number) => Math.floor(at / 1000)
  const forget = () => {
    const oldest = secondOf(now()) - SECONDS_KEPT
    for (const [key, own] of slots) {
      for (const second of own.keys())
        if (second < oldest || second > oldest + 2 * SECONDS_KEPT) own.delete(second)
      if (own.size === 0) slots.delete(key)
    }
  }
  return {
    add(key: string, at: number, ms: number, weight: number) {
      const own = slots.get(key) ?? slots.set(key, new Map()).get(key)!
      const second = secondOf(at)
      const slot = own.get(second) ?? own.set(second, emptyHistogram()).get(second)!
      addTo(slot, ms, weight)
    },
    forget,
    of(key: string): Histogram[] {
      forget()
      return [...(slots.get(key)?.values() ?? [])]
    },
  }
}
export type Latencies = ReturnType<typeof makeLatencies>
