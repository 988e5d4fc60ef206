// The simulator bites: no seeded bug survives it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MUTANTS, type Mutant } from './mutants.ts'
import { hunt } from './mutate.ts'

/** Seeds, or crash points, within which a bug must show. */
const TRIALS_MAX = process.env.POLEBEAN_FULL ? 300 : 120

// Every fourth one in `npm test`, all of them in `npm run test:full`: they take two seconds to a minute each.
const CHOSEN = process.env.POLEBEAN_FULL ? MUTANTS : MUTANTS.filter((_, index) => index % 4 === 0)

const HARMLESS: Mutant = {
  bug: 'has none',
  file: 'src/control/lanes.ts',
  find: 'const BACKOFF_FIRST_MS = 250',
  replace: 'const BACKOFF_FIRST_MS = 250 // changed',
  by: 'seeds',
}

describe('the simulator', () => {
  it('catches nothing where nothing is wrong', async () => {
    assert.equal(await hunt(HARMLESS, 3), undefined)
  })
  for (const mutant of CHOSEN)
    it(`catches a control plane that ${mutant.bug}`, async (context) => {
      const caught = await hunt(mutant, TRIALS_MAX)
      assert.ok(caught, `not within ${TRIALS_MAX} of its ${mutant.by}`)
      context.diagnostic(caught)
    })
})
