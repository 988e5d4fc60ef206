// What every object engine must do. Registered by the tests of each one.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { EngineError } from '../../kernel/errors.ts'
import type { ObjectEngine } from './engine.ts'

/** `make` answers an empty engine and how to dispose of it. */
export function objectsConformance(
  name: string,
  make: () => { objects: ObjectEngine; dispose: () => void },
): void {
  const on = (body: (objects: ObjectEngine) => Promise<void>) => async () => {
    const { objects, dispose } = make()
    try {
      await body(objects)
    } finally {
      dispose()
    }
  }

  describe(`objects: ${name}`, () => {
    it(
      'answers the bytes it was given, and their hashes',
      on(async (objects) => {
        const stored = await objects.put('aa000001', chunks('hello ', 'world'), 100)
        assert.deepEqual(stored, {
          bytes: 11,
          md5Hex: '5eb63bbbe01eeed093cb22bb8f5acdc3',
          sha256Hex: createHash('sha256').update('hello world').digest('hex'),
          crc32Base64: 'DUoRhQ==',
        })
        assert.equal(await text(objects, 'aa000001'), 'hello world')
      }),
    )
    it(
      'answers a range with both ends included',
      on(async (objects) => {
        await objects.put('aa000001', chunks('0123456789'), 100)
        assert.equal(await text(objects, 'aa000001', { start: 2, end: 4 }), '234')
        assert.equal(await text(objects, 'aa000001', { start: 9, end: 9 }), '9')
      }),
    )
    it(
      'keeps an empty body',
      on(async (objects) => {
        assert.equal((await objects.put('aa000001', chunks(), 100)).bytes, 0)
        assert.equal(await text(objects, 'aa000001'), '')
        assert.deepEqual(await objects.list(), ['aa000001'])
      }),
    )
    it(
      'takes a body of exactly the limit and keeps nothing of a longer one',
      on(async (objects) => {
        await objects.put('aa000001', chunks('12345'), 5)
        await assert.rejects(objects.put('aa000002', chunks('123', '456'), 5), EngineError)
        assert.deepEqual(await objects.list(), ['aa000001'])
      }),
    )
    it(
      'hands on the error of a body that breaks off, and keeps nothing',
      on(async (objects) => {
        const broken = new Error('the signature does not match')
        await assert.rejects(objects.put('aa000001', breaking(broken), 100), broken)
        assert.deepEqual(await objects.list(), [])
      }),
    )
    it(
      'shows a body only when it is whole',
      on(async (objects) => {
        const gate = Promise.withResolvers<void>()
        const putting = objects.put('aa000001', gated(gate.promise), 100)
        assert.deepEqual(await objects.list(), [])
        gate.resolve()
        await putting
        assert.deepEqual(await objects.list(), ['aa000001'])
      }),
    )
    it(
      'joins bodies in the order given',
      on(async (objects) => {
        await objects.put('aa000001', chunks('one '), 100)
        await objects.put('bb000002', chunks('two '), 100)
        const joined = await objects.join('cc000003', ['bb000002', 'aa000001', 'bb000002'])
        assert.equal(joined.bytes, 12)
        assert.equal(await text(objects, 'cc000003'), 'two one two ')
        assert.equal(await text(objects, 'aa000001'), 'one ')
      }),
    )
    it(
      'rejects a join of a body that is not there, and keeps nothing',
      on(async (objects) => {
        await assert.rejects(objects.join('cc000003', ['aa000001']), EngineError)
        assert.deepEqual(await objects.list(), [])
      }),
    )
    it(
      'removes a body, and is quiet about one that is not there',
      on(async (objects) => {
        await objects.put('aa000001', chunks('x'), 100)
        await objects.remove('aa000001')
        await objects.remove('aa000001')
        assert.deepEqual(await objects.list(), [])
        assert.throws(() => objects.get('aa000001'), EngineError)
      }),
    )
    it(
      'answers a body whole that is removed while it is read',
      on(async (objects) => {
        await objects.put('aa000001', chunks('still here'), 100)
        const stream = objects.get('aa000001')
        await objects.remove('aa000001')
        assert.equal(Buffer.concat(await Array.fromAsync(stream)).toString(), 'still here')
      }),
    )
    it(
      'lists every body',
      on(async (objects) => {
        const ids = Array.from(
          { length: 40 },
          (_, index) => `${(index * 7).toString(16).padStart(2, '0')}00ffee`,
        )
        await Promise.all(ids.map((id) => objects.put(id, chunks(id), 100)))
        assert.deepEqual((await objects.list()).toSorted(), ids.toSorted())
      }),
    )
  })
}

async function* chunks(...texts: string[]): AsyncIterable<Uint8Array> {
  for (const one of texts) yield Buffer.from(one)
}

async function* breaking(error: Error): AsyncIterable<Uint8Array> {
  yield Buffer.from('some')
  throw error
}

async function* gated(gate: Promise<void>): AsyncIterable<Uint8Array> {
  yield Buffer.from('first ')
  await gate
  yield Buffer.from('last')
}

async function text(
  objects: ObjectEngine,
  id: string,
  range?: { start: number; end: number },
): Promise<string> {
  return Buffer.concat(await Array.fromAsync(objects.get(id, range))).toString()
}
