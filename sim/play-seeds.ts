// The seeds that tests play, as two halves, since node --test runs files side by side. POLEBEAN_FULL=1 plays more of
// them.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { play } from './play.ts'

const SEEDS_EACH = process.env.POLEBEAN_FULL ? 1_000 : 60

export function playSeeds(half: 0 | 1): void {
  it(`${SEEDS_EACH} seeds of faults, crashes and reboots all come to rest`, async () => {
    const first = 1 + half * SEEDS_EACH
    for (let seed = first; seed < first + SEEDS_EACH; seed++) {
      const { wrong, trace } = await play(seed)
      assert.deepEqual(wrong, [], `seed ${seed} (node sim/main.ts --seed ${seed}):\n${trace.join('\n')}`)
    }
  })
}
