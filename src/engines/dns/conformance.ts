// What every name server must keep of the contract (engine.ts), for the fake and PowerDNS alike.
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { EngineError } from '../../kernel/errors.ts'
import { dnskeyOf, makeZoneKey, type ZoneKey } from '../../kernel/zone-key.ts'
import type { Answered, DnsEngine, RecordSet, Zone } from './engine.ts'

export type DnsHarness = {
  engine: DnsEngine
  query(name: string, type: string, from?: 'inside' | 'outside'): Promise<Answered>
}

const plain = (name: string, type: RecordSet['type'], ...values: string[]): RecordSet => ({
  ...{ name, type, ttl: 60, values },
})
export const zoneWith = (name: string, ...recordSets: RecordSet[]): Zone => ({
  name,
  recordSets: [
    plain(name, 'SOA', `ns1.${name}. hostmaster.${name}. 1 7200 900 1209600 60`),
    plain(name, 'NS', `ns1.${name}.`),
    ...recordSets,
  ],
})
const LONG = `"${'x'.repeat(255)}" "a \\"quoted\\" \\\\ ; \\195\\188"`

export function describeDns(name: string, harness: () => Promise<DnsHarness>): void {
  describe(`${name} as a name server`, { concurrency: 1 }, () => {
    let world: DnsHarness
    before(async () => {
      world = await harness()
    })
    const put = (...recordSets: RecordSet[]) => world.engine.put(zoneWith('example.com', ...recordSets))
    const answers = async (asked: string, type: string) => (await world.query(asked, type)).answers

    it('answers what was put, without regard to case, and what is put next', async () => {
      await put(plain('www.example.com', 'A', '192.0.2.1', '192.0.2.2'))
      assert.deepEqual((await answers('WWW.Example.com', 'A')).map((one) => one.toLowerCase()).sort(), [
        'www.example.com a 192.0.2.1',
        'www.example.com a 192.0.2.2',
      ])
      await put(plain('www.example.com', 'A', '192.0.2.3'), plain('www.example.com', 'AAAA', '2001:db8::1'))
      assert.deepEqual(await answers('www.example.com', 'A'), ['www.example.com A 192.0.2.3'])
      assert.deepEqual(await answers('www.example.com', 'AAAA'), ['www.example.com AAAA 2001:db8::1'])
    })

    it('tells a name without the type from one that is not there, and a zone that is not', async () => {
      await put(plain('a.b.example.com', 'A', '192.0.2.1'))
      for (const asked of ['a.b.example.com', 'b.example.com'])
        assert.deepEqual(await world.query(asked, 'TXT'), {
          rcode: 'NOERROR',
          answers: [],
          authority: ['SOA'],
        })
      assert.deepEqual(await world.query('c.example.com', 'A'), {
        ...{ rcode: 'NXDOMAIN', answers: [], authority: ['SOA'] },
      })
      assert.equal((await world.query('example.org', 'A')).rcode, 'REFUSED')
    })

    it('has a name while another one is below it', async () => {
      for (const sets of [[plain('a.b.example.com', 'A', '192.0.2.1')], []]) {
        await put(plain('www.example.com', 'A', '192.0.2.1'), ...sets)
        const rcode = sets.length > 0 ? 'NOERROR' : 'NXDOMAIN'
        assert.equal((await world.query('b.example.com', 'A')).rcode, rcode)
        assert.equal((await world.query('a.b.example.com', 'A')).rcode, rcode)
      }
      await world.engine.remove('example.com')
      await put(plain('a.b.example.com', 'A', '192.0.2.1'))
      assert.equal((await world.query('b.example.com', 'A')).rcode, 'NOERROR')
    })

    it('has every type there is', async () => {
      await put(
        plain('example.com', 'MX', '10 mail.example.com.'),
        plain('example.com', 'TXT', '"v=spf1 -all"', LONG),
        plain('example.com', 'CAA', '0 issue "letsencrypt.org"'),
        plain('_sip._tcp.example.com', 'SRV', '1 2 5060 sip.example.com.'),
        plain('1.example.com', 'PTR', 'host.example.com.'),
      )
      for (const [asked, type, count] of [
        ['example.com', 'MX', 1],
        ['example.com', 'TXT', 2],
        ['example.com', 'CAA', 1],
        ['_sip._tcp.example.com', 'SRV', 1],
        ['1.example.com', 'PTR', 1],
        ['example.com', 'SOA', 1],
        ['example.com', 'NS', 1],
      ] as const)
        assert.equal((await answers(asked, type)).length, count, type)
    })

    it('follows a chain of names, and a wildcard where nothing nearer is', async () => {
      await put(
        plain('a.example.com', 'CNAME', 'b.example.com.'),
        plain('b.example.com', 'CNAME', 'c.example.com.'),
        plain('c.example.com', 'A', '192.0.2.9'),
        plain('*.example.com', 'A', '192.0.2.7'),
        plain('x.wild.example.com', 'TXT', '"x"'),
      )
      assert.deepEqual(await answers('a.example.com', 'A'), [
        'a.example.com CNAME b.example.com.',
        'b.example.com CNAME c.example.com.',
        'c.example.com A 192.0.2.9',
      ])
      assert.deepEqual(await answers('any.thing.example.com', 'A'), ['any.thing.example.com A 192.0.2.7'])
      assert.deepEqual(await answers('wild.example.com', 'A'), [])
      assert.equal((await world.query('y.wild.example.com', 'A')).rcode, 'NXDOMAIN')
    })

    it('chooses by weight, within two points of the shares, and up to eight of many', async () => {
      await put(
        {
          ...{ name: 'w.example.com', type: 'A', ttl: 0 },
          chosen: {
            weighted: [
              { values: ['192.0.2.1', '192.0.2.11'], weight: 10 },
              { values: ['192.0.2.2'], weight: 30 },
              { values: ['192.0.2.3'], weight: 0 },
            ],
          },
        },
        {
          ...{ name: 'm.example.com', type: 'A', ttl: 0 },
          chosen: { anyOf: Array.from({ length: 12 }, (_unused, n) => `192.0.2.${n}`) },
        },
        {
          ...{ name: 'c.example.com', type: 'CNAME', ttl: 0 },
          chosen: { weighted: [{ values: ['m.example.com.'], weight: 3 }] },
        },
        {
          ...{ name: 'none.example.com', type: 'AAAA', ttl: 0 },
          chosen: { weighted: [{ values: ['2001:db8::1'], weight: 0 }] },
        },
      )
      const seen = new Map<string, number>()
      const count = process.env.POLEBEAN_FULL ? 20_000 : 4_000
      for (let n = 0; n < count; n++) {
        const answer = (await answers('w.example.com', 'A')).toSorted().join(', ')
        seen.set(answer, (seen.get(answer) ?? 0) + 1)
      }
      assert.equal(seen.get('w.example.com A 192.0.2.3'), undefined)
      const share = (seen.get('w.example.com A 192.0.2.2') ?? 0) / count
      assert.ok(Math.abs(share - 0.75) < 0.02, String(share))
      assert.ok(
        seen.has('w.example.com A 192.0.2.1, w.example.com A 192.0.2.11'),
        [...seen.keys()].join('; '),
      )
      assert.equal((await answers('m.example.com', 'A')).length, 8)
      assert.equal((await answers('c.example.com', 'A')).length, 9)
      assert.deepEqual(await answers('none.example.com', 'AAAA'), ['none.example.com AAAA 2001:db8::1'])
    })

    it('has many zones, tells them, and forgets one that is removed, twice', async () => {
      await put()
      assert.equal((await world.query('a.sub.example.com', 'A')).rcode, 'NXDOMAIN')
      assert.equal((await world.query('a.example.net', 'A')).rcode, 'REFUSED')
      await world.engine.put(zoneWith('example.net', plain('a.example.net', 'A', '192.0.2.6')))
      assert.deepEqual(await answers('a.example.net', 'A'), ['a.example.net A 192.0.2.6'])
      await world.engine.remove('example.net')
      assert.equal((await world.query('a.example.net', 'A')).rcode, 'REFUSED')
      await world.engine.put(zoneWith('sub.example.com', plain('a.sub.example.com', 'A', '192.0.2.5')))
      assert.deepEqual(await world.engine.zones(), [
        { name: 'example.com', serial: 1 },
        { name: 'sub.example.com', serial: 1 },
      ])
      assert.deepEqual(await answers('a.sub.example.com', 'A'), ['a.sub.example.com A 192.0.2.5'])
      await world.engine.remove('sub.example.com')
      await world.engine.remove('sub.example.com')
      assert.deepEqual(await world.engine.zones(), [{ name: 'example.com', serial: 1 }])
      assert.equal((await world.query('a.sub.example.com', 'A')).rcode, 'NXDOMAIN')
    })

    it('tells which state of a zone it answers', async () => {
      const [soa, ...others] = zoneWith('example.com', plain('www.example.com', 'A', '192.0.2.1')).recordSets
      for (const serial of [7, 7, 4_294_967_295]) {
        const values = [`ns1.example.com. hostmaster.example.com. ${serial} 7200 900 1209600 60`]
        await world.engine.put({ name: 'example.com', recordSets: [{ ...soa!, values }, ...others] })
        assert.deepEqual(await world.engine.zones(), [{ name: 'example.com', serial }])
        assert.deepEqual(await answers('www.example.com', 'A'), ['www.example.com A 192.0.2.1'])
      }
    })

    it('answers who asks from inside otherwise, where it is told so', async () => {
      const one = (value: string) => ({ weighted: [{ values: [value], weight: 1 }] })
      await put(
        {
          ...{ name: 'www.example.com', type: 'A', ttl: 60 },
          chosen: one('192.0.2.1'),
          inside: one('10.0.0.1'),
        },
        { ...{ name: 'all.example.com', type: 'A', ttl: 60 }, chosen: one('192.0.2.2') },
      )
      const asked = async (name: string, from: 'inside' | 'outside') =>
        (await world.query(name, 'A', from)).answers
      assert.deepEqual(await asked('www.example.com', 'outside'), ['www.example.com A 192.0.2.1'])
      assert.deepEqual(await asked('www.example.com', 'inside'), ['www.example.com A 10.0.0.1'])
      assert.deepEqual(await asked('all.example.com', 'inside'), ['all.example.com A 192.0.2.2'])
      assert.deepEqual(await asked('www.example.com', 'outside'), ['www.example.com A 192.0.2.1'])
    })

    it('has the keys that it is put with, and is not signed without', async () => {
      const keys = [makeZoneKey(), makeZoneKey(), makeZoneKey()]
      const signed = async (some: ZoneKey[]) => {
        await world.engine.put({
          ...zoneWith('example.com', plain('www.example.com', 'A', '192.0.2.1')),
          keys: some,
        })
        assert.deepEqual(
          (await answers('example.com', 'DNSKEY')).toSorted(),
          some.map((key) => `example.com DNSKEY ${dnskeyOf(key)}`).toSorted(),
        )
        assert.deepEqual(await answers('www.example.com', 'A'), ['www.example.com A 192.0.2.1'])
      }
      for (const some of [keys.slice(0, 1), keys.slice(0, 2), keys.slice(1), [], keys]) await signed(some)
      await world.engine.remove('example.com')
      await signed(keys.slice(0, 1))
      await put()
      assert.deepEqual(await answers('example.com', 'DNSKEY'), [])
    })

    it('refuses a key that is none, without telling it, and answers as before', async () => {
      await put(plain('www.example.com', 'A', '192.0.2.1'))
      const { publicKey } = makeZoneKey()
      for (const key of [
        { publicKey, privateKey: 'c2VjcmV0' },
        { publicKey, privateKey: `secret\nPrivateKey: ${publicKey}` },
        { publicKey: 'c2VjcmV0', privateKey: makeZoneKey().privateKey },
      ])
        await assert.rejects(world.engine.put({ ...zoneWith('example.com'), keys: [key] }), (error) => {
          assert.ok(error instanceof EngineError)
          assert.doesNotMatch(error.message, /secret|c2VjcmV0/)
          return true
        })
      assert.deepEqual(await answers('www.example.com', 'A'), ['www.example.com A 192.0.2.1'])
    })

    const bad: [what: string, set: RecordSet][] = [
      ['a name of elsewhere', plain('www.example.org', 'A', '192.0.2.1')],
      ['a name with a blank', plain('a b.example.com', 'A', '192.0.2.1')],
      ['a name with a newline', plain('a\n.example.com', 'A', '192.0.2.1')],
      ['a label of 64 characters', plain(`${'a'.repeat(64)}.example.com`, 'A', '192.0.2.1')],
      ['an address that is none', plain('a.example.com', 'A', '192.0.2.256')],
      ['a program for an address', plain('a.example.com', 'A', `192.0.2.1'})os.exit({'`)],
      [
        'a weight that is none',
        {
          ...{ name: 'a.example.com', type: 'A', ttl: 1 },
          chosen: { weighted: [{ values: ['192.0.2.1'], weight: 0.5 }] },
        },
      ],
      [
        'a program among addresses',
        { ...{ name: 'a.example.com', type: 'A', ttl: 1 }, chosen: { anyOf: [`'})os.exit({'`] } },
      ],
      [
        'several names at once',
        { ...{ name: 'a.example.com', type: 'CNAME', ttl: 1 }, chosen: { anyOf: ['b.example.com.'] } },
      ],
      [
        'a choice of texts',
        { ...{ name: 'a.example.com', type: 'TXT', ttl: 1 }, chosen: { anyOf: ['"a"'] } },
      ],
      [
        'a program among names',
        {
          ...{ name: 'a.example.com', type: 'CNAME', ttl: 1 },
          chosen: { weighted: [{ values: [`b'})os.exit({'.`], weight: 1 }] },
        },
      ],
      ['a text without quotes', plain('a.example.com', 'TXT', 'a')],
      ['a text that ends its quotes', plain('a.example.com', 'TXT', '"a" ; "')],
      ['a string of 256 bytes', plain('a.example.com', 'TXT', `"${'x'.repeat(256)}"`)],
      ['a CNAME at the top', plain('example.com', 'CNAME', 'a.example.com.')],
      ['a TTL below 0', { ...plain('a.example.com', 'A', '192.0.2.1'), ttl: -1 }],
      ['no value', plain('a.example.com', 'A')],
      ['a value twice', plain('a.example.com', 'A', '192.0.2.1', '192.0.2.1')],
    ]
    for (const [what, set] of bad)
      it(`refuses ${what}, and answers as before`, async () => {
        await put(plain('www.example.com', 'A', '192.0.2.1'))
        await assert.rejects(put(plain('www.example.com', 'A', '192.0.2.2'), set), EngineError)
        assert.deepEqual(await answers('www.example.com', 'A'), ['www.example.com A 192.0.2.1'])
      })
  })
}
