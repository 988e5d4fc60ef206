import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nameOf } from './up-target.ts'

describe('nameOf', () => {
  it('makes what AWS takes as a name', () => {
    const names = ['über', 'my_app', 'a', '--', 'x'.repeat(50), 'Café Olé', 'ab-', '日本'].map((name) =>
      nameOf(`/srv/${name}`),
    )
    assert.deepEqual(names, [
      'uber',
      'my-app',
      'a-env',
      'app-env',
      'x'.repeat(36),
      'Cafe-Ole',
      'ab-env',
      'app-env',
    ])
  })
})
