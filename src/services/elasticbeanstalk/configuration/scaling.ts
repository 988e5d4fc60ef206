// What changes the size of an environment's group by itself: the trigger's two alarms (`aws:autoscaling:trigger`) or, in
// their place, target tracking in seconds (`polebean:autoscaling:targettracking`); and when instances are replaced.
import { givenIn, type Read } from './effective.ts'
import { valueError } from './findings.ts'
import { ownUnitOf } from './measures.ts'
import type { EnvironmentConfiguration, Finding, Scaling, Setting, Tracking, Trigger } from './types.ts'

const TRIGGER = 'aws:autoscaling:trigger'
const TRACKING = 'polebean:autoscaling:targettracking'
const HEALTH_CHECK = 'polebean:autoscaling:healthcheck'

/** AWS's own of a group whose load balancer is asked, in seconds: an application may take that long to start. */
const ELB_GRACE_SECONDS = 300
/** CloudWatch: an alarm looks back a day at most. */
const ALARM_SECONDS_MAX = 86_400
/** Most instances of a group. */
const CHANGE_MAX = 10_000

export const isTrackingIn = (read: Read): boolean => read(TRACKING, 'Metric') !== ''

export const scalingOf = (settings: Setting[], read: Read): Scaling =>
  isTrackingIn(read)
    ? { by: 'tracking', ...trackingOf(read) }
    : { by: 'trigger', ...triggerOf(settings, read) }

function triggerOf(settings: Setting[], read: Read): Trigger {
  const number = (option: string) => Number(read(TRIGGER, option))
  return {
    measure: read(TRIGGER, 'MeasureName'),
    statistic: read(TRIGGER, 'Statistic') as Trigger['statistic'],
    periodSeconds: number('Period') * 60,
    periods: periodsOf(settings, read),
    upper: { threshold: number('UpperThreshold'), change: number('UpperBreachScaleIncrement') },
    lower: { threshold: number('LowerThreshold'), change: number('LowerBreachScaleIncrement') },
  }
}

// AWS: BreachDuration = Period * EvaluationPeriods, and "Elastic Beanstalk might modify one of the values" where that is not
// so. Here the periods hold when they are given, else the duration when that is.
function periodsOf(settings: Setting[], read: Read): number {
  const isGiven = (optionName: string) => givenIn(settings, { namespace: TRIGGER, optionName })
  const number = (option: string) => Number(read(TRIGGER, option))
  return isGiven('BreachDuration') && !isGiven('EvaluationPeriods')
    ? Math.ceil(number('BreachDuration') / number('Period'))
    : number('EvaluationPeriods')
}

function trackingOf(read: Read): Tracking {
  const number = (option: string) => Number(read(TRACKING, option))
  return {
    metric: read(TRACKING, 'Metric') as Tracking['metric'],
    target: number('TargetValue'),
    seconds: number('Seconds'),
    scaleInSeconds: number('ScaleInSeconds'),
    warmupSeconds: number('WarmupSeconds'),
    scalesIn: read(TRACKING, 'DisableScaleIn') !== 'true',
  }
}

/** A single instance has no load balancer that could be asked. */
export function healthCheckIn(loadBalanced: boolean, read: Read): EnvironmentConfiguration['healthCheck'] {
  const type = loadBalanced && read(HEALTH_CHECK, 'HealthCheckType') === 'ELB' ? 'ELB' : 'EC2'
  const grace = read(HEALTH_CHECK, 'GracePeriod')
  if (grace !== '') return { type, graceSeconds: Number(grace) }
  return { type, graceSeconds: type === 'ELB' ? ELB_GRACE_SECONDS : 0 }
}

/** Why a setting of the trigger says nothing; undefined = it does. */
export const replacedByTracking = ({ namespace }: Setting, read: Read): string | undefined =>
  namespace === TRIGGER && isTrackingIn(read)
    ? 'polebean:autoscaling:targettracking takes the place of the trigger.'
    : undefined

/** Said for completeness: it is what holds. */
export const isOwnUnit = ({ namespace, optionName, value }: Setting, read: Read): boolean =>
  namespace === TRIGGER &&
  optionName === 'Unit' &&
  value.toLowerCase() === ownUnitOf(read(TRIGGER, 'MeasureName')).toLowerCase()

/** What is wrong with the options taken together. */
export function scalingFindings(
  { scaling, classic }: EnvironmentConfiguration,
  settings: Setting[],
  read: Read,
): Finding[] {
  const findings: Finding[] = []
  const complain = (namespace: string, optionName: string, complaint: string) =>
    findings.push(
      valueError({ namespace, optionName, resourceName: null }, read(namespace, optionName), complaint),
    )
  if (!isTrackingIn(read) && settings.some((one) => one.namespace === TRACKING && one.value !== ''))
    complain(TRACKING, 'Metric', 'Specify the metric whose value is tracked.')
  if (scaling?.by === 'trigger') {
    const { upper, lower, periodSeconds, periods } = scaling
    if (upper.threshold < lower.threshold)
      complain(
        TRIGGER,
        'UpperThreshold',
        `The upper threshold is less than the lower one, ${lower.threshold}`,
      )
    if (periodSeconds * periods > ALARM_SECONDS_MAX)
      complain(
        TRIGGER,
        'EvaluationPeriods',
        `Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= ${ALARM_SECONDS_MAX / 60} minutes).`,
      )
    for (const [option, { change }] of [
      ['UpperBreachScaleIncrement', upper],
      ['LowerBreachScaleIncrement', lower],
    ] as const)
      if (Math.abs(change) > CHANGE_MAX)
        complain(TRIGGER, option, `A group changes by ${CHANGE_MAX} instances at most.`)
  }
  if (scaling?.by === 'tracking') {
    const { metric, target, seconds, scaleInSeconds } = scaling
    if (target === 0) complain(TRACKING, 'TargetValue', 'Specify the value that is tracked.')
    if (metric === 'CPUUtilization' && target > 100)
      complain(TRACKING, 'TargetValue', 'The target of CPUUtilization is a percentage, 100 at most.')
    if (metric === 'RequestCountPerTarget' && classic)
      complain(
        TRACKING,
        'Metric',
        'A Classic Load Balancer does not count requests for each instance. Track CPUUtilization.',
      )
    if (scaleInSeconds < seconds)
      complain(TRACKING, 'ScaleInSeconds', `It is not less than Seconds, ${seconds}.`)
  }
  return findings
}
