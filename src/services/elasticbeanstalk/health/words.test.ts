import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { colourOf, span, worse } from './words.ts'

describe('words of health', () => {
  it('has the colours of AWS', () => {
    const colours = ['Ok', 'Info', 'Warning', 'Degraded', 'Severe', 'Pending', 'NoData', 'Suspended'].map(
      colourOf,
    )
    assert.deepEqual(colours, ['Green', 'Green', 'Yellow', 'Red', 'Red', 'Grey', 'Grey', 'Grey'])
  })

  it('counts time as AWS does', () =>
    assert.deepEqual([1_000, 31_000, 300_000, 7_200_000].map(span), [
      '1 second',
      '31 seconds',
      '5 minutes',
      '2 hours',
    ]))

  it('knows worse from better', () => {
    assert.deepEqual(
      [worse('Ok', 'Severe'), worse('Severe', 'Ok'), worse('Pending', 'Ok'), worse('Info', 'Degraded')],
      [true, false, false, true],
    )
  })
})
