import assert from 'node:assert/strict'
import { it } from 'node:test'
import { linesOf } from './lines.ts'

const from = { inode: '1', offset: 0, rotated: '-' }
const cases: [what: string, text: string, ends: boolean, bytesMax: number, lines: string[], taken: number][] =
  [
    ['nothing', '', false, 10, [], 0],
    ['whole lines', 'a\nb\n', false, 10, ['a', 'b'], 4],
    ['the beginning of a line waits for its end', 'a\nbc', false, 10, ['a'], 2],
    ['unless nothing can follow', 'a\nbc', true, 10, ['a', 'bc'], 4],
    ['or it is all that is read', 'abcd', false, 4, ['abcd'], 4],
    ['but not when a line is before it', 'a\nbc', false, 4, ['a'], 2],
    ['empty lines are none', '\n\na\n\n', false, 10, ['a'], 5],
    ['other characters', 'é\u{1f600}\n', false, 10, ['é\u{1f600}'], 7],
  ]
for (const [what, text, ends, bytesMax, lines, taken] of cases)
  it(what, () => {
    const found = linesOf({ path: '/x', from, bytes: Buffer.from(text), ends }, bytesMax)
    assert.deepEqual([found.lines.map((one) => one.text), found.taken], [lines, taken])
    const last = found.lines.at(-1)
    assert.ok(!last || last.end <= taken)
  })

it('what is no UTF-8 does not hold it up', () => {
  const { lines } = linesOf({ path: '/x', from, bytes: Buffer.from([255, 10, 65, 10]), ends: false }, 10)
  assert.deepEqual(lines, [
    { text: '\ufffd', end: 2 },
    { text: 'A', end: 4 },
  ])
})
