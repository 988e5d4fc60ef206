import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dieAt, gatesOf, SWEEPS } from './sweep.ts'

/** With POLEBEAN_FULL=1 each crash point is played both ways; otherwise every second one with a reboot. */
const FULL = Boolean(process.env.POLEBEAN_FULL)

describe('dying at any engine call', () => {
  for (const [name, sweep] of Object.entries(SWEEPS))
    it(`changes nothing about how ${name} ends`, async () => {
      const gates = await gatesOf(sweep)
      assert.ok(gates > 3, `${gates} gates`)
      for (let gate = 1; gate <= gates; gate++)
        for (const reboot of FULL ? [false, true] : [gate % 2 === 0]) {
          const wrong = await dieAt(sweep, gate, reboot)
          assert.deepEqual(wrong, [], `died at gate ${gate} of ${gates}${reboot ? ', with a reboot' : ''}`)
        }
    })
})
