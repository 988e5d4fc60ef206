import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, it } from 'node:test'
import { readLogLines } from './log-files.ts'

const MANY = 1 << 20
const stamp = (second: number) => `2026-11-24_00:21:${String(second).padStart(2, '0')}.40350`

describe('lines of a log', () => {
  const made: string[] = []
  let dir = ''
  beforeEach(() => made.push((dir = mkdtempSync(join(tmpdir(), 'pblog-')))))
  after(() => made.forEach((one) => rmSync(one, { recursive: true })))
  const write = (file: string, ...lines: string[]) =>
    writeFileSync(join(dir, file), lines.map((line) => `${line}\n`).join(''))
  const append = (text: string) => appendFileSync(join(dir, 'current'), text)
  const rotate = (to: string) => renameSync(join(dir, 'current'), join(dir, to))
  const read = (position: string | null, bytesMax = MANY) => readLogLines(dir, position, bytesMax)
  const words = (lines: string[]) => lines.map((line) => line.split(' ')[1])

  it('are read once, in order, over files that change their names', () => {
    write('@400000001', `${stamp(1)} a`, `${stamp(2)} b`)
    write('current', `${stamp(3)} c`)
    const first = read(null)
    assert.deepEqual([words(first.lines), first.more, first.lost], [['a', 'b', 'c'], false, false])
    append(`${stamp(4)} d\n`)
    rotate('@400000002')
    write('current', `${stamp(5)} e`)
    const second = read(first.position)
    assert.deepEqual([words(second.lines), second.lost], [['d', 'e'], false])
    assert.deepEqual(words(read(second.position).lines), [])
  })
  it('are whole: what has no end yet comes later', () => {
    write('current', `${stamp(1)} a`)
    append(`${stamp(2)} b`)
    const first = read(null)
    assert.deepEqual(words(first.lines), ['a'])
    append('eyond\n')
    assert.deepEqual(words(read(first.position).lines), ['beyond'])
  })
  it('come in portions', () => {
    const all = Array.from(
      { length: 10_000 },
      (_, n) => `${stamp(n < 6_000 ? 1 : 2)} line-${n} ${'x'.repeat(50)}`,
    )
    write('@400000001', ...all.slice(0, 6_000))
    write('current', ...all.slice(6_000))
    const seen: (string | undefined)[] = []
    let position: string | null = null
    let calls = 0
    for (let more = true; more; calls++) {
      const part = read(position, 200_000)
      seen.push(...words(part.lines))
      ;({ position, more } = part)
    }
    assert.ok(calls > 3)
    assert.deepEqual(
      seen,
      all.map((line) => line.split(' ')[1]),
    )
  })
  it('that went unread are told of, and those that were read are not read again', () => {
    write('@400000001', `${stamp(0)} old`)
    write('current', `${stamp(1)} a`)
    const { position } = read(null)
    write('current', `${stamp(2)} b`)
    const next = read(position)
    assert.deepEqual([words(next.lines), next.lost], [['b'], true])
    const { lines, lost } = read(next.position)
    assert.deepEqual([lines, lost], [[], false])
  })
  it('are read once though the clock is set back, which puts files in another order', () => {
    write('@400000009', `${stamp(50)} future`)
    write('current', `${stamp(51)} late`)
    const first = read(null)
    rotate('@400000010')
    write('current', `${stamp(1)} past`)
    const second = read(first.position)
    assert.deepEqual(words(second.lines), ['past'])
    rotate('@400000001')
    write('current', `${stamp(2)} now`)
    assert.deepEqual(words(read(second.position).lines), ['now'])
  })
  it('of a file that begins in the middle of a line are read once, too', () => {
    write('@400000001', `${stamp(1)} a`)
    write('current', 'the end of a line that was too long', `${stamp(2)} b`)
    const { lines, position } = read(null)
    assert.equal(lines.length, 3)
    assert.deepEqual(read(position), { lines: [], position, more: false, lost: false })
  })
  it('of a daemon that never spoke are none', () => {
    const none = readLogLines(join(dir, 'nowhere'), null, MANY)
    assert.deepEqual(none, { lines: [], position: '', more: false, lost: false })
    write('current', `${stamp(1)} a`)
    assert.deepEqual(words(read(none.position).lines), ['a'])
  })
})
