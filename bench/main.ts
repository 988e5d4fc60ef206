// `npm run bench`: the budgets of the design, as ratios within one run on this machine. Needs root.
import { printFigures, type Figure } from './measure.ts'
import { api } from './api.ts'
import { idle } from './idle.ts'
import { launch } from './launch.ts'
import { memory } from './memory.ts'
import { throughput } from './throughput.ts'
import { makeTestHome } from '../test/support/home.ts'

const home = makeTestHome()
const figures: Figure[] = []
try {
  await home.polebean(['up', '--name', 'bench-flask'])
  await home.polebean(['scale', '2', 'bench-flask'])
  for (const measure of [throughput, launch, api, memory, idle]) {
    const found = await measure(home).catch((error: Error): Figure[] => [
      {
        what: measure.name,
        value: `failed: ${error.message.slice(0, 300)}`,
        against: '',
        ratio: '',
        budget: '',
        met: 'no',
      },
    ])
    figures.push(...found)
    printFigures(found)
  }
} finally {
  const left = await home.remove()
  if (left.length > 0) console.log(`left behind: ${left.join('; ')}`)
}
console.log('\n== all figures')
printFigures(figures)
