// `npm test`: sets up what it needs, runs everything, cleans up after itself. Ends with one line: N passed, N failed.
// --full also runs the long runs (more seeds, every crash point). Plain JavaScript: it starts on the machine's own Node.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensurePackages } from '../setup/packages.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
process.chdir(root)
const full = process.argv.includes('--full')

if (!existsSync('node_modules/.bin/tsc') || !existsSync('node_modules/.bin/node'))
  must('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
const canBeRoot = process.getuid() === 0
if (canBeRoot) ensurePackages({ yes: true, extra: { wrk: 'wrk', curl: 'curl', zip: 'zip' } })
else console.log('Not root: tests on real engines are skipped, and counted as skipped.')

const env = { ...process.env, POLEBEAN_FULL: full ? '1' : '' }
const phases = [
  [
    'units, tables and the simulator',
    '{src,sim,tools}/**/*.test.ts',
    (file) => !/\.real\.test\.ts$/.test(file),
    2,
  ],
  ['real engines', 'src/**/*.real.test.ts', () => canBeRoot, 1],
  ['real clients, end to end', 'test/**/*.test.ts', () => canBeRoot, 1],
]

const node = join(root, 'node_modules/.bin/node')
let passed = 0
let failed = 0
let skipped = 0

console.log('\n== format, lint, types')
if (spawnSync(node, ['tools/check.ts', '--static'], { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0)
  passed++
else failed++
for (const [title, pattern, keep, concurrency] of phases) {
  const files = glob(pattern).filter(keep)
  if (files.length === 0) continue
  console.log(`\n== ${title} (${files.length} files)`)
  const startedAt = Date.now()
  const result = await runTests(files, concurrency)
  const summary = /^SUMMARY (\d+) (\d+) (\d+)$/m.exec(result.stdout)
  passed += Number(summary?.[1] ?? 0)
  failed += Number(summary?.[2] ?? 0) + (summary ? 0 : 1)
  skipped += Number(summary?.[3] ?? 0)
  if (result.status !== 0 && summary?.[2] === '0') failed++
  console.log(`   ${((Date.now() - startedAt) / 1000).toFixed(0)} s`)
}
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exit(failed === 0 ? 0 : 1)

function runTests(files, concurrency) {
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--test',
    `--test-concurrency=${concurrency}`,
    '--test-reporter=./tools/test/reporter.mjs',
  ]
  const child = spawn(node, [...args, ...files], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let stdout = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text) => {
    stdout += text
    process.stdout.write(text.replace(/^SUMMARY .*\n/m, ''))
  })
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, stdout })))
}

function glob(pattern) {
  const code = `console.log(require('node:fs').globSync(${JSON.stringify(pattern)}).filter((f) => !f.includes('node_modules')).sort().join('\\n'))`
  return spawnSync(node, ['-e', code], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean)
}

function must(file, args) {
  if (spawnSync(file, args, { stdio: 'inherit' }).status !== 0) process.exit(1)
}
