// Zones that PowerDNS gives to secondaries, as these see them.
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { type Answer, decode, type DecodedPacket } from 'dns-packet'
import { systemClock as clock } from '../../kernel/clock.ts'
import { makeZoneKey, type ZoneKey } from '../../kernel/zone-key.ts'
import { textOf } from './ask.ts'
import { zoneWith } from './conformance.ts'
import type { RecordSet, Zone } from './engine.ts'
import { makeGivenDns } from './given-dns.ts'
import { makePowerdns } from './powerdns.ts'
import { INSIDE, questionOf, startTestServer, type TestServer } from './test-server.ts'

const SECONDARY = '127.0.0.78'
const STRANGER = '127.0.0.79'
const ZONE = 'example.com'
const NOTIFY = 4

const one = (value: string) => ({ weighted: [{ values: [value], weight: 1 }] })
const SETS: RecordSet[] = [
  { name: 'www.example.com', type: 'A', ttl: 60, values: ['192.0.2.1'] },
  { ...{ name: 'app.example.com', type: 'A', ttl: 60 }, chosen: one('192.0.2.4'), inside: one('10.0.0.1') },
]
function zoneAt(serial: number, keys: ZoneKey[] = []): Zone {
  const [soa, ...rest] = zoneWith(ZONE, ...SETS).recordSets
  const values = [`ns1.${ZONE}. hostmaster.${ZONE}. ${serial} 7200 900 1209600 60`]
  return { name: ZONE, keys, recordSets: [{ ...soa!, values }, ...rest] }
}

describe('a zone that is given to secondaries', { concurrency: 1 }, () => {
  let socket: Socket
  let outside: TestServer
  let inside: TestServer
  let dns: ReturnType<typeof makeGivenDns>
  before(async () => {
    socket = createSocket('udp4').bind(0, SECONDARY)
    await once(socket, 'listening')
    outside = await startTestServer({ secondaries: [{ address: SECONDARY, port: socket.address().port }] })
    inside = await startTestServer()
    dns = makeGivenDns({ outside: outside.dns, inside: inside.dns })
  })
  after(async () => {
    socket.close()
    await Promise.all([outside.end(), inside.end()])
  })

  async function transferred(from: string): Promise<{ answers: Answer[]; said: DecodedPacket[] }> {
    const answersOf = (all: DecodedPacket[]) => all.flatMap(({ answers = [] }) => answers)
    const isAll = (all: DecodedPacket[]) =>
      answersOf(all).length === 0 || answersOf(all).filter(({ type }) => type === 'SOA').length === 2
    const said = await outside.askByTcp(ZONE, 'AXFR', { from, isAll })
    return { answers: answersOf(said), said }
  }

  it('comes to them whole, in records that every name server knows', async () => {
    await dns.put(zoneAt(1))
    const { answers } = await transferred(SECONDARY)
    assert.deepEqual(
      answers
        .filter(({ type }) => type !== 'SOA')
        .map(textOf)
        .toSorted(),
      ['app.example.com A 192.0.2.4', `${ZONE} NS ns1.example.com`, 'www.example.com A 192.0.2.1'],
    )
  })

  it('is refused to everybody else', async () => {
    for (const from of [STRANGER, '127.0.0.1', INSIDE]) {
      const { answers, said } = await transferred(from)
      assert.deepEqual(answers, [])
      assert.notEqual((said[0] as { rcode?: string } | undefined)?.rcode, 'NOERROR')
    }
  })

  it('leads inside to where it leads inside', async () => {
    await dns.put(zoneAt(2))
    const asked = async (server: TestServer, from: string) =>
      decode((await server.exchange(questionOf('app.example.com', 'A'), from))!).answers?.map(textOf)
    assert.deepEqual(await asked(inside, INSIDE), ['app.example.com A 10.0.0.1'])
    assert.deepEqual(await asked(outside, '127.0.0.1'), ['app.example.com A 192.0.2.4'])
  })

  it('is told of when it has changed', async () => {
    await dns.put(zoneAt(3))
    // Those of before come again until they are answered.
    for (;;) {
      const heard = once(socket, 'message')
      const [bytes, { address, port }] = (await heard) as [Buffer, { address: string; port: number }]
      const { opcode, questions = [] } = decode(bytes) as DecodedPacket & { opcode: string }
      assert.deepEqual([opcode, questions[0]?.name, questions[0]?.type], ['NOTIFY', ZONE, 'SOA'])
      const answer = Buffer.from(bytes)
      answer.writeUInt16BE(0x8000 | (NOTIFY << 11), 2)
      socket.send(answer, port, address)
      const [soa] = (await transferred(SECONDARY)).answers
      if (soa?.type === 'SOA' && soa.data.serial === 3) break
    }
  })

  it('comes with its signatures, when it is signed', async () => {
    await dns.put(zoneAt(4, [makeZoneKey()]))
    const { answers } = await transferred(SECONDARY)
    const signed = (name: string, type: string) =>
      answers.some((some) => some.name === name && some.type === 'RRSIG' && some.data.typeCovered === type)
    for (const [name, type] of [
      [ZONE, 'SOA'],
      [ZONE, 'DNSKEY'],
      ['www.example.com', 'A'],
      ['app.example.com', 'A'],
    ] as const)
      assert.ok(signed(name, type), `${name} ${type}`)
    // Each name, and the zone's own.
    assert.equal(answers.filter(({ type }) => type === 'NSEC3').length, 3)
  })

  it('has no serial where the two have other ones, or one of them nothing', async () => {
    await dns.put(zoneAt(5))
    assert.deepEqual(await dns.zones(), [{ name: ZONE, serial: 5 }])
    await inside.dns.put(zoneAt(6))
    assert.deepEqual(await dns.zones(), [{ name: ZONE, serial: 0 }])
    await inside.dns.remove(ZONE)
    assert.deepEqual(await dns.zones(), [{ name: ZONE, serial: 0 }])
    await dns.remove(ZONE)
    assert.deepEqual(await dns.zones(), [])
  })

  it('has none while it is as it was without secondaries, or with', async () => {
    const settingsAt = (secondaries: TestServer['settings']['secondaries']) => ({
      ...{ clock, supervisor: outside.supervisor, name: 'dns' },
      settings: { ...outside.settings, secondaries },
    })
    const given = outside.settings.secondaries
    await outside.dns.put(zoneAt(1))
    for (const secondaries of [[], given]) {
      await outside.supervisor.stop('dns')
      const next = makePowerdns(settingsAt(secondaries))
      await next.ensure()
      assert.deepEqual(await next.zones(), [{ name: ZONE, serial: 0 }])
      await next.put(zoneAt(1))
      assert.deepEqual(await next.zones(), [{ name: ZONE, serial: 1 }])
      const isGiven = secondaries === given
      assert.equal((await transferred(SECONDARY)).answers.length > 0, isGiven)
    }
  })
})
