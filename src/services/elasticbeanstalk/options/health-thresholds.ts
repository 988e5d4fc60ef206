// polebean:healthreporting: the thresholds of health, which AWS keeps to itself.
import { DEFAULT_THRESHOLDS, type Grades } from '../health/thresholds.ts'

/** The options of `polebean:healthreporting`: name → default, largest value. All are in percent but the requests. */
export const THRESHOLD_OPTIONS: [name: string, preset: number, max: number][] = [
  ...gradeOptions('Application5xx', DEFAULT_THRESHOLDS.application5xx),
  ...gradeOptions('Application4xx', DEFAULT_THRESHOLDS.application4xx),
  ['RequestsPerMinuteLeast', DEFAULT_THRESHOLDS.requestsPerMinuteLeast, 1_000_000],
  ['UnhealthyPercentDegraded', DEFAULT_THRESHOLDS.unhealthyPercentDegraded, 100],
  ['CPUWarning', DEFAULT_THRESHOLDS.cpuWarning, 100],
  ...gradeOptions('Memory', DEFAULT_THRESHOLDS.memory),
  ...gradeOptions('RootFilesystem', DEFAULT_THRESHOLDS.rootFilesystem),
]

function gradeOptions(prefix: string, grades: Partial<Grades>): [string, number, number][] {
  return Object.entries(grades).map(([level, percent]) => [`${prefix}${level}`, percent, 100])
}
