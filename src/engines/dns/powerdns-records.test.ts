import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { zoneWith } from './conformance.ts'
import type { RecordSet } from './engine.ts'
import { changesBetween, isOrdered, rrsetsOf, serialIn, unfinished } from './powerdns-records.ts'

const a = (name: string, ...values: string[]): RecordSet => ({ name, type: 'A', ttl: 60, values })
const ns = (name: string): RecordSet => ({ name, type: 'NS', ttl: 60, values: ['ns.example.'] })

describe('records of PowerDNS', () => {
  const zones: [what: string, sets: RecordSet[], ordered: boolean][] = [
    ['names beside each other', [a('www.example.com', '192.0.2.1'), a('*.example.com', '192.0.2.2')], false],
    ['a name below one that is not there', [a('a.b.example.com', '192.0.2.1')], true],
    ['a wildcard below', [a('*.b.example.com', '192.0.2.1')], true],
    ['a zone below', [ns('away.example.com')], true],
  ]
  for (const [what, sets, ordered] of zones)
    it(`${ordered ? 'need' : 'need no'} order with ${what}`, () =>
      assert.equal(isOrdered(zoneWith('example.com', ...sets)), ordered))

  it('need order when they are signed', () => {
    const zone = { ...zoneWith('example.com'), keys: [{ privateKey: 'a', publicKey: 'b' }] }
    assert.equal(isOrdered(zone), true)
  })

  it('tell which state they are, and of an unfinished one none', () => {
    const sets = rrsetsOf(zoneWith('example.com'), [])
    assert.deepEqual([serialIn(sets), serialIn(unfinished(sets)), serialIn([])], [1, 0, 0])
    assert.equal(unfinished(sets)[0]!.records[0]!.content.split(' ').length, 7)
  })

  it('are sent where another TTL or another value says so, in whatever order', () => {
    const sets = (...some: RecordSet[]) => rrsetsOf({ name: 'example.com', recordSets: some }, [])
    const differ = (before: RecordSet, after: RecordSet) =>
      changesBetween(sets(before), sets(after)).map(({ changetype }) => changetype)
    const before = a('www.example.com', '192.0.2.1', '192.0.2.2')
    assert.deepEqual(differ(before, a('www.example.com', '192.0.2.2', '192.0.2.1')), [])
    assert.deepEqual(differ(before, a('www.example.com', '192.0.2.1')), ['REPLACE'])
    assert.deepEqual(differ(before, { ...before, ttl: 61 }), ['REPLACE'])
    const one = a('www.example.com', '192.0.2.1')
    assert.deepEqual(differ(one, one), [])
    assert.deepEqual(differ(one, { ...one, ttl: 61 }), ['REPLACE'])
    assert.deepEqual(differ(one, a('www.example.com', '192.0.2.2')), ['REPLACE'])
    assert.deepEqual(differ(one, a('mail.example.com', '192.0.2.1')), ['DELETE', 'REPLACE'])
  })
})
