import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { context, makeFixture } from './testing/fixture.ts'
import { planSweep } from './plan.ts'

const Bucket = 'bucket'
const observed = {
  bodies: [] as string[],
  referenced: new Set<string>(),
  garbage: [] as { bodyId: string; since: number }[],
  underWay: new Set<string>(),
  now: 100_000,
  graceMs: 60_000,
}

describe('the plan of the sweep', () => {
  const table: [string, Partial<typeof observed>, ReturnType<typeof planSweep>][] = [
    ['leaves a body that a row names', { bodies: ['a'], referenced: new Set(['a']) }, []],
    ['leaves a body that is being written', { bodies: ['a'], underWay: new Set(['a']) }, []],
    ['notes a body that nothing names', { bodies: ['a'] }, [{ what: 'note-garbage', bodyId: 'a' }]],
    ['waits for the grace', { bodies: ['a'], garbage: [{ bodyId: 'a', since: 40_001 }] }, []],
    [
      'removes a body after the grace',
      { bodies: ['a'], garbage: [{ bodyId: 'a', since: 40_000 }] },
      [{ what: 'remove-body', bodyId: 'a' }],
    ],
    [
      'forgets garbage that is named again',
      { bodies: ['a'], referenced: new Set(['a']), garbage: [{ bodyId: 'a', since: 0 }] },
      [{ what: 'forget-garbage', bodyId: 'a' }],
    ],
    [
      'forgets garbage that is gone',
      { garbage: [{ bodyId: 'a', since: 0 }] },
      [{ what: 'forget-garbage', bodyId: 'a' }],
    ],
    [
      'waits longer when the clock was set back',
      { bodies: ['a'], garbage: [{ bodyId: 'a', since: 200_000 }] },
      [],
    ],
  ]
  for (const [name, given, actions] of table)
    it(name, () => assert.deepEqual(planSweep({ ...observed, ...given }), actions))
})

describe('uploads on a disk that is nearly full', () => {
  const least = 2 ** 30
  it('are refused, and what is there can still be read and deleted', async () => {
    const { s3, disk, createBucket, put, text } = makeFixture()
    createBucket()
    await put('before')
    disk.freeBytes = least - 1
    await assert.rejects(put('after'), {
      name: 'InsufficientStorage',
      httpStatus: 507,
      message: /^The upload was refused: the disk of the home has less than 1\.0 GiB of 500 GiB free/,
    })
    assert.equal(await text('before'), 'before')
    s3.deleteObject(context, { Bucket, Key: 'before' })
    disk.freeBytes = least
    await put('after')
    assert.equal(await text('after'), 'after')
  })
  it('are broken off when the room ends meanwhile, and leave nothing', async () => {
    const { s3, disk, createBucket, keys, objects } = makeFixture()
    createBucket()
    const mebibyte = Buffer.alloc(2 ** 20)
    async function* body() {
      for (let sent = 0; sent < 40; sent++) {
        if (sent === 20) disk.freeBytes = least - 1
        yield mebibyte
      }
    }
    await assert.rejects(s3.putObject(context, { Bucket, Key: 'long', Body: body() }), {
      name: 'InsufficientStorage',
    })
    assert.deepEqual([keys(), await objects.list()], [[], []])
  })
})

describe('bodies', () => {
  const filled = () => {
    const fixture = makeFixture()
    fixture.createBucket()
    return fixture
  }
  it('of overwritten and deleted objects go after the grace', async () => {
    const { s3, put, text, objects, sweep, tick } = filled()
    await put('key', 'one')
    await put('key', 'two')
    await put('gone')
    s3.deleteObject(context, { Bucket, Key: 'gone' })
    tick(59_999)
    await sweep()
    assert.equal((await objects.list()).length, 3)
    tick(1)
    await sweep()
    assert.equal((await objects.list()).length, 1)
    assert.equal(await text('key'), 'two')
  })
  it('shared by a copy stay until the last row goes', async () => {
    const { s3, put, text, objects, sweep, tick } = filled()
    await put('key', 'one')
    await s3.copyObject(context, { Bucket, Key: 'copy', CopySource: `${Bucket}/key` })
    s3.deleteObject(context, { Bucket, Key: 'key' })
    tick(60_000)
    await sweep()
    assert.equal(await text('copy'), 'one')
    s3.deleteObject(context, { Bucket, Key: 'copy' })
    tick(60_000)
    await sweep()
    assert.deepEqual(await objects.list(), [])
  })
  it('that a crash left without a row go after the grace', async () => {
    const { objects, sweep, tick, store } = filled()
    await objects.put('00ffee00', Readable.from([Buffer.from('x')]), 10)
    await sweep()
    tick(60_000)
    await sweep()
    assert.deepEqual(await objects.list(), [])
    await sweep()
    assert.deepEqual(store.all('select * from s3_garbage'), [])
  })
  it('that are being written stay, however long it takes', async () => {
    const { objects, put, sweep, tick, text } = filled()
    const gate = Promise.withResolvers<void>()
    const whole = Promise.withResolvers<void>()
    const slow: typeof objects.put = objects.put
    objects.put = async (id, body, bytesMax) => {
      const stored = await slow(id, body, bytesMax)
      whole.resolve()
      await gate.promise
      return stored
    }
    const putting = put('key', 'slow')
    await whole.promise
    await sweep()
    tick(3_600_000)
    await sweep()
    gate.resolve()
    await putting
    assert.equal(await text('key'), 'slow')
  })
})
