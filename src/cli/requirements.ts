// What this machine must have before anything is made on it: programs in a version that will do, the kernel's parts, and
// the rights of root. `doctor` shows them all; the server and `start` refuse with the first that is missing.
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isOlder, readFacts, whyNotHere } from '../../tools/setup/elsewhere.mjs'
import { run } from '../kernel/process.ts'
import { EXIT, Failure } from './failure.ts'
import PROGRAMS from './programs.json' with { type: 'json' }

export type Check = { name: string; ok: boolean; saw: string }
export type Program = {
  program: string
  /** Debian's package that brings it. */
  package: string
  /** Arguments that make it print its version. */
  version?: string[]
  minimum?: string
  /** What the minimum is for. */
  why?: string
}

// Where `run` and instances look: what lies elsewhere is not used, so it does not count.
const FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** Each program that the engines run. */
export async function checkPrograms(): Promise<Check[]> {
  const table: Program[] = PROGRAMS
  return [...(await Promise.all(table.map(checkProgram))), await checkVenv()]
}

async function checkProgram(one: Program): Promise<Check> {
  const path = FOLDERS.map((folder) => join(folder, one.program)).find(canRun)
  if (!path) return judge(one, undefined)
  if (!one.version) return judge(one, '')
  const said = await run([path, ...one.version], { timeoutMs: 10_000 }).catch((error: Error) => error)
  if (said instanceof Error) return { name: one.program, ok: false, saw: said.message }
  return judge(one, `${said.stdout}${said.stderr}`)
}

/** Pure: what to think of a program that said this of its version; undefined when it was not found. */
export function judge(
  { program: name, package: from, version, minimum, why }: Program,
  said?: string,
): Check {
  const install = `apt-get install ${from}`
  if (said === undefined) return { name, ok: false, saw: `not found (${install})` }
  const line = said.trim().split('\n')[0] ?? ''
  if (!version) return { name, ok: true, saw: 'found' }
  if (minimum === undefined) return { name, ok: true, saw: line }
  const found = /\d+(?:\.\d+)+/.exec(line)?.[0]
  if (found !== undefined && !isOlder(found, minimum)) return { name, ok: true, saw: line }
  return { name, ok: false, saw: `${line}: ${minimum} or newer is needed, since ${why} (${install})` }
}

async function checkVenv(): Promise<Check> {
  const name = 'python3 venv'
  const said = await run(['/usr/bin/python3', '-I', '-c', 'import venv, ensurepip']).catch(() => undefined)
  if (said?.exit === 0) return { name, ok: true, saw: 'venv and ensurepip' }
  return { name, ok: false, saw: 'cannot be imported (apt-get install python3-venv)' }
}

/** What the machine told: texts of files, or undefined where there is none. */
export type Machine = {
  read(path: string): string | undefined
  /** Can it be written to? False when it is not there or mounted read-only. */
  writable(path: string): boolean
}

/** The kernel's parts. */
export function checkKernel(machine: Machine = THIS_MACHINE): Check[] {
  return [
    checkGroups(machine),
    ...['overlay', 'ext4'].map((name) => {
      const known = new RegExp(`\\b${name}$`, 'm').test(machine.read('/proc/filesystems') ?? '')
      const ok = known || hasModule(machine, name)
      return { name, ok, saw: ok ? 'in the kernel' : `not in this kernel (modprobe ${name})` }
    }),
    loop(machine),
  ]
}

function loop(machine: Machine): Check {
  const ok = machine.writable('/dev/loop-control')
  return { name: 'loop devices', ok, saw: ok ? 'there' : 'no /dev/loop-control (modprobe loop)' }
}

const GROUPS = ['cpu', 'memory', 'pids']

function checkGroups(machine: Machine): Check {
  const name = 'cgroups'
  const root = '/sys/fs/cgroup'
  const second = machine.read(`${root}/cgroup.controllers`)?.trim().split(' ')
  const missing = GROUPS.filter((each) =>
    second ? !second.includes(each) : !machine.writable(`${root}/${each}`),
  )
  if (missing.length === 0 && (!second || machine.writable(root)))
    return { name, ok: true, saw: second ? 'v2' : 'v1' }
  return { name, ok: false, saw: `${missing.join(', ') || root} cannot be used (mount ${root} writable)` }
}

// A file system that is a module is loaded by the kernel at its first mount.
function hasModule(machine: Machine, name: string): boolean {
  const folder = `/lib/modules/${machine.read('/proc/sys/kernel/osrelease')?.trim()}`
  return ['modules.builtin', 'modules.dep'].some((file) =>
    new RegExp(`/${name}\\.ko`).test(machine.read(join(folder, file)) ?? ''),
  )
}

/** Bits of capability.h. */
const CAPABILITIES = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  FOWNER: 3,
  KILL: 5,
  SETGID: 6,
  SETUID: 7,
  NET_BIND_SERVICE: 10,
  NET_ADMIN: 12,
  SYS_ADMIN: 21,
}

/** What root may do here; a container may have taken some of it away. */
export function checkRights(machine: Machine = THIS_MACHINE): Check {
  const name = 'rights'
  const [, mask = '0'] = /^CapEff:\s*([0-9a-f]+)/m.exec(machine.read('/proc/self/status') ?? '') ?? []
  const missing = Object.entries(CAPABILITIES).flatMap(([capability, bit]) =>
    (BigInt(`0x${mask}`) >> BigInt(bit)) & 1n ? [] : `CAP_${capability}`,
  )
  if (missing.length > 0)
    return {
      name,
      ok: false,
      saw: `root without ${missing.join(', ')} (in a container: docker run --privileged)`,
    }
  // In a user namespace the bits are there, but not for the machine's own devices.
  if (!/^\s*0\s+0\s+4294967295\s*$/.test(machine.read('/proc/self/uid_map') ?? ''))
    return {
      name,
      ok: false,
      saw: 'root of a user namespace only (a rootless container); it must be the real one',
    }
  return { name, ok: true, saw: 'all that is needed' }
}

/** Throws a plain sentence when Polebean cannot run here. Makes nothing. */
export async function requireMachine(platform: string = process.platform): Promise<void> {
  const reason = whyNotHere({ ...readFacts(), platform })
  if (reason) throw new Failure(reason)
  if (process.getuid!() !== 0)
    throw new Failure('the server needs root (it makes network namespaces); use sudo', EXIT.usage)
  const bad = [checkRights(), ...checkKernel(), ...(await checkPrograms())].filter(({ ok }) => !ok)
  if (bad.length > 0)
    throw new Failure(
      `this machine lacks what Polebean needs; nothing was changed\n  ${bad.map(({ name, saw }) => `${name}: ${saw}`).join('\n  ')}`,
    )
}

const THIS_MACHINE: Machine = {
  read: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
  writable: (path) => allows(path, constants.W_OK),
}

const canRun = (path: string) => allows(path, constants.X_OK)

function allows(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}
