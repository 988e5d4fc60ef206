import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { compatibilityText } from './compatibility.ts'

describe('docs/compatibility.md', () => {
  it('lists exactly the operations that the services have', () => {
    assert.equal(readFileSync('docs/compatibility.md', 'utf8'), compatibilityText(), 'run: npm run generate')
  })
})
