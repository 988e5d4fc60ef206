// `npm run bench`: the budgets of the design, as ratios within one run on this machine. Needs root. `npm run bench -- api`
// measures only what is named.
import { ensurePackages } from '../tools/setup/packages.mjs'
import { makeTestHome, type TestHome } from '../test/support/home.ts'
import { accessLogs } from './access-logs.ts'
import { api } from './api.ts'
import { firewall } from './firewall.ts'
import { fresh } from './fresh.ts'
import { idle } from './idle.ts'
import { launch } from './launch.ts'
import { live } from './live.ts'
import { machine } from './machine.ts'
import { many } from './many.ts'
import { printFigures, type Figure } from './measure.ts'
import { memory } from './memory.ts'
import { metrics } from './metrics.ts'
import { names } from './names.ts'
import { protocols } from './protocols.ts'
import { rules } from './rules.ts'
import { scaling } from './scaling.ts'
import { throughput } from './throughput.ts'
import { websockets } from './websockets.ts'

const MEASURES: Record<string, (home: TestHome) => Promise<Figure[]>> = {
  throughput,
  memory,
  api,
  launch,
  firewall,
  rules,
  protocols,
  websockets,
  many,
  names,
  metrics,
  scaling,
  'access-logs': accessLogs,
  idle,
  live,
  fresh,
  machine,
}

const named = process.argv.slice(2)
const unknown = named.filter((name) => !(name in MEASURES))
if (unknown.length > 0) {
  console.log(`no such measure: ${unknown.join(', ')}; there are: ${Object.keys(MEASURES).join(', ')}`)
  process.exit(2)
}
await ensurePackages({ yes: true, extra: { wrk: 'wrk', h2load: 'nghttp2-client', dnsperf: 'dnsperf' } })
const home = makeTestHome()
const figures: Figure[] = []
try {
  await home.polebean(['up', 'samples/flask-guestbook', '--name', 'bench-flask'])
  await home.polebean(['scale', '2', 'bench-flask'])
  for (const [name, measure] of Object.entries(MEASURES)) {
    if (named.length > 0 && !named.includes(name)) continue
    const found = await measure(home).catch((error: Error): Figure[] => [
      { what: name, value: `failed: ${error.message}`, against: '', ratio: '', budget: '', met: 'no' },
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
