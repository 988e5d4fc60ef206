// The service of a home: its unit in systemd. What is there is asked of systemd and of the unit's file each time.
import { chmodSync, existsSync, lstatSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { EngineError } from '../kernel/errors.ts'
import { readFileIfAny, writeFileAtomic } from '../kernel/files.ts'
import { run, runOk } from '../kernel/process.ts'
import { LEDGER, noteDeed } from './ledger.ts'
import {
  environmentFileOf,
  isOurs,
  renderEnvironment,
  renderUnit,
  unitNameOf,
  type UnitHome,
} from './unit.ts'

/** Where a machine keeps these things; tests hand in folders of their own. */
export type ServiceMachine = {
  /** Is there when systemd is the machine's first process (sd_booted.3). */
  booted: string
  units: string
  ledger: string
  /** Where systemctl is found. */
  path: string
}

export const THIS_MACHINE: ServiceMachine = {
  booted: '/run/systemd/system',
  units: '/etc/systemd/system',
  ledger: LEDGER,
  path: '/usr/sbin:/usr/bin:/sbin:/bin',
}

export type ServiceState = {
  /** What stands under the unit's name: nothing, the unit that we wrote, or somebody else's. */
  unit: 'none' | 'ours' | 'foreign'
  /** It starts at the next boot. */
  enabled: boolean
  /** systemd's own word: active, activating, deactivating, inactive, failed. */
  active: string
  /** Of the server; null while it does not run under the unit. */
  pid: number | null
}

export type Service = {
  name: string
  path: string
  /** Whether this machine can have one. */
  hasSystemd(): boolean
  /** Whether our unit is there, without asking systemd. False on a machine without systemd. */
  isInstalled(): boolean
  state(): Promise<ServiceState>
  /** Writes unit and environment, each when it is another one. Answers whether anything was. Throws on a foreign unit. */
  write(program: string, environment: Record<string, string>): Promise<boolean>
  /** From now on it starts at boot. */
  enable(): Promise<void>
  /** Resolves when the server was started (restarted), which is before it answers. */
  start(): Promise<void>
  restart(): Promise<void>
  /** Until the next boot or `start`. Resolves when the server has ended. */
  stop(): Promise<void>
  /** Stops it and takes it away. */
  remove(): Promise<void>
  /** What the server has said since `from` (epoch ms), oldest first. */
  said(from: number): Promise<string[]>
}

const SYSTEMCTL_MS = 60_000

/** Making it touches nothing. */
export function makeService(home: UnitHome, machine: ServiceMachine = THIS_MACHINE): Service {
  const name = unitNameOf(home)
  const path = join(machine.units, name)
  const options = { timeoutMs: SYSTEMCTL_MS, env: { PATH: machine.path, LC_ALL: 'C.UTF-8' } }
  const systemctl = (...args: string[]) => runOk(['systemctl', ...args], options)

  const hasSystemd = () => existsSync(machine.booted)
  // A masked unit is a link to /dev/null.
  const fileOf = (): ServiceState['unit'] => {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (!stat) return 'none'
    return stat.isFile() && isOurs(readFileIfAny(path) ?? '') ? 'ours' : 'foreign'
  }

  const state = async (): Promise<ServiceState> => {
    const shown = await systemctl('show', name, '--property', PROPERTIES)
    const {
      LoadState,
      FragmentPath,
      UnitFileState,
      ActiveState = '',
      MainPID,
    } = Object.fromEntries(
      shown.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
    ) as Record<string, string | undefined>
    const elsewhere = LoadState !== 'not-found' && ![path, '', undefined].includes(FragmentPath)
    const file = fileOf()
    return {
      unit: file === 'none' && elsewhere ? 'foreign' : file,
      enabled: UnitFileState === 'enabled',
      active: ActiveState,
      pid: Number(MainPID) || null,
    }
  }

  const writeUnit = async (program: string): Promise<boolean> => {
    const text = renderUnit(home, program)
    if ((await state()).unit === 'foreign')
      throw new EngineError(
        `there is a unit ${name} that Polebean did not write; it stays as it is (see: systemctl cat ${name})`,
      )
    if (readFileIfAny(path) === text) return false
    noteDeed({ deed: 'write file', path }, machine.ledger)
    writeFileAtomic(path, text)
    chmodSync(path, 0o644) // every user may see what there is, whatever our umask
    await systemctl('daemon-reload')
    return true
  }

  return {
    name,
    path,
    hasSystemd,
    isInstalled: () => hasSystemd() && fileOf() === 'ours',
    state,
    async write(program, environment) {
      const changed = await writeUnit(program)
      const file = environmentFileOf(home)
      const text = renderEnvironment(environment)
      if (readFileIfAny(file) === text) return changed
      writeFileAtomic(file, text, 0o600)
      return true
    },
    async enable() {
      if ((await state()).enabled) return
      noteDeed({ deed: 'enable unit', unit: name }, machine.ledger)
      await systemctl('enable', '--quiet', name)
    },
    start: async () => void (await systemctl('start', name)),
    restart: async () => void (await systemctl('restart', name)),
    stop: async () => void (await systemctl('stop', name)),
    async remove() {
      if (fileOf() !== 'ours') return
      await systemctl('stop', name)
      noteDeed({ deed: 'disable unit', unit: name }, machine.ledger)
      await systemctl('disable', '--quiet', name)
      noteDeed({ deed: 'remove file', path }, machine.ledger)
      rmSync(path, { force: true })
      rmSync(environmentFileOf(home), { force: true })
      await systemctl('daemon-reload')
      await run(['systemctl', 'reset-failed', name], options) // where there is nothing to forget it says so
    },
    async said(from) {
      const since = `--since=@${Math.floor(from / 1000)}`
      const argv = ['journalctl', '--quiet', '--no-pager', '--output=cat', `--unit=${name}`, since]
      const { stdout } = await run(argv, options)
      return stdout.toString().split('\n').filter(Boolean)
    },
  }
}

const PROPERTIES = 'LoadState,FragmentPath,UnitFileState,ActiveState,MainPID'
