// `npm test`: sets up what it needs, runs everything, cleans up after itself. Ends with one line: N passed, N failed,
// N skipped. --full also runs the long runs (more seeds, every crash point, `*.full.test.ts`). Plain JavaScript: it starts
// on the machine's own Node.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureModules } from '../setup/modules.mjs'
import { ensurePackages } from '../setup/packages.mjs'
import { runTests } from './run.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
process.chdir(root)
const full = process.argv.includes('--full')
const canBeRoot = process.getuid() === 0
const node = join(root, 'node_modules/.bin/node')
const quiet = '--disable-warning=ExperimentalWarning'

try {
  ensureModules(root, { development: true })
  const extra = {
    ...{ wrk: 'wrk', curl: 'curl', zip: 'zip', ps: 'procps', 'iptables-nft': 'iptables' },
    // Authorities of certificates to test against.
    ...{ pebble: 'pebble' },
    // Another machine, for `exec --ssh`: tests start it themselves, on loopback, with keys of their own.
    ...{ ssh: 'openssh-client', sshd: 'openssh-server' },
    // A validator that is not ours, for signed zones.
    delv: 'bind9-dnsutils',
  }
  // A database for instances of the tests; its programs lie in no PATH.
  if (full && glob('/usr/lib/postgresql/*/bin/postgres').length === 0) extra.postgres = 'postgresql'
  if (canBeRoot) await ensurePackages({ yes: true, extra })
} catch (error) {
  console.error(`polebean: ${error.message}`)
  process.exit(1)
}

const MINUTE_MS = 60_000
/** Of one test. */
const LIMIT_MS = (full ? 60 : 5) * MINUTE_MS
/** Virtual time alone: it waits for nobody, so it takes what the others leave. */
const simulator = glob('sim/**/*.test.ts')
const phases = [
  {
    title: 'units and tables',
    files: glob('{src,tools}/**/*.test.ts').filter((file) => !/\.real\.test\.ts$/.test(file)),
    atOnce: 2,
    testMs: LIMIT_MS,
  },
  {
    title: 'real engines',
    files: glob('src/**/*.real.test.ts'),
    root: true,
    atOnce: 1,
    testMs: LIMIT_MS,
  },
  {
    title: 'real clients, end to end',
    files: glob('test/**/*.test.ts'),
    root: true,
    clients: true,
    // Each has a home of its own, and waits more than it computes. What --full adds fills disks and measures times.
    atOnce: full ? 1 : 2,
    testMs: LIMIT_MS,
  },
]
const total = { passed: 0, failed: 0, skipped: 0 }
// The clients are fetched while tests run that need none; should it fail, those that do try it again, and say why.
const fetching = "import('./tools/test/clients.mjs').then(({ clientPrograms }) => clientPrograms())"
const clients = canBeRoot ? spawn(node, ['-e', fetching], { stdio: 'ignore' }) : undefined
const fetched = clients && once(clients, 'close')

console.log('\n== format, lint, types')
const checks = spawnSync(node, ['tools/check.ts', '--static'], { stdio: ['ignore', 'inherit', 'inherit'] })
if (checks.status === 0) total.passed++
else total.failed++
sweep()
const behind = startSimulator()
for (const {
  title,
  files,
  root: needsRoot = false,
  clients: needsClients = false,
  atOnce,
  testMs,
} of phases) {
  if (files.length === 0) continue
  console.log(`\n== ${title} (${files.length} files)`)
  if (needsRoot && !canBeRoot) {
    for (const file of files) console.log(`   skipped: ${file}: needs root`)
    total.skipped += files.length
    continue
  }
  const startedAt = Date.now()
  if (needsClients) await fetched
  const argv = [node, quiet]
  const counts = await runTests({ argv, files, atOnce, testMs, env: { POLEBEAN_FULL: full ? '1' : '' } })
  count(counts)
  console.log(`   ${((Date.now() - startedAt) / 1000).toFixed(0)} s`)
}
count(await behind)
sweep()
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exit(total.failed === 0 ? 0 : 1)

function count(counts) {
  for (const name of ['passed', 'failed', 'skipped']) total[name] += counts[name]
}

/** Beside all others; what it says is shown in one piece at its end. */
async function startSimulator() {
  const startedAt = Date.now()
  const said = []
  const counts = await runTests({
    ...{ argv: [node, quiet], files: simulator, atOnce: 2, testMs: 4 * LIMIT_MS, behind: true },
    ...{ print: (line) => said.push(line), env: { POLEBEAN_FULL: full ? '1' : '' } },
  })
  console.log(`\n== the simulator, beside the others (${simulator.length} files)`)
  for (const line of said) console.log(line)
  console.log(`   ${((Date.now() - startedAt) / 1000).toFixed(0)} s`)
  return counts
}

/** Of tests that died, at the start those of an earlier run. One that cannot be removed is a failure. */
function sweep() {
  if (!canBeRoot) return
  const swept = spawnSync(node, [quiet, 'tools/test/sweep.ts'], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (swept.status !== 0) total.failed++
}

/** Without what only --full runs. */
function glob(pattern) {
  const code = `console.log(require('node:fs').globSync(${JSON.stringify(pattern)}).filter((f) => !f.includes('node_modules')).sort().join('\\n'))`
  return spawnSync(node, ['-e', code], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((file) => file !== '' && (full || !/\.full\.test\.ts$/.test(file)))
}
