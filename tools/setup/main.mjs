// `npm run setup` and `npm run up`: makes a machine that has only Node (18 or newer), npm and Python 3 ready, then hands
// over to the pinned Node. `npm run uninstall` undoes it. Plain JavaScript, since it runs before anything is installed.
// npm's own Node runs it (`npm_node_execpath`): the pinned one comes first in the PATH of npm's scripts, and may lack a
// library that is only brought here.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readFacts, whyNotHere } from './elsewhere.mjs'
import { ensureModules } from './modules.mjs'
import { checkMachine, ensurePackages } from './packages.mjs'
import { STAYS, uninstall } from './uninstall.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const [verb = 'setup', ...rest] = process.argv.slice(2)
const args = rest[0] === '--' ? rest.slice(1) : rest

try {
  // First of all, so that nothing is fetched for a machine on which it cannot run.
  const reason = whyNotHere(readFacts())
  if (reason) throw new Error(reason)
  if (verb === 'uninstall') await remove()
  else {
    checkMachine()
    // A release has its Node and its libraries inside.
    if (!existsSync(join(root, 'release.json'))) ensureModules(root)
    await ensurePackages({ yes: args.includes('--yes') || !process.stdin.isTTY })
    if (verb === 'up') up()
    else say('Everything Polebean needs is installed.')
  }
} catch (error) {
  say(`polebean: ${error.message}`)
  process.exitCode = 1
}

// Also where the pinned Node does not start any more, since its library is gone already.
async function remove() {
  const { undone, kept } = await uninstall({
    yes: args.includes('--force'),
    homes: [process.env.POLEBEAN_HOME ?? '/var/lib/polebean'],
    say,
  })
  for (const one of undone) say(`undone: ${one}`)
  for (const one of [...kept, ...STAYS]) say(`left: ${one}`)
}

function up() {
  const node = join(root, 'node_modules/.bin/node')
  const cli = join(root, 'src/cli/main.ts')
  const given = args.filter((arg) => arg !== '--yes')
  // Without a folder it is the sample, wherever npm was called.
  const takesValue = ['--home', '--name', '-n', '--env']
  const named = given.some((arg, at) => !arg.startsWith('-') && !takesValue.includes(given[at - 1]))
  if (!named) given.push(join(root, 'samples/flask-guestbook'))
  const result = spawnSync(node, ['--disable-warning=ExperimentalWarning', cli, 'up', ...given], {
    stdio: 'inherit',
    // npm changes the folder; what the user typed is relative to where they typed it.
    cwd: process.env.INIT_CWD ?? process.cwd(),
  })
  if (result.signal) say(`polebean: Node ${node} ended by ${result.signal}`)
  process.exitCode = result.status ?? 1
}

function say(text) {
  process.stderr.write(`${text}\n`)
}
