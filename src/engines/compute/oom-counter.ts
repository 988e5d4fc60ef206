// The kills of an instance over its whole life: a cgroup counts those of one boot only, and goes with it.
import type { InstanceMemory } from './engine.ts'
import type { InstanceFiles, InstanceRecord } from './instance-files.ts'
import type { Log } from '../../kernel/log.ts'
import { parseVictim, readKernelLog, readOomKills, type OomVictim } from './oom.ts'
import type { Sandboxes } from './sandbox.ts'
import { readMemoryBytes } from './stats.ts'

/** Kept with the instance. */
export type KeptOom = {
  /** Kills of the boots before `boot`. */
  before: number
  boot: string
  /** Kills of `boot`, as far as they were kept. */
  ofBoot: number
  process: string
  ofMachine: boolean
}

export const NO_OOM: KeptOom = { before: 0, boot: '', ofBoot: 0, process: '', ofMachine: false }

/** Adds what the cgroup of `boot` counted. Pure. */
export function addKills(kept: KeptOom, boot: string, kills: number): KeptOom {
  if (boot === kept.boot) return kills > kept.ofBoot ? { ...kept, ofBoot: kills } : kept
  return kills === 0 ? kept : { ...kept, before: kept.before + kept.ofBoot, boot, ofBoot: kills }
}

export function makeOomCounter(
  sandboxes: Sandboxes,
  files: () => InstanceFiles,
  bootOf: (id: string) => string,
  log: Log,
) {
  /** The last victim is looked up once for each count. */
  const victims = new Map<string, OomVictim & { kills: number }>()

  const now = ({ spec, oom = NO_OOM }: InstanceRecord): KeptOom => {
    const boot = bootOf(spec.id)
    const counted = addKills(oom, boot, boot === '' ? 0 : (readOomKills(sandboxes.cgroupOf(spec.id)) ?? 0))
    if (counted === oom) return oom
    const kills = counted.before + counted.ofBoot
    let victim = victims.get(spec.id)
    if (victim?.kills !== kills) {
      victim = { ...parseVictim(readKernelLog(), sandboxes.cgroupOf(spec.id)), kills }
      victims.set(spec.id, victim)
    }
    return { ...counted, process: victim.process, ofMachine: victim.ofMachine }
  }
  return {
    /** Writes down what the cgroup counted, before it goes. */
    keep(id: string): void {
      const record = files().all().get(id)
      if (!record) return
      const oom = now(record)
      if (oom === (record.oom ?? NO_OOM)) return
      try {
        files().put({ ...record, oom })
      } catch (error) {
        // A full disk must not keep an instance from ending.
        log.warn('kills for want of memory cannot be kept', { instance: id, error })
      }
    },
    look(record: InstanceRecord): InstanceMemory {
      const { id, memoryBytes } = record.spec
      const oom = now(record)
      const used = bootOf(id) === '' ? undefined : readMemoryBytes(sandboxes.cgroupOf(id))
      return {
        id,
        ...(used === undefined ? {} : { usedBytes: used }),
        limitBytes: memoryBytes,
        oomKills: oom.before + oom.ofBoot,
        oomProcess: oom.process,
        oomOfMachine: oom.ofMachine,
      }
    },
    forget: (id: string) => void victims.delete(id),
  }
}
