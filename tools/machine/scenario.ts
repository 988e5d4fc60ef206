// What the steps share, and the table of them. A step is a file of its own: it throws when it fails, and answers a remark.
import type { Disk } from './disk.ts'
import type { Guest } from './guest.ts'
import type { Accelerator } from './qemu.ts'
import { again } from './steps/again.ts'
import { answer } from './steps/answer.ts'
import { aws } from './steps/aws.ts'
import { clone } from './steps/clone.ts'
import { compareMachine } from './steps/compare-machine.ts'
import { reboot } from './steps/reboot.ts'
import { uninstall } from './steps/uninstall.ts'
import { up } from './steps/up.ts'

/** `memory`: what a step leaves for later ones, by name. */
export type World = {
  guest: Guest
  disk: Disk
  accelerator: Accelerator
  /** Boots another machine from the same disk; it is ended with the run. */
  another(name: string): Promise<Guest>
  memory: Map<string, string>
}

export type Step = {
  name: string
  /** Also in the shortened form. */
  short?: true
  /** What the time should be at most, in seconds, under KVM (issue 3); emulated machines are slower and only told. */
  goalS?: number
  run(world: World): Promise<string | void>
}

/** In this order. Upgrade, backup, restore and the service have their places between `again` and `uninstall`. */
export const STEPS: Step[] = [
  { name: 'clone', short: true, run: clone },
  { name: 'up, everything to fetch', short: true, goalS: 120, run: up },
  { name: '200', short: true, run: answer },
  { name: 'second up', goalS: 5, run: again },
  { name: 'the AWS walk', run: aws },
  { name: 'reboot to 200', short: true, goalS: 30, run: reboot },
  { name: 'uninstall', short: true, run: uninstall },
  { name: 'compare', short: true, run: compareMachine },
]
