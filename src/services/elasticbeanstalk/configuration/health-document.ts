// The document of `aws:elasticbeanstalk:healthreporting:system` `ConfigDocument`: which rules hold, and which metrics are published.
// Its form: https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/health-enhanced-rules.html and …-cloudwatch.html

/** Seconds; AWS knows no other. */
export const METRICS_PERIOD_SECONDS = 60

export type HealthDocument = {
  rules: { application4xx: boolean; balancer4xx: boolean }
  /** Names of what is published each `METRICS_PERIOD_SECONDS`, sorted. `EnvironmentHealth` always is. */
  metrics: { environment: string[]; instance: string[] }
}

const REQUESTS =
  'ApplicationRequestsTotal ApplicationRequests2xx ApplicationRequests3xx ApplicationRequests4xx ApplicationRequests5xx'
const LATENCIES = '10 50 75 85 90 95 99 99.9'.split(' ').map((percent) => `ApplicationLatencyP${percent}`)
const COMMON = [...REQUESTS.split(' '), ...LATENCIES]
export const ENVIRONMENT_METRICS = [
  ...COMMON,
  ...'Ok Info Warning Degraded Severe Pending Unknown NoData'
    .split(' ')
    .map((status) => `Instances${status}`),
]
export const INSTANCE_METRICS = [
  ...COMMON,
  ...'InstanceHealth LoadAverage1min LoadAverage5min RootFilesystemUtil'.split(' '),
  ...'User Nice System Idle Iowait Irq Softirq'.split(' ').map((kind) => `CPU${kind}`),
]

/** Total for a document that was found good. */
export function readHealthDocument(text: string): HealthDocument {
  const { Rules, CloudWatchMetrics } = JSON.parse(text) as Json
  const { Application, ELB } = within(within(Rules).Environment)
  const isOn = (rule: unknown) => within(rule).Enabled !== false
  const published = (metrics: unknown) =>
    Object.entries(within(metrics))
      .flatMap(([name, period]) => (period === null ? [] : [name]))
      .sort()
  return {
    rules: {
      application4xx: isOn(within(Application).ApplicationRequests4xx),
      balancer4xx: isOn(within(ELB).ELBRequests4xx),
    },
    metrics: {
      environment: published(within(CloudWatchMetrics).Environment),
      instance: published(within(CloudWatchMetrics).Instance),
    },
  }
}

type Json = Record<string, unknown>
const within = (value: unknown) => (value ?? {}) as Json

/** What a member may be: an object of these members, one of these values, or any of these names with one of these values. */
type Form = { members: Record<string, Form> } | { values: unknown[] } | { names: string[]; values: unknown[] }

const RULE: Form = { members: { Enabled: { values: [true, false] } } }
const periods = (names: string[]): Form => ({ names, values: [METRICS_PERIOD_SECONDS, null] })
const DOCUMENT: Form = {
  members: {
    Version: { values: [1] },
    CloudWatchMetrics: {
      members: { Environment: periods(ENVIRONMENT_METRICS), Instance: periods(INSTANCE_METRICS) },
    },
    Rules: {
      members: {
        Environment: {
          members: {
            Application: { members: { ApplicationRequests4xx: RULE } },
            ELB: { members: { ELBRequests4xx: RULE } },
          },
        },
      },
    },
  },
}

/** What is wrong with it; undefined = nothing. AWS does not publish its words. */
export function documentComplaint(text: string): string | undefined {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return 'Value is not valid JSON.'
  }
  const complaint = complaintOf('The document', document, DOCUMENT)
  return (
    complaint ?? (within(document).Version === undefined ? 'Version is missing. It takes: 1.' : undefined)
  )
}

function complaintOf(where: string, value: unknown, form: Form): string | undefined {
  if ('values' in form && !('names' in form))
    return form.values.includes(value)
      ? undefined
      : `${where} is ${JSON.stringify(value)}. It takes: ${listed(form.values)}.`
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${where} is not an object.`
  for (const [name, member] of Object.entries(value)) {
    const at = where === 'The document' ? name : `${where}.${name}`
    const known = 'names' in form ? form.names : Object.keys(form.members)
    if (!known.includes(name)) return `${at} is not known. ${where} takes: ${known.join(', ')}.`
    const complaint = complaintOf(at, member, 'names' in form ? { values: form.values } : form.members[name]!)
    if (complaint !== undefined) return complaint
  }
  return undefined
}

const listed = (values: unknown[]) => values.map((value) => JSON.stringify(value)).join(', ')
