// `doctor`: each engine found, its version, whether it works here, and what of this machine would be in the way.
import { accessSync, constants, existsSync } from 'node:fs'
import { readHome } from '../../home.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { run } from '../../kernel/process.ts'
import { EXIT } from '../failure.ts'
import { paint, print, printJson } from '../output.ts'
import { answers } from '../start-server.ts'

type Check = { name: string; ok: boolean; saw: string }

const PROGRAMS: [name: string, argv: string[], brings: string][] = [
  ['haproxy', ['haproxy', '-v'], 'haproxy'],
  ['nginx', ['nginx', '-v'], 'nginx-light'],
  ['runc', ['runc', '--version'], 'runc'],
  ['runit', ['runsvdir'], 'runit'],
  ['dnsmasq', ['dnsmasq', '--version'], 'dnsmasq-base'],
  ['nftables', ['nft', '--version'], 'nftables'],
  ['iproute2', ['ip', '-V'], 'iproute2'],
  ['mkfs.ext4', ['mkfs.ext4', '-V'], 'e2fsprogs'],
  ['python3', ['/usr/bin/python3', '--version'], 'python3'],
  [
    'python3 venv',
    ['/usr/bin/python3', '-c', 'import venv, ensurepip; print("venv and ensurepip")'],
    'python3-venv',
  ],
]

/** Exit status 0 when everything works, 1 when something does not. */
export async function doctor(homeDir: string, { json }: { json?: boolean }): Promise<number> {
  const checks = [
    ...(await Promise.all(PROGRAMS.map(program))),
    ...(await machine()),
    ...(await clients()),
    ...(await homeChecks(homeDir)),
  ]
  if (json) printJson(checks)
  else
    for (const { name, ok, saw } of checks)
      print(`${ok ? paint('Green', 'ok  ') : paint('Red', 'NO  ')} ${name.padEnd(16)} ${saw}`)
  return checks.every((one) => one.ok) ? EXIT.ok : EXIT.failed
}

async function program([name, argv, brings]: (typeof PROGRAMS)[number]): Promise<Check> {
  try {
    const { stdout, stderr, exit } = await run(argv, { timeoutMs: 5_000 })
    const said = `${stdout}${stderr}`.trim().split('\n')[0] ?? ''
    // runsvdir has no version switch: it prints its usage and fails.
    if (exit !== 0 && name !== 'runit') return { name, ok: false, saw: `${said} (apt-get install ${brings})` }
    return { name, ok: true, saw: name === 'runit' ? 'runsvdir is there' : said }
  } catch {
    return { name, ok: false, saw: `not found (apt-get install ${brings})` }
  }
}

async function machine(): Promise<Check[]> {
  const root = process.getuid!() === 0
  const overlay = (await run(['grep', '-qw', 'overlay', '/proc/filesystems'])).exit === 0
  const version = existsSync('/sys/fs/cgroup/cgroup.controllers')
    ? 'v2'
    : existsSync('/sys/fs/cgroup/memory')
      ? 'v1'
      : ''
  return [
    {
      name: 'root',
      ok: root || canSudo(),
      saw: root ? 'yes' : canSudo() ? 'by sudo' : 'no, and there is no sudo',
    },
    { name: 'cgroups', ok: version !== '', saw: version || 'not mounted' },
    {
      name: 'overlay',
      ok: overlay,
      saw: overlay ? 'in the kernel' : 'not in /proc/filesystems (modprobe overlay)',
    },
    {
      name: 'loop devices',
      ok: existsSync('/dev/loop-control'),
      saw: existsSync('/dev/loop-control') ? 'there' : 'no /dev/loop-control (modprobe loop)',
    },
  ]
}

const canSudo = () => {
  try {
    accessSync('/usr/bin/sudo', constants.X_OK)
    return true
  } catch {
    return false
  }
}

// botocore reads AWS_ENDPOINT_URL from 1.31.0 (2023-07) on; an older client would go to the real AWS.
async function clients(): Promise<Check[]> {
  const result = await run(['aws', '--version'], {
    env: { PATH: process.env.PATH ?? '' },
    timeoutMs: 20_000,
  }).catch(() => undefined)
  if (!result || result.exit !== 0)
    return [{ name: 'aws', ok: true, saw: 'not installed (pip install awscli)' }]
  const said = `${result.stdout}${result.stderr}`.trim()
  const botocore = /botocore\/(\d+)\.(\d+)/.exec(said)
  const major = /aws-cli\/(\d+)\.(\d+)/.exec(said)
  const obeys =
    major?.[1] === '2'
      ? Number(major[2]) >= 13
      : botocore !== null && (Number(botocore[1]) > 1 || Number(botocore[2]) >= 31)
  return [
    {
      name: 'aws',
      ok: obeys,
      saw: obeys ? said : `${said} ignores AWS_ENDPOINT_URL: it would talk to the real AWS; update it`,
    },
  ]
}

async function homeChecks(homeDir: string): Promise<Check[]> {
  const home = readHome(homeDir)
  if (!home) return [{ name: 'home', ok: true, saw: `none in ${homeDir} yet` }]
  const up = await answers(homeDir)
  const checks: Check[] = [
    {
      name: 'home',
      ok: true,
      saw: `${homeDir} (id ${home.id}, ${home.cidr}, API port ${home.ports.api}, HTTP port ${home.ports.http})`,
    },
    { name: 'server', ok: up, saw: up ? 'answers' : 'does not answer (npm run up)' },
  ]
  if (process.getuid!() !== 0)
    return [...checks, { name: 'engines', ok: true, saw: 'run doctor as root to look into them' }]
  const { makeEngines } = await import('../../main.ts')
  return [...checks, ...(await engineChecks(() => makeEngines(home)))]
}

async function engineChecks(
  make: () => ReturnType<typeof import('../../main.ts').makeEngines>,
): Promise<Check[]> {
  const { router, supervisor, compute, balancer } = make()
  const check = async (name: string, look: () => Promise<string>): Promise<Check> => {
    try {
      return { name, ok: true, saw: await look() }
    } catch (error) {
      return { name, ok: false, saw: reasonOf(error) }
    }
  }
  return Promise.all([
    check('network', async () => {
      const problems = await router.problems()
      if (problems.length > 0) throw new Error(problems.join('; '))
      return `router ${router.names.router}`
    }),
    check('daemons', async () => {
      const daemons = await supervisor.list()
      const dead = daemons.filter((one) => !one.running).map((one) => one.name)
      if (dead.length > 0) throw new Error(`not running: ${dead.join(', ')}`)
      return daemons.map((one) => one.name).join(', ') || 'none'
    }),
    check('instances', async () => {
      const all = await compute.list()
      return `${all.filter((one) => one.state === 'running').length} of ${all.length} run`
    }),
    check('balancer', async () => {
      const { targets } = await balancer.observe()
      return `${targets.filter((one) => one.health === 'healthy').length} of ${targets.length} targets are healthy`
    }),
  ])
}
