// What `npm run test:machine` took on each disk when it last ran (hours, emulated, so it is not run from here).
import { CACHE } from '../tools/machine/disk.ts'
import { RELEASES } from '../tools/machine/recipe.ts'
import { readTimings } from '../tools/machine/timings.ts'
import type { Figure } from './measure.ts'

export async function machine(): Promise<Figure[]> {
  return RELEASES.flatMap(({ number }) => {
    const last = readTimings(CACHE, `debian-${number}`)
    if (!last)
      return [
        row(`Debian ${number}: never ran here (npm run test:machine -- --debian ${number})`, '', '', ''),
      ]
    const day = new Date(last.at).toISOString().slice(0, 10)
    return last.steps
      .filter(({ goalS, failed }) => goalS !== null || failed)
      .map(({ step, seconds, goalS, failed, said }) => {
        const met = goalS !== null && seconds <= goalS ? 'yes' : 'no'
        return row(
          `Debian ${number}, ${step} (${day}${last.emulated ? ', emulated' : ''})`,
          `${seconds.toFixed(1)} s; ${said}`,
          goalS === null ? '' : `≤ ${goalS} s`,
          failed ? 'failed' : last.emulated ? 'emulated' : met,
        )
      })
  })
}

const row = (what: string, value: string, budget: string, met: string): Figure => ({
  ...{ what, value, budget, met },
  ...{ against: '', ratio: '' },
})
