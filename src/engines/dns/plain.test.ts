import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { zoneWith } from './conformance.ts'
import type { Choice, RecordSet } from './engine.ts'
import { plainZone } from './plain.ts'

const shares = (...all: [value: string, weight: number][]): Choice => ({
  weighted: all.map(([value, weight]) => ({ values: value.split(' '), weight })),
})
const cases: [what: string, type: 'A' | 'CNAME', chosen: Choice, values: string[]][] = [
  ['one', 'A', shares(['192.0.2.1 192.0.2.2', 1]), ['192.0.2.1', '192.0.2.2']],
  ['the greater share', 'A', shares(['192.0.2.1', 10], ['192.0.2.2', 90]), ['192.0.2.2']],
  [
    'equal shares',
    'A',
    shares(['192.0.2.1', 5], ['192.0.2.2', 5], ['192.0.2.3', 1]),
    ['192.0.2.1', '192.0.2.2'],
  ],
  ['no share at all', 'A', shares(['192.0.2.1', 0], ['192.0.2.2 192.0.2.1', 0]), ['192.0.2.1', '192.0.2.2']],
  ['names of equal shares', 'CNAME', shares(['a.example.', 5], ['b.example.', 5]), ['a.example.']],
  ['any of some', 'A', { anyOf: ['192.0.2.1', '192.0.2.2'] }, ['192.0.2.1', '192.0.2.2']],
]

describe('a zone without choices', () => {
  for (const [what, type, chosen, values] of cases)
    it(`has of ${what} what is told`, () => {
      const set = { name: 'www.example.com', type, ttl: 60 }
      const zone = plainZone(zoneWith('example.com', { ...set, chosen, inside: shares(['10.0.0.1', 1]) }))
      assert.deepEqual(zone.recordSets.at(-1), { ...set, values })
    })

  it('has all the rest as it is', () => {
    const plain: RecordSet = { name: 'www.example.com', type: 'TXT', ttl: 60, values: ['"a"'] }
    const zone = { ...zoneWith('example.com', plain), keys: [{ privateKey: 'a', publicKey: 'b' }] }
    assert.deepEqual(plainZone(zone), zone)
  })
})
