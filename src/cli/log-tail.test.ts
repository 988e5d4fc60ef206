import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newLines } from './log-tail.ts'

const DASHES = '-'.repeat(40)
const tail = (logs: Record<string, string[]>) =>
  Object.entries(logs)
    .map(([name, lines]) => `${DASHES}\n${name}\n${DASHES}\n${lines.join('\n')}\n`)
    .join('\n')

describe('newLines', () => {
  it('finds nothing where nothing was written', () => {
    const text = tail({ '/var/log/a': ['1', '2'], '/var/log/b': [] })
    assert.equal(newLines(text, text), '')
  })
  it('finds what was written behind, also when the beginning has moved', () => {
    const before = tail({ '/var/log/a': ['1', '2', '3'], '/var/log/b': ['x'] })
    assert.equal(
      newLines(before, tail({ '/var/log/a': ['2', '3', '4'], '/var/log/b': ['x'] })),
      '/var/log/a:\n4',
    )
    assert.equal(
      newLines(before, tail({ '/var/log/a': ['1', '2', '3', '3'], '/var/log/b': ['x', 'y'] })),
      '/var/log/a:\n3\n/var/log/b:\ny',
    )
  })
  it('shows a log whole that is new or shares no line', () => {
    const before = tail({ '/var/log/a': ['1'] })
    assert.equal(newLines(before, tail({ '/var/log/a': ['7', '8'] })), '/var/log/a:\n7\n8')
    assert.equal(newLines(before, tail({ '/var/log/a': ['1'], '/var/log/b': ['x'] })), '/var/log/b:\nx')
  })
})
