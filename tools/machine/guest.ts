// A guest as the steps see it: programs run in it over ssh, by its sudo user; it can be rebooted and ended.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { readFileIfAny } from '../../src/kernel/files.ts'
import type { Disk } from './disk.ts'
import { runHere } from './here.ts'
import type { Place } from './kept.ts'
import { lastOf, startGuest, type Accelerator, type Started } from './qemu.ts'
import { USER } from './recipe.ts'

export type Guest = {
  /** Runs a script of sh as the sudo user; answers what it printed. Throws its last lines when it fails. */
  run(script: string, options?: Run): Promise<string>
  /** The same as root. */
  root(script: string, options?: Run): Promise<string>
  /** Asks the machine to reboot; answers when it can be spoken to again. */
  reboot(): Promise<void>
  /** The same without a word to anything that runs: what was not written to the disk is lost. */
  cutPower(): Promise<void>
  stop(): Promise<void>
  port: number
}

/** Whom a Debian trusts. */
export const CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt'

type Run = { stdin?: string | Buffer; timeoutMs?: number }

const BOOT_MS = 1_200_000
const RUN_MS = 7_200_000
const ASK_MS = 20_000
const ASK_AGAIN_MS = 300

type Options = { accelerator: Accelerator; folder: string; name: string; signal: AbortSignal; place?: Place }

/** Starts a guest on a layer of its own above the disk, and waits until its sudo user can log in. */
export async function bootGuest(disk: Disk, options: Options): Promise<Guest> {
  const machine = await startGuest(disk, options)
  return guestOn(machine, { ...options, key: disk.key })
}

/** Speaks with a machine that was started; answers when its sudo user can log in, and ends it when that does not happen. */
export async function guestOn(
  machine: Started,
  { key, name, signal }: { key: string; name: string; signal: AbortSignal },
): Promise<Guest> {
  let over = false
  void machine.ended.then(() => (over = true))
  const options = {
    ...{ BatchMode: 'yes', LogLevel: 'ERROR', StrictHostKeyChecking: 'no', UserKnownHostsFile: '/dev/null' },
    ...{ ConnectTimeout: '60', ServerAliveInterval: '15', ServerAliveCountMax: '80' },
  }
  const words = Object.entries(options).flatMap(([option, value]) => ['-o', `${option}=${value}`])
  const ssh = (command: string, run: Run = {}) =>
    runHere(['ssh', '-p', String(machine.port), '-i', key, ...words, `${USER}@127.0.0.1`, command], {
      timeoutMs: RUN_MS,
      ...run,
      signal,
    })
  const bootId = (timeoutMs = RUN_MS) => ssh('cat /proc/sys/kernel/random/boot_id', { timeoutMs })
  const untilUp = async (before = '') => {
    let from = saidOn(machine).length
    for (const end = performance.now() + BOOT_MS; performance.now() < end; await sleep(ASK_AGAIN_MS)) {
      signal.throwIfAborted()
      if (over) break
      if (LOST_TIMER.test(saidOn(machine).slice(from))) {
        from = saidOn(machine).length
        await machine.reset()
      }
      const id = await bootId(ASK_MS).catch(() => before)
      if (id !== before) return
    }
    await machine.stop()
    throw new Error(`the guest ${name} did not come up; its console ends with:\n${lastOf(machine.console)}`)
  }
  // Each ends our connection.
  const restart = async (command: string) => {
    const before = await bootId()
    await ssh(command, { timeoutMs: 60_000 }).catch(() => undefined)
    await untilUp(before)
  }
  await untilUp()
  return {
    port: machine.port,
    run: (script, run) => ssh(`set -e; ${script}`, run),
    root: (script, run) => ssh(`sudo sh -ec ${quoted(script)}`, run),
    reboot: () => restart('sudo systemctl reboot'),
    cutPower: () => restart('sudo sh -c "echo b >/proc/sysrq-trigger"'),
    stop: machine.stop,
  }
}

/**
 * An emulated processor whose timer does not come while the kernel starts (seen once, Linux 6.12 on a busy machine): it waits for
 * ever, before anything of Debian or of ours runs.
 */
const LOST_TIMER = /rcu_preempt kthread timer wakeup didn't happen/

/** '' before its first word. */
const saidOn = ({ console }: Started): string => readFileIfAny(console) ?? ''

/** One word of sh. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** What this machine trusts and where its package managers look: a guest gets the same, so that it reaches the same. */
export async function introduce(guest: Guest): Promise<void> {
  const certificates = readFileSync(CA_BUNDLE)
  // One file: update-ca-certificates takes the whole of it into the bundle.
  await guest.root(
    'cat >/usr/local/share/ca-certificates/from-outside.crt; update-ca-certificates >/dev/null 2>&1',
    { stdin: certificates },
  )
  const names = [
    'http_proxy',
    'https_proxy',
    'no_proxy',
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'NO_PROXY',
    'PIP_INDEX_URL',
  ]
  const lines = names.flatMap((name) => (process.env[name] ? [`${name}=${process.env[name]}`] : []))
  const registry = (await runHere(['npm', 'config', 'get', 'registry']).catch(() => '')).trim()
  await guest.root('cat >>/etc/environment', {
    stdin: [`NODE_EXTRA_CA_CERTS=${CA_BUNDLE}`, ...lines, ''].join('\n'),
  })
  await guest.root('cat >/etc/pip.conf', {
    stdin: `[global]\ncert = ${CA_BUNDLE}\n`,
  })
  await guest.run('cat >~/.npmrc', {
    stdin: `cafile=${CA_BUNDLE}\n${/^https?:/.test(registry) ? `registry=${registry}\n` : ''}`,
  })
  await guest.root(
    'ufw allow OpenSSH >/dev/null; ufw --force enable >/dev/null; sysctl -qw net.ipv4.ip_forward=0',
  )
}
