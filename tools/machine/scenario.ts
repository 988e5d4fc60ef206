// What the steps share, and the table of them. A step is a file of its own: it throws when it fails, and answers a remark.
import type { Guest } from './guest.ts'
import type { Release } from './recipe.ts'
import { again } from './steps/again.ts'
import { answer } from './steps/answer.ts'
import { aws } from './steps/aws.ts'
import { backup, prepareSecond, restore } from './steps/backup.ts'
import { clone } from './steps/clone.ts'
import { compareMachine } from './steps/compare-machine.ts'
import { elsewhere } from './steps/elsewhere.ts'
import { escapes } from './steps/escapes.ts'
import { memory } from './steps/memory.ts'
import { reboot } from './steps/reboot.ts'
import { reboots } from './steps/reboots.ts'
import { service } from './steps/service.ts'
import { uninstall } from './steps/uninstall.ts'
import { up } from './steps/up.ts'
import { upgrade } from './steps/upgrade.ts'

/** `memory`: what a step leaves for later ones, by name. */
export type World = {
  guest: Guest
  /** Another machine from the same disk, booted when it is first asked for; it is ended with the run. */
  another(name: string): Promise<Guest>
  memory: Map<string, string>
  /** Where disks are kept. */
  cache: string
  /** How often the machine is rebooted or loses its power in `reboots under load`. */
  rounds: number
}

export type Step = {
  name: string
  /** Also in the shortened form. */
  short?: true
  /** Wants nothing of the steps before it, and a machine of its own. */
  apart?: true
  /** On this release alone: it is what the step is about. */
  release?: Release['number']
  /** What the time should be at most, in seconds, under KVM (issue 3); emulated machines are slower and only told. */
  goalS?: number
  run(world: World): Promise<string | void>
}

/** In this order. */
export const STEPS: Step[] = [
  { name: 'clone', short: true, run: clone },
  { name: 'up, everything to fetch', short: true, goalS: 120, run: up },
  { name: '200', short: true, run: answer },
  { name: 'second up', short: true, goalS: 5, run: again },
  { name: 'the AWS walk', run: aws },
  { name: 'service', run: service },
  { name: 'memory', run: memory },
  { name: 'escapes', run: escapes },
  { name: 'reboot to 200', short: true, goalS: 30, run: reboot },
  { name: 'upgrade and back', run: upgrade },
  { name: 'backup', run: backup },
  { name: 'second machine', run: prepareSecond },
  { name: 'restore', goalS: 60, run: restore },
  { name: 'reboots under load', run: reboots },
  { name: 'uninstall', short: true, run: uninstall },
  { name: 'compare', short: true, run: compareMachine },
  // The Lima file and the Dockerfile both are Debian 12, whatever machine they are on.
  { name: 'elsewhere', apart: true, release: '12', run: elsewhere },
]
