// Metrics in the text format of Prometheus (prometheus.io, "Exposition formats"), named as its CloudWatch exporter names them:
// `aws_applicationelb_request_count_sum{load_balancer="…"}`.
import type { Context } from '../context.ts'
import { dimensionsOf } from './names.ts'
import type { SeriesRow } from './points/file.ts'
import type { Metrics } from './points/metrics.ts'
import type { Sample } from './points/sample.ts'
import { startOf } from './points/tiers.ts'

const MINUTE_S = 60
/** What was not seen for so long is not told. */
const ACTIVE_S = 300
/** The minute before this many seconds is over, and what was seen in it has been told. */
const SETTLE_S = 5

/** Of the last whole minute before `second` (since 1970). */
export function prometheusText(
  metrics: Metrics,
  { account, region }: Pick<Context, 'account' | 'region'>,
  second: number,
): string {
  const to = startOf(second - SETTLE_S, MINUTE_S)
  const families = new Map<string, string[]>()
  for (const series of metrics.list(account, region, second - ACTIVE_S)) {
    const [bin] = metrics.read(series.id, { from: to - MINUTE_S, to, period: MINUTE_S })
    if (!bin) continue
    for (const [suffix, value] of Object.entries(figuresOf(bin.sample))) {
      const name = `${nameOf(series)}_${suffix}`
      const line = `${name}${labelsOf(series)} ${value} ${to * 1000}`
      families.set(name, [...(families.get(name) ?? []), line])
    }
  }
  return [...families].map(([name, lines]) => `# TYPE ${name} gauge\n${lines.join('\n')}\n`).join('')
}

const figuresOf = ({ count, sum, min, max }: Sample) => ({
  ...{ sum, average: sum / count, minimum: min, maximum: max, sample_count: count },
})

const nameOf = ({ namespace, name }: SeriesRow) => `${snake(namespace.toLowerCase())}_${snake(name)}`

/** `AWS/EC2` → `aws_ec2`, `HTTPCode_Target_2XX_Count` → `httpcode_target_2_xx_count`, as the exporter does. */
const snake = (text: string) =>
  text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[^a-zA-Z0-9_]+/g, '_')
    .replace(/^(?=\d)/, '_')
    .toLowerCase()

function labelsOf({ dimensions, unit }: SeriesRow): string {
  const labels = dimensionsOf(dimensions).map(
    ({ Name = '', Value = '' }) => `${snake(Name)}="${escape(Value)}"`,
  )
  if (unit !== 'None') labels.push(`unit="${escape(unit)}"`)
  return labels.length === 0 ? '' : `{${labels.join(',')}}`
}

const escape = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
