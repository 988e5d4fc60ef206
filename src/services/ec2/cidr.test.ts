import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { canonicalCidr } from './cidr.ts'

describe('a CIDR block', () => {
  it('is kept in its canonical form', () => {
    for (const [given, version, kept] of [
      ['100.68.0.18/18', 4, '100.68.0.0/18'],
      ['255.255.255.255/0', 4, '0.0.0.0/0'],
      ['10.1.2.3/32', 4, '10.1.2.3/32'],
      ['::/0', 6, '::/0'],
      ['2001:DB8:0:0:1::9/64', 6, '2001:db8::/64'],
      ['2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/33', 6, '2001:db8:8000::/33'],
      ['fe80::1/128', 6, 'fe80::1/128'],
      ['::ffff:192.168.1.1/128', 6, '::ffff:c0a8:101/128'],
    ] as const)
      assert.equal(canonicalCidr(given, version), kept)
  })
  it('is refused when it is none', () => {
    for (const [given, version] of [
      ['0.0.0.0/33', 4],
      ['0.0.0.0', 4],
      ['0.0.0.0/', 4],
      ['10.0.0.0/08', 4],
      ['10.0.0.0/8/8', 4],
      ['1.2.3/8', 4],
      ['256.0.0.0/8', 4],
      ['10.0.0.0/8', 6],
      ['::/129', 6],
      ['fe80::1%eth0/64', 6],
      ['::/0', 4],
      [undefined, 4],
    ] as const)
      assert.throws(() => canonicalCidr(given, version), { code: 'InvalidParameterValue' }, given)
    assert.throws(() => canonicalCidr('1.2.3.4\n/8', 4), { message: 'CIDR block 1.2.3.4?/8 is malformed' })
  })
})
