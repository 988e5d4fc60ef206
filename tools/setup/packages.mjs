// The engines come from Debian's packages. Nothing that was there is touched, no service is started, and every change
// to the machine is written to a ledger.
import { spawnSync } from 'node:child_process'
import {
  accessSync,
  appendFileSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** Program → the Debian package that brings it. The order is that of a request. */
export const ENGINES = {
  haproxy: 'haproxy',
  nginx: 'nginx-light',
  runc: 'runc',
  runsvdir: 'runit',
  dnsmasq: 'dnsmasq-base',
  nft: 'nftables',
  ip: 'iproute2',
  'mkfs.ext4': 'e2fsprogs',
  nsenter: 'util-linux',
}
const LEDGER = '/var/lib/polebean-setup/ledger.jsonl'
const POLICY = '/usr/sbin/policy-rc.d'
const PATHS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin']

export const findProgram = (name) => PATHS.map((dir) => `${dir}/${name}`).find((path) => canRun(path))

/** Installs what is missing, after saying what and how many MB. Exits the process with a sentence when it cannot. */
export function ensurePackages({ yes, extra = {} }) {
  const missing = Object.entries({ ...ENGINES, ...extra })
    .filter(([program]) => !findProgram(program))
    .map(([, name]) => name)
  if (!hasVenv()) missing.push('python3-venv')
  if (missing.length === 0) return
  const names = [...new Set(missing)]
  if (!findProgram('apt-get'))
    stop(
      `these programs are missing: ${names.join(', ')}. This machine has no apt-get; install them with its package manager and try again.`,
    )

  let plan = simulate(names)
  if (!plan) {
    root(['apt-get', 'update', '-qq'])
    plan = simulate(names)
  }
  if (!plan)
    stop(
      `apt-get cannot find these packages: ${names.join(', ')}. See: apt-get install --simulate ${names.join(' ')}`,
    )
  process.stderr.write(
    `Installing from the distribution (${plan.fetch} to fetch, ${plan.disk} on disk, no recommended packages, no service is started):\n` +
      `  ${plan.all.join(' ')}\n`,
  )
  if (!yes && !confirm()) stop('nothing was installed.')

  const units = names.filter((name) => ['haproxy', 'nginx-light', 'runit'].includes(name))
  withoutServices(() =>
    root(
      [
        'apt-get',
        'install',
        '-y',
        '-qq',
        '--no-install-recommends',
        '-o',
        'Dpkg::Options::=--force-confold',
        ...plan.all,
      ],
      { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' },
    ),
  )
  maskBrought(units)
  note({ did: 'installed packages', packages: plan.all })
}

function simulate(names) {
  const result = spawnSync('apt-get', ['install', '--no-install-recommends', '--simulate', ...names], {
    encoding: 'utf8',
    env: C,
  })
  if (result.status !== 0) return undefined
  const all = [...result.stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1])
  const sizes = spawnSync('apt-get', ['install', '--no-install-recommends', '--assume-no', ...names], {
    encoding: 'utf8',
    env: C,
  }).stdout
  return {
    all,
    fetch: /Need to get ([^/\s]+ \S+?)(?:\/| of)/.exec(sizes)?.[1] ?? 'nothing',
    disk: /After this operation, (\S+ \S+) of additional/.exec(sizes)?.[1] ?? 'little',
  }
}

// Debian's own switch (invoke-rc.d): while this file exits 101, no package script starts a service.
function withoutServices(work) {
  const there = existsSync(POLICY)
  if (!there) writeAsRoot(POLICY, '#!/bin/sh\nexit 101\n', '755')
  try {
    work()
  } finally {
    if (!there) root(['rm', '-f', POLICY])
  }
}

// Under systemd a freshly brought unit is enabled for the next boot: it would take port 80. Only what we brought.
function maskBrought(names) {
  if (!existsSync('/run/systemd/system')) return
  for (const name of names) {
    const unit = `${name === 'nginx-light' ? 'nginx' : name}.service`
    if (spawnSync('systemctl', ['cat', unit], { stdio: 'ignore' }).status !== 0) continue
    root(['systemctl', 'mask', '--now', '--quiet', unit])
    note({ did: 'masked unit', unit })
  }
}

function hasVenv() {
  const result = spawnSync('/usr/bin/python3', ['-c', 'import venv, ensurepip'], { stdio: 'ignore' })
  return result.status === 0
}

function confirm() {
  process.stderr.write('Go on? [Y/n] ')
  const answer = spawnSync('head', ['-n1'], {
    stdio: ['inherit', 'pipe', 'inherit'],
    encoding: 'utf8',
  }).stdout.trim()
  return answer === '' || /^y/i.test(answer)
}

function root(argv, env = {}) {
  const asRoot =
    process.getuid() === 0 ? [] : ['sudo', ...Object.entries(env).map(([key, value]) => `${key}=${value}`)]
  if (asRoot.length > 0 && !findProgram('sudo')) stop('this needs root; there is no sudo. Run it as root.')
  const [file, ...args] = [...asRoot, ...argv]
  const result = spawnSync(file, args, { stdio: ['inherit', 2, 2], env: { ...process.env, ...env } })
  if (result.status !== 0)
    stop(`${argv.slice(0, 3).join(' ')} failed (exit ${result.status}); its output is above.`)
}

function writeAsRoot(path, content, mode) {
  if (process.getuid() === 0) return writeFileSync(path, content, { mode: Number.parseInt(mode, 8) })
  spawnSync('sudo', ['tee', path], { input: content, stdio: ['pipe', 'ignore', 2] })
  return root(['chmod', mode, path])
}

function note(entry) {
  const line = `${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`
  if (process.getuid() !== 0) {
    spawnSync('sudo', ['mkdir', '-p', dirname(LEDGER)])
    spawnSync('sudo', ['tee', '-a', LEDGER], { input: line, stdio: ['pipe', 'ignore', 2] })
    return
  }
  mkdirSync(dirname(LEDGER), { recursive: true })
  appendFileSync(LEDGER, line)
}

/** What was changed on this machine, oldest first. */
export const ledger = () =>
  existsSync(LEDGER)
    ? readFileSync(LEDGER, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : []
export const forgetLedger = () => rmSync(LEDGER, { force: true })

const C = { ...process.env, LC_ALL: 'C' }

function canRun(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function stop(text) {
  process.stderr.write(`polebean: ${text}\n`)
  process.exit(1)
}
