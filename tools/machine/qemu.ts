// A machine in qemu: under KVM where a guest really boots with it, else emulated. It has this machine's network behind
// qemu's own NAT (user networking: nothing is set up here), its ssh on a port of our loopback.
import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Disk } from './disk.ts'
import { findEmulator } from './emulator.ts'
import { argvOfPlace, tell, type Place } from './kept.ts'

/** How guests run here: under KVM, or emulated; `qemu`: the words that its command line begins with. */
export type Accelerator = { name: 'kvm' | 'tcg'; qemu: string[] }
/** `folder`: for what its console says. */
type Starting = { accelerator: Accelerator; folder: string; name: string; place?: Place }
export type Started = {
  port: number
  console: string
  ended: Promise<void>
  /** As the button of a machine: it starts anew, without a word to anything that runs. */
  reset(): Promise<void>
  stop(): Promise<void>
}

const MEMORY_MIB = 3072
const CPUS = 2
const PROBE_MS = 10_000
const STOP_GRACE_MS = 5_000

/** Pure: the arguments of qemu. Without a place what the guest writes goes into a file that qemu deletes at once. */
export function argvOf(disk: Disk, accelerator: Accelerator, port: number, place?: Place): string[] {
  return [
    // Ends with us, also when we are killed.
    ...['setpriv', '--pdeathsig', 'KILL', 'nice', '-n', '19', ...accelerator.qemu],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio'],
    ...['-machine', 'q35', '-smp', String(CPUS), '-m', String(MEMORY_MIB)],
    ...accelerationOf(accelerator),
    ...['-kernel', disk.kernel, '-initrd', disk.initrd],
    ...['-append', 'root=/dev/vda rw console=ttyS0 systemd.journald.forward_to_console=1'],
    ...(place
      ? argvOfPlace(place)
      : ['-drive', `file=${disk.image},format=raw,if=virtio,snapshot=on,discard=unmap`]),
    // `ipv6=on` alone would turn IPv4 off.
    ...['-netdev', `user,id=net0,ipv4=on,ipv6=on,hostfwd=tcp:127.0.0.1:${port}-:22`],
    ...['-device', 'virtio-net-pci,netdev=net0', '-device', 'virtio-rng-pci'],
  ]
}

// decision 012: newer features are left out, since V8 dies under their emulation.
const accelerationOf = ({ name }: Accelerator): string[] =>
  name === 'kvm'
    ? ['-accel', 'kvm', '-cpu', 'host']
    : ['-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'Nehalem']

/** KVM when a guest's kernel speaks within seconds; a machine may have /dev/kvm and still run no guest on it (seen). */
export async function chooseAccelerator(
  disk: Disk,
  cache: string,
  signal?: AbortSignal,
): Promise<Accelerator> {
  const kvm: Accelerator = { name: 'kvm', qemu: ['qemu-system-x86_64'] }
  return (await boots(disk, kvm)) ? kvm : { name: 'tcg', qemu: await findEmulator(cache, signal) }
}

async function boots(disk: Disk, accelerator: Accelerator): Promise<boolean> {
  const [file = '', ...args] = argvOf(disk, accelerator, await freePort())
  const child = spawn(file, args.with(args.indexOf('-append') + 1, 'console=ttyS0 panic=-1'), {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const speaks = await new Promise<boolean>((answer) => {
    const timer = setTimeout(() => answer(false), PROBE_MS)
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('Run /init')) answer(true)
    })
    child.on('error', () => answer(false))
    child.on('close', () => {
      clearTimeout(timer)
      answer(false)
    })
  })
  child.kill('SIGKILL')
  return speaks
}

/** Starts it; what its console says goes to a file in `folder`. Throws what qemu says when it cannot. */
export async function startGuest(
  disk: Disk,
  { accelerator, folder, name, place }: Starting,
): Promise<Started> {
  const port = await freePort()
  const monitor = place?.monitor ?? join(folder, `${name}.monitor`)
  const [file = '', ...rest] = argvOf(disk, accelerator, port, place)
  const args = [...rest, '-monitor', `unix:${monitor},server,nowait`]
  const console = join(folder, `${name}.console`)
  // Its layer lies where the temporary files of large programs belong: /tmp may be memory.
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: '/var/tmp' },
  })
  const log = createWriteStream(console)
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  const reset = async () => void (await tell(monitor, 'system_reset'))
  return { port, console, ended, reset, stop: () => stop(child, ended) }
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS)
  await ended
  clearTimeout(timer)
}

export const lastOf = (console: string): string =>
  readFileSync(console, 'utf8').trim().split('\n').slice(-20).join('\n')

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
