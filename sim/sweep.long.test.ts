import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dieAt, gatesOf, SWEEPS, terminateAt } from './sweep.ts'

/** With POLEBEAN_FULL=1 each crash point is played both ways; otherwise every ninth one, with a reboot and without in turn. */
const FULL = Boolean(process.env.POLEBEAN_FULL)

/** Most of their gates are those of others. */
const ONLY_FULL = [
  'a single instance',
  'another type of a single instance',
  'other groups of instances',
  'another group of the load balancer',
  'a listener of HTTPS',
  'a listener that goes',
  'rules and access logs',
  'another process',
  'a process that goes',
  'leaving a shared load balancer',
  'a classic load balancer',
  'an alarm that adds an instance',
  'names of a zone',
  'certificates that are asked for',
]

describe('dying at any engine call', () => {
  for (const [name, sweep] of Object.entries(SWEEPS).filter(([one]) => FULL || !ONLY_FULL.includes(one)))
    it(`changes nothing about how ${name} ends`, async () => {
      const gates = await gatesOf(sweep)
      assert.ok(gates > 3, `${gates} gates`)
      for (let gate = 1; gate <= gates; gate += FULL ? 1 : 9)
        for (const reboot of FULL ? [false, true] : [gate % 18 === 1]) {
          const wrong = await dieAt(sweep, gate, reboot)
          assert.deepEqual(wrong, [], `died at gate ${gate} of ${gates}${reboot ? ', with a reboot' : ''}`)
        }
    })
})

const INTERRUPTED = ['create', 'a new version', 'a changed instance type', 'scaling in']
/** Between two gates that are tried, unless all of them are. */
const STRIDE = FULL ? 1 : 11

describe('terminating an environment at any engine call', () => {
  for (const name of INTERRUPTED)
    it(`leaves nothing of ${name}`, async () => {
      const sweep = SWEEPS[name]!
      const gates = await gatesOf(sweep)
      for (let gate = 1; gate <= gates; gate += STRIDE)
        assert.deepEqual(await terminateAt(sweep, gate), [], `terminated at gate ${gate} of ${gates}`)
    })
})
