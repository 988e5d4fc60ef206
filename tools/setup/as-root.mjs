// The part of setup that is root: one process, so that sudo is asked once. It gets its task as JSON on standard input
// (proxies may hold passwords, which must not be seen in an argv) and notes each change to the machine before it is made.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { note as noteIn } from './ledger.mjs'
import { environmentOn, findProgram, UNITS } from './machine.mjs'
import { refuseRunning, undoAll, usersOn } from './undo.mjs'
import { allowServices, forbidServices, isStalePolicy } from './policy.mjs'

const { task, names = [], brought = [], gone = [], machine, proxies } = JSON.parse(readFileSync(0, 'utf8'))
let child
let signalled
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    signalled = signal
    child?.kill(signal)
  })

try {
  if (isStalePolicy(machine.policy)) {
    note({ deed: 'remove file', path: machine.policy })
    allowServices(machine.policy)
  }
  if (task === 'update') await run(['apt-get', 'update', '-qq'])
  if (task === 'install') await install()
  if (task === 'undo') {
    refuseRunning(machine)
    await undoAll(machine, { names, gone, run, systemctl })
  }
} catch (error) {
  process.stderr.write(`polebean: ${error.message}\n`)
  process.exitCode = 1
}
if (signalled) process.exitCode = 128 + constants.signals[signalled]

async function install() {
  const masked = maskWhatComes()
  try {
    await withoutServices(async () => {
      note({ deed: 'install packages', packages: names, brought })
      const quiet = ['-y', '-qq', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold']
      await notingUsers(() => run(['apt-get', 'install', ...quiet, ...names]))
    })
  } finally {
    // Of a package that did not come, nothing stays.
    for (const { unit, program } of masked)
      if (!findProgram(machine, program)) {
        note({ deed: 'unmask unit', unit })
        systemctl('unmask', '--quiet', unit)
      }
  }
}

// Packages make users and Debian keeps them when they are purged. Who came is known only afterwards.
async function notingUsers(work) {
  const before = usersOn(machine)
  try {
    await work()
  } finally {
    const after = usersOn(machine)
    for (const kind of ['group', 'user'])
      for (const name of after[kind].filter((one) => !before[kind].includes(one)))
        note({ deed: `make ${kind}`, [kind]: name })
  }
}

async function withoutServices(work) {
  if (!existsSync(machine.policy)) note({ deed: 'write file', path: machine.policy })
  const ours = forbidServices(machine.policy)
  try {
    await work()
  } finally {
    if (ours) {
      note({ deed: 'remove file', path: machine.policy })
      allowServices(machine.policy)
    }
  }
}

// Before they come, so that there is no moment at which they are enabled. A unit that is there already is not touched.
function maskWhatComes() {
  if (!existsSync(machine.systemd)) return []
  const units = names.flatMap((name) => UNITS[name] ?? []).filter(({ unit }) => !systemctl('cat', unit))
  for (const { unit } of units) {
    note({ deed: 'mask unit', unit })
    if (!systemctl('mask', '--quiet', unit)) throw new Error(`systemctl mask ${unit} failed`)
  }
  return units
}

function systemctl(...args) {
  return spawnSync('systemctl', args, { stdio: 'ignore', env: environmentOn(machine) }).status === 0
}

function run(argv) {
  if (signalled) throw new Error('interrupted')
  const [file, ...args] = argv
  const env = { ...environmentOn(machine), ...proxies }
  return new Promise((resolve, reject) => {
    child = spawn(file, args, {
      stdio: ['ignore', 2, 2],
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' },
    })
    const said = argv.slice(0, 2).join(' ')
    child.on('error', (error) => reject(new Error(`${said}: ${error.message}`)))
    child.on('close', (status, signal) => {
      child = undefined
      if (status === 0 && !signalled) return resolve()
      if (signalled) return reject(new Error(`${said} was interrupted`))
      reject(new Error(`${said} failed (${signal ?? `exit ${status}`}); its output is above.`))
    })
  })
}

function note(entry) {
  noteIn(machine.ledger, entry)
}
