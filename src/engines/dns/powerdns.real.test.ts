// PowerDNS itself: the contract, and what only a real server can show.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { after, before, describe, it } from 'node:test'
import { decode, type DecodedPacket, encode } from 'dns-packet'
import { systemClock as clock } from '../../kernel/clock.ts'
import { answeredIn, textOf } from './ask.ts'
import { describeDns, zoneWith } from './conformance.ts'
import type { Answered, RecordType } from './engine.ts'
import { makePowerdns } from './powerdns.ts'
import { HOST, INSIDE, questionOf, startTestServer, type TestServer } from './test-server.ts'

let server: TestServer
let dns: TestServer['dns']
const start = async () => {
  server = await startTestServer()
  dns = server.dns
  return dns
}
after(() => server.end())

const exchange: TestServer['exchange'] = (...all) => server.exchange(...all)
const ask: TestServer['ask'] = (...all) => server.ask(...all)

const rcodeOf = (answer: DecodedPacket) => (answer as { rcode?: string }).rcode as Answered['rcode']

describeDns('PowerDNS', async () => ({
  engine: await start(),
  query: async (name, type, from) => {
    if (from !== 'inside') return dns.query(name, type as RecordType)
    const answer = await exchange(questionOf(name, type), INSIDE)
    assert.ok(answer, `${name} ${type}: no answer`)
    return answeredIn(answer)
  },
}))

describe('PowerDNS on this machine', { concurrency: 1 }, () => {
  before(() =>
    dns.put(
      zoneWith(
        'example.com',
        { name: 'www.example.com', type: 'A', ttl: 60, values: ['192.0.2.1'] },
        {
          ...{ name: 'big.example.com', type: 'A', ttl: 60 },
          values: Array.from({ length: 200 }, (_unused, n) => `198.51.100.${n}`),
        },
      ),
    ),
  )

  it('answers a change to one who asks without a pause, too', async () => {
    const rest = Array.from({ length: 1000 }, (_unused, n) => ({
      ...{ name: `h${n}.busy.example`, type: 'A' as const, ttl: 60, values: ['192.0.2.1'] },
    }))
    for (let n = 1; n <= 30; n++) {
      const record = { name: 'www.busy.example', type: 'A' as const, ttl: 60, values: [`192.0.2.${n}`] }
      let isPut = false
      const putting = dns.put(zoneWith('busy.example', record, ...rest)).finally(() => (isPut = true))
      do await dns.query('www.busy.example', 'A')
      while (!isPut)
      await putting
      assert.deepEqual((await dns.query('www.busy.example', 'A')).answers, [
        `www.busy.example A 192.0.2.${n}`,
      ])
    }
    await dns.remove('busy.example')
  })

  it('says by UDP that an answer is cut, and all of it by TCP', async () => {
    const cut = await ask('big.example.com', 'A')
    assert.equal(cut.flag_tc, true)
    assert.equal((await server.askByTcp('big.example.com', 'A'))[0]?.answers?.length, 200)
    const additionals = [{ type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, options: [] }]
    const longer = await ask('www.example.com', 'A', { additionals })
    assert.deepEqual([longer.flag_tc, longer.answers?.length], [false, 1])
  })

  it('is authoritative, recurses for nobody, and tells its version to nobody', async () => {
    const answer = await ask('www.example.com', 'A', { flags: 256 })
    assert.deepEqual([answer.flag_aa, answer.flag_ra], [true, false])
    const version = decode(
      (await exchange(
        encode({ type: 'query', id: 7, questions: [{ type: 'TXT', class: 'CH', name: 'version.bind' }] }),
      ))!,
    )
    assert.doesNotMatch(JSON.stringify(version.answers ?? []), /PowerDNS|4\.\d/)
  })

  it('answers types that nobody knows without records, and rubbish with an error or not at all', async () => {
    const unknown = questionOf('www.example.com', 'A')
    unknown.writeUInt16BE(65_280, unknown.length - 4)
    const answer = decode((await exchange(unknown))!)
    assert.deepEqual([rcodeOf(answer), answer.answers?.length], ['NOERROR', 0])
    const good = questionOf('www.example.com', 'A')
    const rubbish = [
      Buffer.alloc(0),
      Buffer.from([0]),
      Buffer.alloc(12),
      Buffer.alloc(512, 0xff),
      good.subarray(0, good.length - 3),
      // A name that points to itself.
      Buffer.concat([good.subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]),
    ]
    for (const bytes of rubbish) {
      const socket = createSocket('udp4')
      await new Promise((sent) => socket.send(bytes, server.port, HOST, sent))
      socket.close()
    }
    assert.deepEqual((await ask('www.example.com', 'A')).answers?.map(textOf), [
      'www.example.com A 192.0.2.1',
    ])
  })

  it('takes a change of many records at once, or none of it, and shows it in a moment', async () => {
    const set = (n: number, value: string) => ({
      ...{ name: `h${n}.example.com`, type: 'A' as const, ttl: 60, values: [value] },
    })
    const many = (value: string) => Array.from({ length: 1_000 }, (_unused, n) => set(n, value))
    await dns.put(zoneWith('example.com', ...many('192.0.2.1')))
    const times: number[] = []
    for (let n = 1; n <= 20; n++) {
      const startedAt = clock.monotonic()
      await dns.put(zoneWith('example.com', ...many('192.0.2.1').slice(1), set(0, `192.0.2.${n}`)))
      const { answers } = await ask('h0.example.com', 'A')
      times.push(clock.monotonic() - startedAt)
      assert.deepEqual(answers?.map(textOf), [`h0.example.com A 192.0.2.${n}`])
    }
    await dns.put(zoneWith('example.com', ...many('192.0.2.200')))
    for (const n of [0, 499, 999])
      assert.deepEqual((await ask(`h${n}.example.com`, 'A')).answers?.map(textOf), [
        `h${n}.example.com A 192.0.2.200`,
      ])
  })

  it('refers to who has a zone below it', async () => {
    const below = {
      name: 'away.example.com',
      type: 'NS' as const,
      ttl: 60,
      values: ['ns.elsewhere.example.'],
    }
    for (const sets of [[below], [], [below]]) {
      await dns.put(zoneWith('example.com', ...sets))
      const { rcode, answers, authority } = await dns.query('www.away.example.com', 'A')
      const wanted = sets.length > 0 ? ['NOERROR', 'NS'] : ['NXDOMAIN', 'SOA']
      assert.deepEqual([rcode, answers, ...authority], [wanted[0], [], wanted[1]])
    }
  })

  describe('told by somebody else, or made anew, between two changes', () => {
    const zoneAt = (serial: number, ...values: string[]) => {
      const sets = values.map((value) => ({
        ...{ name: `h${value}.twice.example`, type: 'A' as const, ttl: 60, values: [`192.0.2.${value}`] },
      }))
      const [soa, ...rest] = zoneWith('twice.example', ...sets).recordSets
      const said = `ns1.twice.example. hostmaster.twice.example. ${serial} 7200 900 1209600 60`
      return { name: 'twice.example', recordSets: [{ ...soa!, values: [said] }, ...rest] }
    }
    const isThere = async (value: string) =>
      (await dns.query(`h${value}.twice.example`, 'A')).answers.length === 1
    after(() => dns.remove('twice.example'))

    it('has what is put and nothing else', async () => {
      await dns.put(zoneAt(1, '1', '2'))
      const { supervisor, settings } = server
      await makePowerdns({ clock, supervisor, name: 'dns', settings }).put(zoneAt(2, '2', '3'))
      await dns.put(zoneAt(3, '1', '2'))
      assert.deepEqual(await Promise.all(['1', '2', '3'].map(isThere)), [true, true, false])
    })

    it('has all of it', async () => {
      await dns.put(zoneAt(4, '1', '2'))
      const { supervisor, settings } = server
      await makePowerdns({ clock, supervisor, name: 'dns', settings }).remove('twice.example')
      await dns.put(zoneAt(5, '1', '2', '3'))
      assert.deepEqual(await Promise.all(['1', '2', '3'].map(isThere)), [true, true, true])
    })
  })

  it('comes back by itself when it is killed, with all that it had', async () => {
    await dns.put(
      zoneWith('example.com', { name: 'www.example.com', type: 'A', ttl: 60, values: ['192.0.2.8'] }),
    )
    const [{ pid } = { pid: null }] = await server.supervisor.list()
    process.kill(pid!, 'SIGKILL')
    for (let tries = 0; tries < 20; tries++) if (await exchange(questionOf('www.example.com', 'A'))) break
    assert.deepEqual((await ask('www.example.com', 'A')).answers?.map(textOf), [
      'www.example.com A 192.0.2.8',
    ])
    await dns.ensure()
    assert.deepEqual(await dns.zones(), [{ name: 'example.com', serial: 1 }])
  })

  it('says when it cannot be asked', async () => {
    await server.supervisor.stop('dns')
    await assert.rejects(dns.zones(), /PowerDNS does not answer/)
    await dns.ensure()
  })
})
