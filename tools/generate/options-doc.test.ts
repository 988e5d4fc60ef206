import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { OPTIONS_DOC, renderOptionsDoc } from './options-doc.ts'

describe('docs/options.md', () => {
  it('is what the tables say (else run `npm run generate`)', () => {
    assert.equal(readFileSync(OPTIONS_DOC, 'utf8'), renderOptionsDoc())
  })
})
