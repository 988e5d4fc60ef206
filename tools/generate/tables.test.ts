import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { operationsSource, packages } from './operations.ts'
import { tableSource } from './tables.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

describe('generated files', () => {
  for (const [service, packageName] of Object.entries(packages))
    it(`of ${service} are what the generator makes of the installed SDK (else: npm run generate)`, () => {
      assert.equal(read(`src/gateway/generated/${service}.ts`), tableSource(service, packageName))
      assert.equal(read(`src/services/generated/${service}.ts`), operationsSource(service, packageName))
    })
})
