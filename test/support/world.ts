// What a home has on this machine, seen from outside: processes, sandboxes, interfaces, lines of HAProxy. And what may
// happen to it: a process killed, the machine rebooted. Only what carries the home's id or folder is touched.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openApi } from '../../src/cli/client.ts'
import { listOf, structureOf, textOf, type XmlValue } from '../../src/cli/xml.ts'
import { initProcess, isAlive } from '../../src/engines/compute/runc-state.ts'
import { findRunsvdir } from '../../src/engines/supervisor/runsvdir.ts'
import { command, readStatus, type RunsvCommand } from '../../src/engines/supervisor/runsv.ts'
import type { HomeSettings } from '../../src/home.ts'
import { runProgram, type TestHome } from './home.ts'

/** Asks again until the answer is neither undefined nor false; what is awaited is said when it does not come. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  timeoutMs = 30_000,
): Promise<Exclude<T, undefined | false>> {
  let failure: unknown
  for (const end = performance.now() + timeoutMs; performance.now() < end; await sleep(50)) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>
      failure = undefined
    } catch (error) {
      failure = error // the server may be starting
    }
  }
  throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause: failure })
}

export type Instance = { id: string; pid: number; startTicks: number }

/** The sandboxes of instances that run, sorted by id. */
export function sandboxes(home: HomeSettings): Instance[] {
  const base = join(home.runDir, 'compute')
  const ids = existsSync(base) ? readdirSync(base).filter((name) => name.startsWith('i-')) : []
  return ids.sort().flatMap((id) => {
    const init = initProcess(join(base, 'runc'), `pb${home.id}-${id}`)
    return init && isAlive(init) ? [{ id, pid: init.pid, startTicks: init.startTicks }] : []
  })
}

/** Every process in the control groups of the home's sandboxes, or of one. */
export function sandboxProcesses(home: HomeSettings, id = ''): { pid: number; argv: string }[] {
  const base = `/polebean/${home.id}`
  return processes().filter(
    ({ cgroup }) => cgroup.includes(`${base}/${id}`) && !cgroup.includes(`${base}/daemons`),
  )
}

/** Every process of the home: its supervisor with all below it, what runs in its sandboxes or namespaces. */
export function homeProcesses(home: HomeSettings): number[] {
  const all = processes()
  const marks = [`/polebean/${home.id}/`, `pb-${home.id}`, `${home.dir}/`, `${home.dir}\0`]
  // runsv has the folder only as its working directory.
  const found = new Set(
    all.flatMap((one) =>
      marks.some((mark) => `${one.argv}\0${one.cgroup}\0${one.folder}\0`.includes(mark)) ? one.pid : [],
    ),
  )
  for (let before = -1; before < found.size;) {
    before = found.size
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid)
  }
  found.delete(process.pid)
  return [...found]
}

export const daemonDir = (home: HomeSettings, name: string) => join(home.dir, 'supervise', name)
export const daemonPid = (home: HomeSettings, name: string): number | undefined =>
  readStatus(daemonDir(home, name))?.pid ?? undefined
export const tellDaemon = (home: HomeSettings, name: string, what: RunsvCommand): boolean =>
  command(daemonDir(home, name), what)
export const supervisors = (home: HomeSettings): number[] => findRunsvdir(join(home.dir, 'supervise'))
export const childrenOf = (parent: number): number[] =>
  processes().flatMap((one) => (one.parent === parent ? one.pid : []))

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended by itself
  }
}

/** All that a reboot ends or takes away; what is below the home's folder stays. `/run` may be on a disk. */
export async function reboot(home: HomeSettings, { keepRun = false } = {}): Promise<void> {
  // Until nothing is left that could start something again.
  let looks = 0
  await until('every process of the home is gone', () => {
    const left = homeProcesses(home)
    left.forEach(kill)
    looks = left.length === 0 ? looks + 1 : 0
    return looks === 3
  })
  for (const name of [`pb-${home.id}`, `pb-${home.id}-lb`, `pb-${home.id}-host`])
    await runProgram(['ip', 'netns', 'del', name])
  await runProgram(['ip', 'link', 'del', `pole${home.id}`])
  await runProgram(['nft', 'delete', 'table', 'inet', `pb_${home.id}`])
  const { stdout: groups } = await runProgram([
    'find',
    '/sys/fs/cgroup',
    '-depth',
    '-type',
    'd',
    '-path',
    `*/polebean/${home.id}*`,
  ])
  for (const group of groups.split('\n').filter(Boolean)) await runProgram(['rmdir', group])
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? [])
  for (const mount of mounts.filter((path) => path.includes(`/polebean/${home.id}/`)))
    await runProgram(['umount', '-l', mount])
  if (!keepRun) rmSync(home.runDir, { recursive: true, force: true })
  await until(
    'no disk is attached',
    async () => !(await runProgram(['losetup', '-a'])).stdout.includes(`${home.dir}/`),
  )
}

/** Everything that belongs to instances, one line each, so that two moments can be compared. */
export async function things(home: HomeSettings): Promise<string[]> {
  const linesOf = async (argv: string[]) => (await runProgram(argv)).stdout.split('\n').filter(Boolean)
  const config = join(home.runDir, 'haproxy', 'haproxy.cfg')
  const below = (dir: string) => (existsSync(dir) ? readdirSync(dir) : [])
  const links = await linesOf(['ip', '-n', `pb-${home.id}`, '-o', 'link'])
  const routes = await linesOf(['ip', '-n', `pb-${home.id}`, 'route'])
  const rules = await linesOf([
    'ip',
    'netns',
    'exec',
    `pb-${home.id}`,
    'nft',
    'list',
    'table',
    'inet',
    'polebean',
  ])
  return [
    ...links.map((line) => `link ${/^\d+: ([^:@]+)/.exec(line)?.[1]}`),
    ...routes.map((line) => `route ${line}`),
    // Not the closed addresses: those of the host come and go with other homes.
    ...rules
      .filter((line) => /elements = \{ ("|10\.)/.test(line) || /^\s+"[ib]/.test(line))
      // A server that begins anew numbers the combinations of groups anew (decision 013).
      .map((line) => `rule ${line.trim().replaceAll(/ : 0x[0-9a-f]{8}/g, ' : mark')}`),
    ...(await linesOf(['ip', '-n', `pb-${home.id}-lb`, '-o', 'addr', 'show', 'dev', 'lo'])).map(
      (line) => `address ${line.split(' ')[6]}`,
    ),
    ...(await linesOf(['losetup', '-a']))
      .filter((line) => line.includes(home.dir))
      .map((line) => `loop ${line.slice(line.indexOf('('))}`),
    ...(await linesOf(['find', '/sys/fs/cgroup', '-type', 'd', '-path', `*/polebean/${home.id}/*`])).map(
      (line) => `cgroup ${line}`,
    ),
    ...(existsSync(config) ? readFileSync(config, 'utf8').split('\n') : [])
      .filter((line) => /^(\s+server|backend) /.test(line))
      .map((line) => `haproxy ${line.trim()}`),
    ...below(join(home.runDir, 'haproxy'))
      .filter((name) => name.endsWith('.map'))
      .flatMap((name) =>
        readFileSync(join(home.runDir, 'haproxy', name), 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line) => `map ${name} ${line}`),
      ),
    ...below(join(home.dir, 'instances')).map((name) => `instance ${name}`),
    ...below(join(home.runDir, 'compute'))
      .filter((name) => /^[ibr]-/.test(name))
      .map((name) => `sandbox ${name}`),
    ...below(join(home.runDir, 'compute', 'runc')).map((name) => `container ${name}`),
    ...below(join(home.dir, 'builds')).map((name) => `build ${name}`),
    ...sandboxProcesses(home).map(({ argv }) => `process ${argv.replaceAll('\0', ' ')}`),
  ].sort()
}

type Shown = { name: string; status: string; health: string; version: string; cname: string }

export async function environments(home: TestHome): Promise<Shown[]> {
  const { result } = await openApi(home.dir).call('elasticbeanstalk', 'DescribeEnvironments', {
    IncludeDeleted: false,
  })
  return listOf(result.Environments).map((one) => ({
    name: textOf(one.EnvironmentName),
    status: textOf(one.Status),
    health: textOf(one.Health),
    version: textOf(one.VersionLabel),
    cname: textOf(one.CNAME),
  }))
}

/** Waits until the environment is Ready and answers `text`; then everything there is must belong to a row, and back. */
export async function untilWhole(
  home: TestHome,
  name: string,
  text: RegExp,
  timeoutMs = 60_000,
): Promise<void> {
  await until(
    `${name} is Ready and answers`,
    async () => {
      const shown = (await environments(home)).find((one) => one.name === name)
      if (shown?.status !== 'Ready') throw new Error(`${name} is ${shown?.status}`)
      const { status, body } = await home.get(shown.cname)
      if (status !== 200 || !text.test(body)) throw new Error(`${status}: ${body.slice(0, 200)}`)
      return true
    },
    timeoutMs,
  )
  await untilTold(home)
}

/** Waits until instances of groups, targets, sandboxes, disks, interfaces and servers of HAProxy are the same. */
export async function untilTold(home: TestHome, timeoutMs = 30_000): Promise<void> {
  const settings = home.settings()
  let last: Record<string, string[]> = {}
  const agree = async () => {
    last = await told(home, settings)
    return new Set(Object.values(last).map(String)).size === 1
  }
  await until('rows, targets and things agree', agree, timeoutMs).catch((error: unknown) => {
    assert.fail(`${String(error)}\n${JSON.stringify(last, null, 2)}`)
  })
}

async function told(home: TestHome, settings: HomeSettings): Promise<Record<string, string[]>> {
  const api = openApi(home.dir)
  const groups = listOf((await api.call('autoscaling', 'DescribeAutoScalingGroups')).result.AutoScalingGroups)
  const members = groups.flatMap((group) => listOf(group.Instances).map((one) => textOf(one.InstanceId)))
  const targetGroups = listOf(
    (await api.call('elasticloadbalancing', 'DescribeTargetGroups')).result.TargetGroups,
  )
  const targets: string[] = []
  for (const group of targetGroups) {
    const health = await api.call('elasticloadbalancing', 'DescribeTargetHealth', {
      TargetGroupArn: textOf(group.TargetGroupArn),
    })
    for (const one of listOf(health.result.TargetHealthDescriptions))
      targets.push(
        `${textOf(structureOf(one.Target as XmlValue).Id)}${textOf(structureOf(one.TargetHealth as XmlValue).State) === 'healthy' ? '' : ' unhealthy'}`,
      )
  }
  const seen = await things(settings)
  const named = (kind: string, pattern: RegExp) => [
    ...new Set(
      seen.filter((line) => line.startsWith(`${kind} `)).flatMap((line) => pattern.exec(line)?.[1] ?? []),
    ),
  ]
  const links = seen.filter((line) => /^link [ib][0-9a-f]{14}$/.test(line)).length
  return {
    members: members.sort(),
    targets: targets.sort(),
    sandboxes: sandboxes(settings).map(({ id }) => id),
    folders: named('sandbox', /sandbox (.*)/).sort(),
    containers: named('container', /-(i-.*)/).sort(),
    disks: named('instance', /instance (.*)/).sort(),
    servers: named('haproxy', /^haproxy server (i-[0-9a-f]{17})/).sort(),
    cgroups: named('cgroup', new RegExp(`/${settings.id}/(i-[^/]*)$`)).sort(),
    ...(links === members.length ? {} : { links: seen.filter((line) => line.startsWith('link')) }),
  }
}

function processes(): { pid: number; parent: number; argv: string; folder: string; cgroup: string }[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (state === 'Z') return []
      const argv = readFileSync(`/proc/${entry}/cmdline`, 'utf8')
      const cgroup = readFileSync(`/proc/${entry}/cgroup`, 'utf8')
      return [
        {
          pid: Number(entry),
          parent: Number(parent),
          argv,
          folder: readlinkSync(`/proc/${entry}/cwd`),
          cgroup,
        },
      ]
    } catch {
      return [] // it has ended meanwhile
    }
  })
}
