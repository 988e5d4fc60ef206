import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { Duplex, duplexPair, PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { VirtualClock } from '../../sim/virtual-clock.ts'
import type { Session } from '../engines/compute/engine.ts'
import { systemClock } from '../kernel/clock.ts'
import { frame, FRAME_BYTES_MAX, readFrames, readStart, sizeFrame, type Frame, type Start } from './frames.ts'
import { serveSession } from './serve.ts'

const collect = async (chunks: Buffer[]) => Array.fromAsync(readFrames(Duplex.from(chunks)))
const START: Start = { argv: ['ls'], user: 'root', terminal: null }

describe('frames of a session', () => {
  it('come through however they are cut', async () => {
    const all = Buffer.concat([
      frame('input', Buffer.from([0, 255])),
      frame('ping'),
      sizeFrame(24, 80),
      frame('over', 'ü'),
    ])
    const wanted: Frame[] = [
      { kind: 'input', bytes: Buffer.from([0, 255]) },
      { kind: 'ping', bytes: Buffer.alloc(0) },
      { kind: 'resize', bytes: Buffer.from([0, 24, 0, 80]) },
      { kind: 'over', bytes: Buffer.from('ü') },
    ]
    assert.deepEqual(await collect([all]), wanted)
    assert.deepEqual(await collect(Array.from(all, (byte) => Buffer.from([byte]))), wanted)
    assert.deepEqual(await collect([all, all.subarray(0, 6)]), wanted)
  })

  it('are refused when they are none, or too long', async () => {
    await assert.rejects(collect([Buffer.from('GET / HTTP/1.1\r\n')]), SyntaxError)
    const long = Buffer.alloc(5)
    long.writeUInt8('i'.charCodeAt(0))
    long.writeUInt32BE(FRAME_BYTES_MAX + 1, 1)
    await assert.rejects(collect([long]), SyntaxError)
  })

  it('begin with what is to be run, and with nothing else', () => {
    const read = (value: unknown) => readStart({ kind: 'start', bytes: Buffer.from(JSON.stringify(value)) })
    assert.deepEqual(read(START), START)
    const terminal = { rows: 24, columns: 80, name: 'xterm-256color' }
    assert.deepEqual(read({ ...START, terminal }), { ...START, terminal })
    for (const wrong of [
      null,
      {},
      { ...START, argv: 'ls' },
      { ...START, argv: ['a\0b'] },
      { ...START, user: 'bob' },
      { ...START, terminal: { ...terminal, rows: -1 } },
      { ...START, terminal: { ...terminal, columns: 70_000 } },
      { ...START, terminal: { ...terminal, name: 'x; reboot' } },
    ])
      assert.throws(() => read(wrong), SyntaxError, JSON.stringify(wrong))
    assert.throws(() => readStart({ kind: 'input', bytes: Buffer.from('{}') }), SyntaxError)
  })
})

/** A program that answers what it is told, in capitals. */
function fakeSession() {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const end = Promise.withResolvers<{ exit: number; cut: boolean }>()
  const sizes: number[][] = []
  const state = { hungUp: 0 }
  stdin.on('data', (chunk: Buffer) => stdout.write(chunk.toString().toUpperCase()))
  const finish = (exit: number, cut = false) => {
    stdout.end()
    stderr.end()
    end.resolve({ exit, cut })
  }
  stdin.on('end', () => finish(3))
  const session: Session = {
    ...{ stdin, stdout, stderr, ended: end.promise },
    resize: (...size) => void sizes.push(size),
    hangUp: async () => void state.hungUp++,
  }
  return { session, sizes, state, finish }
}

function serve(session: Session | Error, signal = new AbortController().signal, clock = new VirtualClock()) {
  const [client, server] = duplexPair()
  const open = async () => {
    if (session instanceof Error) throw session
    return session
  }
  const over = serveSession(server, { clock, signal, open, cutText: 'cut' })
  return { client, over, clock }
}

const told = async (client: Duplex) =>
  (await Array.fromAsync(readFrames(client))).map(({ kind, bytes }) => [
    kind,
    kind === 'exit' ? bytes.readUInt32BE() : bytes.toString(),
  ])

describe('the server’s side of a session', () => {
  it('carries input, output, errors and sizes, and ends with the exit status', async () => {
    const { session, sizes, state } = fakeSession()
    const { client, over } = serve(session)
    client.write(
      Buffer.concat([frame('start', JSON.stringify(START)), sizeFrame(9, 99), frame('input', 'hello')]),
    )
    session.stderr.push('wrong')
    client.write(frame('endOfInput'))
    assert.deepEqual((await told(client)).sort(), [
      ['error', 'wrong'],
      ['exit', 3],
      ['output', 'HELLO'],
    ])
    assert.equal(await over, 'exit status 3')
    assert.deepEqual([sizes, state.hungUp], [[[9, 99]], 1])
  })

  it('hangs up when the client goes, and when it sends no frames', async () => {
    const { session, state } = fakeSession()
    const { client, over } = serve(session)
    client.write(frame('start', JSON.stringify(START)))
    client.write(frame('input', 'x'))
    await once(client, 'readable')
    client.destroy()
    assert.equal(await over, 'the client went away')
    assert.equal(state.hungUp, 1)
    const other = fakeSession()
    const second = serve(other.session)
    second.client.write(Buffer.concat([frame('start', JSON.stringify(START)), Buffer.from('GET / HTTP/1.1')]))
    assert.equal(await second.over, 'the client went away')
    assert.equal(other.state.hungUp, 1)
  })

  it('says that the server goes, that the instance has ended, and what is in the way', async () => {
    const going = new AbortController()
    const one = serve(fakeSession().session, going.signal)
    one.client.write(frame('start', JSON.stringify(START)))
    one.client.write(frame('input', 'x'))
    await once(one.client, 'readable')
    going.abort()
    assert.match(String((await told(one.client)).at(-1)), /^over,Polebean is being stopped/)
    const cut = fakeSession()
    const two = serve(cut.session)
    two.client.write(frame('start', JSON.stringify(START)))
    cut.finish(137, true)
    assert.deepEqual(await told(two.client), [['over', 'cut']])
    const three = serve(new Error('i-1 is not running'))
    three.client.write(frame('start', JSON.stringify(START)))
    assert.deepEqual(await told(three.client), [['over', 'i-1 is not running']])
    const four = serve(fakeSession().session)
    four.client.write(frame('ping'))
    assert.equal((await told(four.client))[0]![0], 'over')
  })

  it('finds out that a silent client is gone', async () => {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const [stream] = (await once(server, 'connection')) as [Duplex]
    const { session, state } = fakeSession()
    const over = serveSession(stream, {
      ...{ clock: systemClock, signal: new AbortController().signal, open: async () => session, cutText: '' },
    })
    client.write(frame('start', JSON.stringify(START)))
    client.write(frame('input', 'x'))
    await once(client, 'data')
    client.resetAndDestroy()
    assert.equal(await over, 'the client went away')
    assert.equal(state.hungUp, 1)
    server.close()
  })
})
