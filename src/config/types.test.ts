import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  address,
  bytes,
  decimal,
  duration,
  integer,
  list,
  oneOf,
  orNull,
  port,
  type ValueType,
} from './types.ts'

const takes = (type: ValueType<unknown>, cases: [given: unknown, value: unknown][]) => {
  for (const [given, value] of cases) assert.deepEqual(type.read(given), { value }, String(given))
}
const refuses = (type: ValueType<unknown>, ...cases: unknown[]) => {
  for (const given of cases) assert.ok('wrong' in type.read(given), String(given))
}

describe('types of settings', () => {
  it('read amounts with their units, and write them as people do', () => {
    const size = bytes({ min: 2 ** 20 })
    takes(size, [
      ['1 MiB', 2 ** 20],
      ['1.5GiB', 1.5 * 2 ** 30],
      ['20 GiB', 20 * 2 ** 30],
    ])
    refuses(size, 5, '5', '5 GB', '0 MiB', '-1 GiB', '1e9 GiB', '5 toString', ' 5 GiB', null, true)
    assert.deepEqual(
      [20 * 2 ** 30, 1.5 * 2 ** 30, 2 ** 20 + 1].map((value) => size.show!(value)),
      ['20 GiB', '1536 MiB', '1048577 B'],
    )
    const time = duration({ minSeconds: 60 })
    takes(time, [
      ['90 s', 90],
      ['24 h', 86_400],
      ['7 d', 604_800],
      ['1.5 h', 5_400],
    ])
    refuses(time, '59 s', 90, '7 weeks')
    assert.deepEqual(
      [604_800, 5_400, 90].map((value) => time.show!(value)),
      ['7 d', '90 min', '90 s'],
    )
  })
  it('hold their limits', () => {
    takes(port, [
      [1, 1],
      [65_535, 65_535],
    ])
    refuses(port, 0, 65_536, 80.5, '80', Number.NaN, null)
    takes(decimal({ min: 1, max: 20 }), [
      [1, 1],
      [2.5, 2.5],
    ])
    refuses(decimal({ min: 1, max: 20 }), 0.99, 21, '2', Number.NaN)
    takes(orNull(integer({ min: 1, max: 9 }), 'none'), [
      [null, null],
      [9, 9],
    ])
    takes(oneOf(['a', 'b']), [['b', 'b']])
    refuses(oneOf(['a', 'b']), 'c', null)
    refuses(list(port, 2), [1, 2, 3], [1, 1], ['1'], 1)
  })
  it('take addresses that others can reach, in one spelling', () => {
    takes(address, [
      ['192.168.1.10', '192.168.1.10'],
      ['2001:DB8:0:0::1', '2001:db8::1'],
      ['::', '::'],
      ['0.0.0.0', '0.0.0.0'],
    ])
    refuses(
      address,
      '127.0.0.1',
      '127.8.8.8',
      '::1',
      '0:0::1',
      '::ffff:10.0.0.1',
      'fe80::1',
      'fe80::1%eth0',
      '10.1',
      '10.0.0.1:80',
      '[::]',
      'localhost',
      1,
    )
  })
})
