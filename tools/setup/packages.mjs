// The engines come from Debian's packages. Nothing that was there is touched, no service is started, and every change
// to the machine is written to a ledger (as-root.mjs).
import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isOlder, readFacts, withoutApt } from './elsewhere.mjs'
import { environmentOn, findProgram, hasLibrary, LIBRARIES, MACHINE, PROGRAMS } from './machine.mjs'
import { isStalePolicy } from './policy.mjs'

const AS_ROOT = fileURLToPath(new URL('as-root.mjs', import.meta.url))

/**
 * Installs what is missing, after saying what and how many MB; `extra` is more programs, each with its package. Throws a
 * sentence when it cannot. Root is asked for only when there is something to do.
 */
export async function ensurePackages({ yes, extra = {}, machine = MACHINE }) {
  const names = missingPackages(machine, extra)
  if (names.length === 0) {
    if (isStalePolicy(machine.policy)) await asRoot(machine, { task: 'tidy' })
    return
  }
  checkMachine({ machine, extra })
  let plan = simulate(machine, names)
  if (!plan) {
    say('Fetching the lists of packages (apt-get update) …')
    await asRoot(machine, { task: 'update' })
    plan = simulate(machine, names)
  }
  if (!plan)
    throw new Error(
      `apt-get cannot find these packages: ${names.join(', ')}. See: apt-get install --simulate ${names.join(' ')}`,
    )
  refuseOlder(plan.versions)
  say(
    `Installing from the distribution (${plan.fetch} to fetch, ${plan.disk} on disk, no recommended packages, no service is started):\n` +
      `  ${plan.all.join(' ')}`,
  )
  if (!yes && !confirm(machine)) throw new Error('nothing was installed.')
  // Not all of the plan: what these depend on stays marked as brought automatically, and goes with them (uninstall).
  const brought = plan.all.filter((name) => !names.includes(name))
  await asRoot(machine, { task: 'install', names, brought })
}

/**
 * Throws a sentence when setup could not make this machine ready: an engine is there and too old, or one is missing where
 * there is no apt-get. Changes nothing, and fetches nothing.
 */
export function checkMachine({ machine = MACHINE, extra = {} } = {}) {
  for (const { program, version, minimum, why } of PROGRAMS.filter((one) => one.minimum)) {
    const path = findProgram(machine, program)
    if (!path) continue
    const { stdout = '', stderr = '' } = spawnSync(path, version, {
      encoding: 'utf8',
      env: environmentOn(machine),
    })
    const said = `${stdout}${stderr}`.split('\n')[0].trim()
    if (said && isOlder(said, minimum))
      throw new Error(
        `${path} is too old (${said}): ${minimum} or newer is needed, since ${why}. Nothing was changed. ` +
          `Debian 12 and newer bring it; or install a newer one there.`,
      )
  }
  const names = missingPackages(machine, extra)
  if (names.length === 0 || findProgram(machine, 'apt-get')) return
  const programs = PROGRAMS.filter(({ program }) => !findProgram(machine, program))
  throw new Error(withoutApt(readFacts().osRelease, programs, names))
}

/** What apt-get would bring, before it does. */
function refuseOlder(versions) {
  for (const { package: name, minimum, why } of PROGRAMS.filter((one) => one.minimum)) {
    const version = versions[name]?.replace(/^\d+:/, '')
    if (version && isOlder(version, minimum))
      throw new Error(
        `apt-get would bring ${name} ${version}; ${minimum} or newer is needed, since ${why}. Nothing was changed. Debian 12 and newer have it.`,
      )
  }
}

function missingPackages(machine, extra) {
  const wanted = [...PROGRAMS.map(({ program, package: name }) => [program, name]), ...Object.entries(extra)]
  const missing = wanted.filter(([program]) => !findProgram(machine, program)).map(([, name]) => name)
  for (const [library, name] of Object.entries(LIBRARIES))
    if (!hasLibrary(machine, library)) missing.push(name)
  const python = findProgram(machine, 'python3')
  // -I: nothing of the folder that we are called in is imported.
  const venv = python && spawnSync(python, ['-I', '-c', 'import venv, ensurepip'], { stdio: 'ignore' })
  if (venv?.status !== 0) missing.push('python3-venv')
  return [...new Set(missing)]
}

function simulate(machine, names) {
  // Without the lock, which only root may have: a question changes nothing.
  const ask = (mode) =>
    spawnSync('apt-get', ['install', '-o', 'Debug::NoLocking=1', '--no-install-recommends', mode, ...names], {
      encoding: 'utf8',
      env: environmentOn(machine),
    })
  const plan = ask('--simulate')
  if (plan.status !== 0) return undefined
  const sizes = ask('--assume-no').stdout
  return {
    versions: Object.fromEntries(
      [...plan.stdout.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+)/gm)].map((match) => match.slice(1)),
    ),
    all: [...plan.stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]),
    fetch: /Need to get ([^/\s]+ \S+?)(?:\/| of)/.exec(sizes)?.[1] ?? 'nothing',
    disk: /After this operation, (\S+ \S+) of additional/.exec(sizes)?.[1] ?? 'little',
  }
}

/** Asks on the terminal whether to go on; no answer is no. */
export function confirm(machine) {
  process.stderr.write('Go on? [Y/n] ')
  const answer = spawnSync('head', ['-n1'], {
    stdio: ['inherit', 'pipe', 'inherit'],
    encoding: 'utf8',
    env: environmentOn(machine),
  }).stdout
  // An end of input without a line is no answer.
  return answer === '\n' || /^y/i.test(answer)
}

/** Runs the part that is root, with sudo when we are not. An interruption is passed on, and its end awaited. */
export async function asRoot(machine, task) {
  const sudo = process.getuid() === 0 ? [] : [findProgram(machine, 'sudo')]
  if (sudo.includes(undefined)) throw new Error('this needs root, and there is no sudo. Run it as root.')
  const [file, ...args] = [...sudo, process.execPath, AS_ROOT]
  const child = spawn(file, args, { stdio: ['pipe', 2, 2] })
  const pass = (signal) => {
    try {
      child.kill(signal)
    } catch {
      // It is root's; a terminal sends it to all of us.
    }
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, pass)
  try {
    const proxies = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => /^(?:https?|ftp|no|all)_proxy$/i.test(name)),
    )
    child.stdin.on('error', () => undefined)
    child.stdin.end(JSON.stringify({ ...task, machine, proxies }))
    const status = await new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => resolve(code ?? `${signal}`))
    })
    if (status !== 0) throw new Error(`setup as root failed (${status}); the reason is above.`)
  } finally {
    for (const signal of signals) process.off(signal, pass)
  }
}

function say(text) {
  process.stderr.write(`${text}\n`)
}
