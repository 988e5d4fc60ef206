// What the last run on each disk took, kept beside the disks, for the table of `npm run bench`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Timing = { step: string; seconds: number; goalS: number | null; said: string; failed: boolean }
/** `at`: epoch milliseconds. Seconds of an emulated machine are no figures: they are told, and judged by nobody. */
export type Timings = { at: number; emulated: boolean; steps: Timing[] }

const fileOf = (cache: string, disk: string) => join(cache, `timings-${disk}.json`)

export function writeTimings(cache: string, disk: string, timings: Timings): void {
  mkdirSync(cache, { recursive: true })
  writeFileSync(fileOf(cache, disk), JSON.stringify(timings, null, 2))
}

export function readTimings(cache: string, disk: string): Timings | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(cache, disk), 'utf8')) as Timings
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
