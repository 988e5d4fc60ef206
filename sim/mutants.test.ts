import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MUTANTS } from './mutants.ts'
import { occurrences } from './mutate.ts'

describe('the seeded bugs', () => {
  for (const mutant of MUTANTS)
    it(`can still be put in: ${mutant.bug}`, () => {
      assert.equal(occurrences(mutant), 1, `${mutant.file}: ${mutant.find}`)
    })
})
