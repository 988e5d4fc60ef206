// Whatever is put in whatever order, pages of any size in both directions are what a plain sorted list has.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { openStore, type Store } from '../../../store/store.ts'
import { appendEvents } from './append.ts'
import { BLOCK_BYTES, draftsOf, SPAN_MS, type LogEvent } from './block.ts'
import { ensureStream, logEventsMigrations } from './file.ts'
import { beginOf, compareKeys, endOf, type Key, keyOfText, keyText } from './key.ts'
import { readEvents, type Reading } from './read.ts'

const TO = 99_999_999_999_999

const pages = (file: Store, reading: Partial<Reading>): LogEvent[] => {
  const found: LogEvent[] = []
  for (let after: Key | null = null, turns = 0; ; turns++) {
    assert.ok(turns < 10_000, 'the pages come to no end')
    const page = readEvents(file, {
      ...{ of: { groupId: 'g' }, from: 0, to: TO, backwards: false, countMax: 10_000, bytesMax: 1 << 20 },
      ...{ scanMax: 8 << 20, includes: () => true, accept: () => true },
      ...reading,
      after,
    })
    found.push(...page.events)
    if (!page.next) return found
    after = page.next
  }
}

const batch = fc.record({
  stream: fc.constantFrom('a', 'b', 'c'),
  start: fc.integer({ min: 0, max: 3 * SPAN_MS }),
  steps: fc.array(fc.constantFrom(0, 0, 1, 1_000, SPAN_MS / 2, SPAN_MS + 1), { minLength: 1, maxLength: 12 }),
  size: fc.constantFrom(1, 10, 5_000, BLOCK_BYTES + 1),
})

describe('reading events', () => {
  it('is reading a sorted list', () => {
    fc.assert(
      fc.property(
        fc.array(batch, { maxLength: 12 }),
        fc.record({
          countMax: fc.integer({ min: 1, max: 5 }),
          bytesMax: fc.constantFrom(1, 6_000, 1 << 20),
          scanMax: fc.constantFrom(0, BLOCK_BYTES, 8 << 20),
          backwards: fc.boolean(),
          from: fc.integer({ min: 0, max: 2 * SPAN_MS }),
          to: fc.integer({ min: SPAN_MS, max: 5 * SPAN_MS }),
        }),
        (batches, reading) => {
          const file = openStore(':memory:', logEventsMigrations)
          const model: LogEvent[] = []
          let ingestedAt = 0
          for (const { stream, start, steps, size } of batches) {
            const row = ensureStream(file, 'g', stream, 0)
            let timestamp = start
            const events = steps.map((step) => ({
              timestamp: (timestamp += step),
              message: 'x'.repeat(size),
            }))
            appendEvents(file, row, { events, now: ++ingestedAt })
            for (const [index, one] of events.entries())
              model.push({
                ...{ at: one.timestamp, stream: row.id, seq: row.nextSeq + index },
                ...{ ingestedAt, message: one.message },
              })
          }
          const { from, to, backwards } = reading
          const sorted = model.filter(({ at }) => at >= from && at <= to).toSorted(compareKeys)
          assert.deepEqual(pages(file, reading), backwards ? sorted.toReversed() : sorted)
          const own = ensureStream(file, 'g', 'a', 0).id
          assert.deepEqual(
            pages(file, { ...reading, backwards: false, of: { streamId: own } }),
            sorted.filter(({ stream }) => stream === own),
          )
          file.close()
        },
      ),
      { numRuns: 150 },
    )
  })

  it('has blocks of a size and a span, and puts what comes next into the last of them', () => {
    const events = Array.from({ length: 2_000 }, (_, index) => ({
      timestamp: index,
      message: 'y'.repeat(90),
    }))
    const drafts = draftsOf(events, 0)
    assert.ok(drafts.every(({ bytes }) => bytes <= BLOCK_BYTES))
    assert.equal(
      drafts.reduce((sum, { count }) => sum + count, 0),
      2_000,
    )
    const file = openStore(':memory:', logEventsMigrations)
    for (let now = 0; now < 300; now++)
      appendEvents(file, ensureStream(file, 'g', 's', 0), { events: [{ timestamp: now, message: 'z' }], now })
    assert.equal(file.all('select * from log_block').length, 1)
    const { bytes } = ensureStream(file, 'g', 's', 0)
    assert.equal(bytes, file.get<{ bytes: number }>('select bytes from log_block')!.bytes)
    file.run('delete from log_block')
    assert.equal(ensureStream(file, 'g', 's', 0).bytes, 0)
    appendEvents(file, ensureStream(file, 'g', 's', 0), { events: [{ timestamp: 1, message: 'z' }], now: 1 })
    assert.equal(pages(file, {})[0]!.seq, 301)
    file.close()
  })

  it('tells places by texts that stand in their order', () => {
    const keys = [
      beginOf(5),
      { at: 5, stream: 1, seq: 9 },
      { at: 5, stream: 2, seq: 1 },
      endOf(5),
      beginOf(6),
    ]
    const texts = keys.map(keyText)
    assert.deepEqual(texts, texts.toSorted())
    assert.deepEqual(texts.map(keyOfText), keys)
    for (const text of ['', '3', `4${'0'.repeat(55)}`, `3${'9'.repeat(55)}`])
      assert.equal(keyOfText(text), undefined)
  })
})
