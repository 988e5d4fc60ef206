import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { ResourceRecordSet } from '@aws-sdk/client-route-53'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'
import { alias, makeCalls, put, set } from './test-calls.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const { api, zoneId, change, list } = makeCalls(() => world)

describe('a batch of changes', () => {
  const bad: [what: string, sets: ResourceRecordSet[], message: RegExp][] = [
    [
      'a name of elsewhere',
      [set('www.example.org', 'A', ['192.0.2.1'])],
      /is not permitted in zone example\.com\./,
    ],
    [
      'a CNAME at the apex',
      [set('example.com', 'CNAME', ['a.example.org'])],
      /not permitted at apex in zone/,
    ],
    [
      'a CNAME beside another set',
      [set('a.example.com', 'A', ['192.0.2.1']), set('a.example.com', 'CNAME', ['b.example.org'])],
      /conflict/,
    ],
    ['an address that is none', [set('a.example.com', 'A', ['192.0.2.256'])], /ARRDATAIllegalIPv4Address/],
    ['a text without quotes', [set('a.example.com', 'TXT', ['plain'])], /InvalidCharacterString/],
    ['a text of 4,001 characters', [set('a.example.com', 'TXT', [`"${'x '.repeat(2_000)}"`])], /InvalidChar/],
    ['a string of 256 bytes', [set('a.example.com', 'TXT', [`"${'x'.repeat(256)}"`])], /InvalidChar/],
    ['a decimal escape', [set('a.example.com', 'TXT', ['"\\195"'])], /InvalidChar/],
    ['a name with a semicolon', [set('a;b.example.com', 'A', ['192.0.2.1'])], /Expected a domain name/],
    ['a name with a dollar sign', [set('$a.example.com', 'A', ['192.0.2.1'])], /Expected a domain name/],
    ['a name with a newline', [set('a\n.example.com', 'A', ['192.0.2.1'])], /Expected a domain name/],
    [
      'an IPv4 address in the dress of IPv6',
      [set('a.example.com', 'AAAA', ['::ffff:192.0.2.1'])],
      /AAAARRDATA/,
    ],
    [
      'two spellings of one address',
      [set('a.example.com', 'AAAA', ['2001:db8::1', '2001:DB8:0::1'])],
      /Duplicate Resource Record/,
    ],
    ['a mail host that is no host name', [set('a.example.com', 'MX', ['10 mail_1.example.com'])], /MXRRDATA/],
    ['a name server that is none', [set('a.example.com', 'NS', ['.'])], /DomainNameIllegal/],
    [
      'a letter that only looks so',
      [set('a.example.com', 'CNAME', ['www.\u212Aelvin.com'])],
      /DomainNameIllegal/,
    ],
    ['an empty name', [set('a.example.com', 'CNAME', [''])], /DomainNameIllegal/],
    [
      'a hundred and one sets of a name',
      Array.from({ length: 101 }, (_, n) =>
        set('a.example.com', 'A', [`192.0.2.${n}`], { Weight: 1, SetIdentifier: `${n}` }),
      ),
      /more than 100 resource record sets/,
    ],
    ['a program', [set('a.example.com', 'CNAME', [`b'})os.exit({'`])], /DomainNameIllegal/],
    ['a value twice', [set('a.example.com', 'A', ['192.0.2.1', '192.0.2.1'])], /Duplicate Resource Record/],
    [
      'no value',
      [set('a.example.com', 'A', [])],
      /but found none in Change with \[Action=UPSERT, Name=a\.example\.com/,
    ],
    ['a type that is none', [set('a.example.com', 'ANY' as 'A', ['x'])], /Unknown type 'ANY'/],
    ['a type that is not here', [set('a.example.com', 'NAPTR', ['x'])], /The type NAPTR is not supported/],
    [
      'a region',
      [set('a.example.com', 'A', ['192.0.2.1'], { Region: 'us-west-2', SetIdentifier: 'a' })],
      /not supported/,
    ],
    [
      'a place of the world',
      [set('a.example.com', 'A', ['192.0.2.1'], { GeoLocation: { CountryCode: 'DE' }, SetIdentifier: 'a' })],
      /GeoLocation .* is not supported/,
    ],
    [
      'a weight without an identifier',
      [set('a.example.com', 'A', ['192.0.2.1'], { Weight: 1 })],
      /Missing field 'SetIdentifier'/,
    ],
    [
      'an identifier alone',
      [set('a.example.com', 'A', ['192.0.2.1'], { SetIdentifier: 'x' })],
      /but found none in Change/,
    ],
    [
      'a weight of 256',
      [set('a.example.com', 'A', ['192.0.2.1'], { Weight: 256, SetIdentifier: 'x' })],
      /a Weight of 0 to 255/,
    ],
    [
      'weighted sets of several TTLs',
      [
        set('a.example.com', 'A', ['192.0.2.1'], { Weight: 1, SetIdentifier: 'x' }),
        set('a.example.com', 'A', ['192.0.2.2'], { Weight: 1, SetIdentifier: 'y', TTL: 61 }),
      ],
      /cannot be created as weighted sets must contain the same TTL/,
    ],
    [
      'a weighted one beside a simple one',
      [
        set('a.example.com', 'A', ['192.0.2.1']),
        set('a.example.com', 'A', ['192.0.2.2'], { Weight: 1, SetIdentifier: 'y' }),
      ],
      /cannot be created as (other RRSets exist|a non-weighted set exists)/,
    ],
    [
      'two primary ones',
      ['x', 'y'].map((SetIdentifier) =>
        set('a.example.com', 'A', ['192.0.2.1'], { Failover: 'PRIMARY', SetIdentifier }),
      ),
      /a primary set exists with the same name and type/,
    ],
    [
      'an alias to nobody',
      [alias('a.example.com', 'none.us-west-2.elb.localhost')],
      /but that target was not found/,
    ],
    [
      'a health check that is not there',
      [set('a.example.com', 'A', ['192.0.2.1'], { HealthCheckId: 'x' })],
      /does not exist/,
    ],
    ['a TTL below 0', [set('a.example.com', 'A', ['192.0.2.1'], { TTL: -1 })], /Expected a TTL/],
    [
      '401 values',
      [
        set(
          'a.example.com',
          'A',
          Array.from({ length: 401 }, (_, n) => `10.0.${n >> 8}.${n & 255}`),
        ),
      ],
      /more than 400 records/,
    ],
    [
      'more than a thousand records',
      Array.from({ length: 501 }, (_, n) => set(`h${n}.example.com`, 'A', ['192.0.2.1'])),
      /Number of records limit of 1000 exceeded/,
    ],
    [
      'more than 32,000 characters',
      Array.from({ length: 70 }, (_, n) => set(`h${n}.example.com`, 'TXT', [`"${'x'.repeat(250)}"`])),
      /Number of characters limit of 32000 exceeded/,
    ],
    [
      'the same set twice',
      [1, 2].map((n) => set('a.example.com', 'A', [`192.0.2.${n}`])),
      /an invalid set of changes for a resource record set 'A a\.example\.com\.'/,
    ],
  ]
  for (const [what, sets, message] of bad)
    it(`refuses ${what}, and changes nothing`, () => {
      const id = zoneId()
      assert.throws(() => change(id, ...put(...sets)), message)
      assert.equal(list(id).ResourceRecordSets!.length, 2)
    })

  it('refuses 1,001 changes, none, and what a zone cannot be without', () => {
    const id = zoneId()
    const many = Array.from({ length: 1_001 }, (_, n) => set(`h${n}.example.com`, 'A', ['192.0.2.1']))
    assert.throws(() => change(id, ...put(...many)), /a change batch has at most 1000 changes, not 1001/)
    assert.throws(() => change(id), /at least one change/)
    const [ns, soa] = list(id).ResourceRecordSets!
    assert.throws(() => change(id, { Action: 'DELETE', ResourceRecordSet: soa }), /exactly one SOA record/)
    assert.throws(() => change(id, { Action: 'DELETE', ResourceRecordSet: ns }), /at least one NS record/)
    change(id, ...put(set('www.example.com', 'A', ['192.0.2.1'])))
    assert.throws(() => api().deleteHostedZone(world.context, { Id: id }), { code: 'HostedZoneNotEmpty' })
  })
})
