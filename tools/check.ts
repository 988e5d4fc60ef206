// `npm run check`: format, lint, types, tidy and unit tests; under 30 seconds. Not `*.real.test.ts` (engines, root) and
// `*.long.test.ts` (the simulator's many seeds, the command line as a program): those are for `npm test`.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

const unit = globSync('{src,sim,tools}/**/*.test.ts').filter(
  (file) => !/\.(?:real|long|full)\.test\.ts$/.test(file),
)

const withoutRunning: [string, string[]][] = [
  ['format', ['oxfmt', '--check']],
  ['lint', ['oxlint', '--type-aware', '--deny-warnings']],
  ['types', ['tsc', '-p', '.']],
]
const units: [string, string[]] = ['unit tests', ['node', '--test', '--test-reporter=dot', ...unit]]
// `npm test` runs the units itself.
const steps = process.argv.includes('--static') ? withoutRunning : [...withoutRunning, units]

let failed = 0
for (const [name, [file = '', ...args]] of steps) {
  const startedAt = performance.now()
  const result = spawnSync(`node_modules/.bin/${file}`, args, { encoding: 'utf8', maxBuffer: 64 << 20 })
  const ok = result.status === 0
  if (!ok) failed++
  console.log(
    `${ok ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`,
  )
  if (!ok) console.log(`${result.stdout}${result.stderr}`)
}
process.exit(failed === 0 ? 0 : 1)
