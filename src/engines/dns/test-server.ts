// A PowerDNS of a test, under a supervisor of its own, and questions to it as they go over the wire.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode, type DecodedPacket, encode, streamDecode, streamEncode } from 'dns-packet'
import { systemClock as clock } from '../../kernel/clock.ts'
import { makeIds } from '../../kernel/ids.ts'
import { freePort } from '../../kernel/test-ports.ts'
import { systemRandom } from '../../kernel/random.ts'
import { makeRunit } from '../supervisor/runit.ts'
import type { PowerdnsSettings } from './powerdns-config.ts'
import { makePowerdns } from './powerdns.ts'

export const HOST = '127.0.0.1'
/** Another address of the loopback, from which the resolver of instances would ask. */
export const INSIDE = '127.0.0.77'
const ANSWER_MS = 2_000

export async function startTestServer(more: Partial<PowerdnsSettings> = {}) {
  const id = makeIds(systemRandom).lower('', 6)
  const dir = mkdtempSync(join(tmpdir(), 'pbt-'))
  const supervisor = makeRunit({ clock, home: { dir, id } }, ['dns'])
  const port = await freePort()
  const settings: PowerdnsSettings = {
    ...{ dir: join(dir, 'dns'), user: { name: 'pdns', group: 'pdns' } },
    listens: [{ address: HOST, port }],
    api: { port: await freePort(), key: id },
    ...{ inside: [`${INSIDE}/32`], secondaries: [] },
    ...more,
  }
  const dns = makePowerdns({ clock, supervisor, name: 'dns', settings })
  await dns.ensure()
  return {
    ...{ dns, port, settings, supervisor, exchange, ask, askByTcp },
    async end() {
      await supervisor.shutdown()
      rmSync(dir, { recursive: true, force: true })
    },
  }

  /** Raw bytes there and back; undefined when nothing comes. */
  async function exchange(bytes: Buffer, from = HOST): Promise<Buffer | undefined> {
    const socket = createSocket('udp4').bind(0, from)
    const answered = new Promise<Buffer>((resolve) => socket.once('message', resolve))
    socket.send(bytes, port, HOST)
    const answer = await Promise.race([answered, clock.sleep(ANSWER_MS).then(() => undefined)])
    socket.close()
    return answer
  }

  async function ask(name: string, type: string, other: object = {}): Promise<DecodedPacket> {
    const answer = await exchange(questionOf(name, type, other))
    assert.ok(answer, `${name} ${type}: no answer`)
    return decode(answer)
  }

  /** All that is said until the server is silent for good, or `isAll`. */
  async function askByTcp(
    name: string,
    type: string,
    { from = HOST, isAll = () => true }: { from?: string; isAll?(all: DecodedPacket[]): boolean } = {},
  ): Promise<DecodedPacket[]> {
    const socket = connect({ port, host: HOST, localAddress: from })
    socket.write(streamEncode({ type: 'query', id: 7, questions: [{ type: type as 'A', name }] }))
    const all: DecodedPacket[] = []
    let said = Buffer.alloc(0)
    for await (const chunk of socket) {
      said = Buffer.concat([said, chunk as Buffer])
      for (
        ;
        said.length > 2 && said.length >= 2 + said.readUInt16BE(0);
        said = said.subarray(2 + said.readUInt16BE(0))
      )
        all.push(streamDecode(said.subarray(0, 2 + said.readUInt16BE(0))) as DecodedPacket)
      if (all.length > 0 && isAll(all)) break
    }
    return all
  }
}
export type TestServer = Awaited<ReturnType<typeof startTestServer>>

export const questionOf = (name: string, type: string, more: object = {}): Buffer =>
  encode({ type: 'query', id: 7, questions: [{ type: type as 'A', name }], ...more })
