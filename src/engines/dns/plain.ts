// A zone as every name server can have it: what is answered outside, without choices, which are programs of PowerDNS. Pure.
import type { Choice, RecordSet, Zone } from './engine.ts'

/** As many as a set may have. */
const VALUES_MAX = 400

export const plainZone = (zone: Zone): Zone => ({
  ...zone,
  recordSets: zone.recordSets.map((set): RecordSet => {
    if ('values' in set) return set
    const { name, type, ttl, chosen } = set
    const values = valuesOf(chosen)
    return { name, type, ttl, values: values.slice(0, type === 'CNAME' ? 1 : VALUES_MAX) }
  }),
})

/** Shares cannot be told: who has the greatest is answered, all of them where several have it, so that a trial of few stays one of few. */
function valuesOf(choice: Choice): string[] {
  if ('anyOf' in choice) return choice.anyOf
  const most = Math.max(...choice.weighted.map(({ weight }) => weight))
  return [...new Set(choice.weighted.filter(({ weight }) => weight === most).flatMap(({ values }) => values))]
}
