// `npm run test:machine`: Polebean on real machines: Debian with systemd, from the clone to the uninstall. Never part of
// `npm test`. Needs root (mmdebstrap), qemu-system-x86, mmdebstrap, e2fsprogs and ssh. One line a step, a table at the end;
// guests and their files are ended and removed also when it fails or is interrupted.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensurePackages } from '../setup/packages.mjs'
import { CACHE, makeDisk } from './disk.ts'
import { bootGuest, type Guest } from './guest.ts'
import { openKept } from './kept.ts'
import { chooseAccelerator, type Accelerator } from './qemu.ts'
import { RELEASES, type Release } from './recipe.ts'
import { STEPS, type Step, type World } from './scenario.ts'
import { writeTimings, type Timing } from './timings.ts'

const USAGE = `npm run test:machine -- [--short | --elsewhere] [--debian 12|13] [--reboots N] [--cache DIR] [--keep DIR] [--build-only]
  --short       one disk, and only some of the steps
  --elsewhere   only what is tried on a machine of its own: what contrib/ ships
  --debian N    only this release
  --reboots N   reboots and power cuts under load (20)
  --cache DIR   where disks are kept (${CACHE})
  --keep DIR    keep the guests there after each step: the same command goes on where it ended
  --build-only  only the disks`

const { short, apart, debian, reboots, cache, keep, buildOnly } = readArguments()
const folder = mkdtempSync(join(tmpdir(), 'machine-'))
const guests: Guest[] = []
const rows: (Timing & { disk: string })[] = []
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)))

let failed = false
try {
  if (process.getuid!() !== 0) throw new Error('test:machine needs root (mmdebstrap makes device files)')
  await ensurePackages({
    yes: true,
    extra: {
      'qemu-system-x86_64': 'qemu-system-x86',
      mmdebstrap: 'mmdebstrap',
      'qemu-img': 'qemu-utils',
      'mkfs.ext4': 'e2fsprogs',
      'ssh-keygen': 'openssh-client',
      git: 'git',
    },
  })
  const releases = RELEASES.filter(
    (one) => (debian === undefined || one.number === debian) && STEPS.some((step) => isWanted(step, one)),
  )
  if (releases.length === 0) throw new Error(`nothing of it is tried on Debian ${debian}`)
  for (const release of short ? releases.slice(0, 1) : releases) await onRelease(release)
} catch (error) {
  failed = true
  console.error(`polebean: ${error instanceof Error ? error.message : String(error)}`)
} finally {
  await Promise.all(guests.map((guest) => guest.stop()))
  rmSync(folder, { recursive: true, force: true })
}
printRows()
console.log(failed ? 'test:machine failed' : 'test:machine passed')
process.exitCode = failed ? 1 : 0

async function onRelease(release: Release): Promise<void> {
  const name = `debian-${release.number}`
  const { disk } = await timed(name, { name: 'disk' }, async () => {
    const made = await makeDisk(release, cache, interrupted.signal)
    return { disk: made.disk, said: made.built ? 'built' : 'from the cache' }
  })
  if (buildOnly) return
  const kept = keep === undefined ? undefined : openKept(join(keep, name), disk)
  const passed = kept?.progress?.steps ?? []
  rows.push(...passed.slice(1).map((row) => ({ ...row, disk: name })))
  let accelerator: Accelerator | undefined
  const booted = new Map<string, Guest>()
  const boot = async (guestName: string) => {
    const there = booted.get(guestName)
    if (there) return there
    accelerator ??= await chooseAccelerator(disk, cache, interrupted.signal)
    const place = await kept?.place(guestName)
    const options = { accelerator, folder, name: guestName, signal: interrupted.signal }
    const guest = await bootGuest(disk, { ...options, ...(place ? { place } : {}) })
    guests.push(guest)
    booted.set(guestName, guest)
    return guest
  }
  const start = async () => {
    const first = await boot(name)
    return {
      guest: first,
      said: accelerator?.name === 'kvm' ? 'under KVM' : 'emulated: no guest runs under KVM here',
    }
  }
  const { guest } = passed.length > 0 ? await start() : await timed(name, { name: 'boot' }, start)
  const world: World = {
    guest,
    another: (other) => (apart ? Promise.resolve(guest) : boot(`${name}-${other}`)),
    memory: new Map(kept?.progress?.memory),
    cache,
    rounds: reboots,
  }
  const steps = () => rows.filter((row) => row.disk === name)
  const isDone = (step: string) => passed.some((one) => one.step === step)
  try {
    for (const step of STEPS.filter((one) => isWanted(one, release) && !isDone(one.name))) {
      await timed(name, step, async () => ({ said: (await step.run(world)) ?? '' }))
      await kept?.save({ steps: steps(), memory: [...world.memory] }, [...booted.keys()])
    }
  } finally {
    if (!short && !apart)
      writeTimings(cache, name, { at: Date.now(), emulated: accelerator?.name !== 'kvm', steps: steps() })
  }
  for (const one of booted.values()) await one.stop()
  kept?.forget()
}

function isWanted(step: Step, { number }: Release): boolean {
  if (step.release !== undefined && step.release !== number) return false
  return apart ? step.apart === true : !short || step.short === true
}

async function timed<T extends { said: string }>(
  disk: string,
  { name: step, goalS = null }: { name: string; goalS?: number | null },
  work: () => Promise<T>,
): Promise<T> {
  interrupted.signal.throwIfAborted()
  const startedAt = performance.now()
  const end = (said: string, failed = false) => {
    const seconds = (performance.now() - startedAt) / 1000
    rows.push({ disk, step, seconds, goalS, said, failed })
    console.log(`${disk}  ${step.padEnd(24)} ${seconds.toFixed(1).padStart(7)} s  ${said}`)
  }
  try {
    const done = await work()
    end(done.said)
    return done
  } catch (error) {
    end('FAILED', true)
    throw error
  }
}

function printRows(): void {
  console.log(`\n${'disk'.padEnd(12)}${'step'.padEnd(26)}${'seconds'.padStart(8)}  ${'goal'.padEnd(10)}`)
  for (const { disk, step, seconds, goalS, failed } of rows) {
    const goal = goalS === null ? '' : `<= ${goalS} s`
    console.log(
      `${disk.padEnd(12)}${step.padEnd(26)}${seconds.toFixed(1).padStart(8)}  ${goal.padEnd(10)}${failed ? 'FAILED' : ''}`.trimEnd(),
    )
  }
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        short: { type: 'boolean', default: false },
        elsewhere: { type: 'boolean', default: false },
        debian: { type: 'string' },
        reboots: { type: 'string', default: '20' },
        cache: { type: 'string', default: CACHE },
        keep: { type: 'string' },
        'build-only': { type: 'boolean', default: false },
      },
    })
    if (values.debian !== undefined && !RELEASES.some(({ number }) => number === values.debian))
      throw new Error(`no such release: ${values.debian}`)
    if (values.short && values.elsewhere) throw new Error('--short and --elsewhere exclude each other')
    if (!/^\d{1,3}$/.test(values.reboots)) throw new Error(`not a number of reboots: ${values.reboots}`)
    mkdirSync(values.cache, { recursive: true })
    return {
      short: values.short,
      apart: values.elsewhere,
      debian: values.debian,
      reboots: Number(values.reboots),
      cache: values.cache,
      keep: values.keep,
      buildOnly: values['build-only'],
    }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
    process.exit(2)
  }
}
