// What settings say of health: how it is told, from which figures on it changes, and how well instances must be after a deployment.
import type { Grades, Thresholds } from '../health/thresholds.ts'
import { THRESHOLD_OPTIONS } from '../options/health-thresholds.ts'
import { documentComplaint, readHealthDocument, type HealthDocument } from './health-document.ts'
import { valueError } from './findings.ts'
import { givenIn, type Read } from './effective.ts'
import type { Finding, Setting } from './types.ts'

export const HEALTH = 'aws:elasticbeanstalk:healthreporting:system'
export const THRESHOLDS = 'polebean:healthreporting'

export type HealthReporting = HealthDocument & {
  /** Basic: colours alone. */
  system: 'basic' | 'enhanced'
  /** An instance that was deployed to may be so well, or better. */
  successThreshold: 'Ok' | 'Warning' | 'Degraded' | 'Severe'
  thresholds: Thresholds
}

export function healthReportingIn(settings: Setting[], read: Read): HealthReporting {
  const number = (name: string) => Number(read(THRESHOLDS, name))
  const grades = (prefix: string) => gradesIn(settings, read, prefix) as Grades
  return {
    system: read(HEALTH, 'SystemType') === 'basic' ? 'basic' : 'enhanced',
    successThreshold: read(HEALTH, 'HealthCheckSuccessThreshold') as HealthReporting['successThreshold'],
    ...documentOf(read(HEALTH, 'ConfigDocument')),
    thresholds: {
      application5xx: grades('Application5xx'),
      application4xx: grades('Application4xx'),
      requestsPerMinuteLeast: number('RequestsPerMinuteLeast'),
      unhealthyPercentDegraded: number('UnhealthyPercentDegraded'),
      cpuWarning: number('CPUWarning'),
      memory: grades('Memory'),
      rootFilesystem: grades('RootFilesystem'),
    },
  }
}

/** A threshold that is not given gives way to those that are: a Warning from 50 % on has nothing Degraded before. */
function gradesIn(settings: Setting[], read: Read, prefix: string): Partial<Grades> {
  const names = levelsOf(prefix)
  const given = names.flatMap((name, index) =>
    isGiven(settings, name) ? [{ index, percent: Number(read(THRESHOLDS, name)) }] : [],
  )
  return Object.fromEntries(
    names.map((name, index) => {
      const own = Number(read(THRESHOLDS, name))
      const least = Math.max(0, ...given.filter((one) => one.index < index).map(({ percent }) => percent))
      const most = Math.min(100, ...given.filter((one) => one.index > index).map(({ percent }) => percent))
      const percent = isGiven(settings, name) ? own : Math.min(most, Math.max(least, own))
      return [name.slice(prefix.length), percent]
    }),
  )
}

const isGiven = (settings: Setting[], optionName: string) =>
  givenIn(settings, { namespace: THRESHOLDS, optionName })

/** In the order of how bad they are. */
const levelsOf = (prefix: string) =>
  THRESHOLD_OPTIONS.map(([name]) => name).filter((name) => name.startsWith(prefix))

const NOTHING_SAID: HealthDocument = {
  rules: { application4xx: true, balancer4xx: true },
  metrics: { environment: [], instance: [] },
}
const documentOf = (text: string) =>
  text === '' || documentComplaint(text) !== undefined ? NOTHING_SAID : readHealthDocument(text)

export function healthFindings(settings: Setting[], read: Read): Finding[] {
  const document = read(HEALTH, 'ConfigDocument')
  const complaint = document === '' ? undefined : documentComplaint(document)
  const key = { namespace: HEALTH, optionName: 'ConfigDocument', resourceName: null }
  const prefixes = ['Application5xx', 'Application4xx', 'Memory', 'RootFilesystem']
  return [
    ...(complaint === undefined ? [] : [valueError(key, document, complaint)]),
    ...prefixes.flatMap((prefix) => orderFindings(settings, read, prefix)),
  ]
}

// Of those that are given, each level is worse than the one before it.
function orderFindings(settings: Setting[], read: Read, prefix: string): Finding[] {
  const given = levelsOf(prefix).filter((name) => isGiven(settings, name))
  return given.slice(1).flatMap((name, index) => {
    const lower = given[index]!
    const value = read(THRESHOLDS, lower)
    if (Number(value) <= Number(read(THRESHOLDS, name))) return []
    const key = { namespace: THRESHOLDS, optionName: lower, resourceName: null }
    return [valueError(key, value, `${lower} is greater than ${name}`)]
  })
}
