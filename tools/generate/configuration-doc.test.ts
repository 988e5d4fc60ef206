import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { CONFIGURATION_DOC, renderConfigurationDoc } from './configuration-doc.ts'

describe('docs/configuration.md', () => {
  it('is what the table says (else run `npm run generate`)', () => {
    assert.equal(readFileSync(CONFIGURATION_DOC, 'utf8'), renderConfigurationDoc())
  })
})
