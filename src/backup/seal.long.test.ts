// Each opening costs half a second of scrypt, on purpose.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EngineError } from '../kernel/errors.ts'
import { seededRandom } from '../kernel/random.ts'
import { seal, SEAL_HEADER_BYTES, unseal } from './seal.ts'
import { bytesOf, inPieces } from './test-backup.ts'

const CHUNK = 64 * 1024
const PART = CHUNK + 16
const sealed = (plain: Buffer, seed = 1) =>
  bytesOf(seal(inPieces(plain), 'correct horse', seededRandom(seed)))
const opened = async (bytes: Buffer, passphrase = 'correct horse') => {
  try {
    return await bytesOf(unseal(inPieces(bytes, 40_001), passphrase, 'FILE'))
  } catch (error) {
    if (error instanceof EngineError) return error.message
    throw error
  }
}

describe('a seal', { concurrency: 1 }, () => {
  it('gives back what it was put around, whatever its length', async () => {
    for (const length of [0, 1, CHUNK, CHUNK + 1]) {
      const plain = Buffer.alloc(length, 'plain')
      const bytes = await sealed(plain)
      assert.equal(bytes.includes('plainplain'), false)
      assert.deepEqual(await opened(bytes), plain, `${length} bytes`)
    }
  })

  it('is another one each time', async () => {
    const plain = Buffer.from('the same')
    const [one, two] = [await sealed(plain, 1), await sealed(plain, 2)]
    assert.notDeepEqual(one.subarray(SEAL_HEADER_BYTES), two.subarray(SEAL_HEADER_BYTES))
  })

  it('opens to its passphrase only, in whichever way an umlaut is typed', async () => {
    const bytes = await bytesOf(seal(inPieces(Buffer.from('x')), 'schl\u00fcssel', seededRandom(1)))
    assert.equal(await opened(bytes, 'schlussel'), 'the passphrase is not that of FILE')
    assert.deepEqual(await opened(bytes, 'schlu\u0308ssel'), Buffer.from('x'))
  })

  it('is broken wherever it is cut off', async () => {
    const bytes = await sealed(Buffer.alloc(2 * CHUNK + 100, 'p'))
    for (const at of [17, 18, SEAL_HEADER_BYTES - 1])
      assert.match(String(await opened(bytes.subarray(0, at))), /cut off|newer/, `at ${at}`)
    for (const at of [PART, 2 * PART])
      assert.equal(
        await opened(bytes.subarray(0, SEAL_HEADER_BYTES + at)),
        'FILE is cut off: its end is missing',
        `after ${at}`,
      )
    for (const at of [0, 16, PART - 1, PART + 1, 2 * PART + 115])
      assert.match(
        String(await opened(bytes.subarray(0, SEAL_HEADER_BYTES + at))),
        /^FILE is damaged or cut off/,
        `after ${at}`,
      )
  })

  it('is broken when parts are changed, moved, left out, repeated or added', async () => {
    const bytes = await sealed(Buffer.from([...Array(3)].map((_, at) => String(at).repeat(CHUNK)).join('')))
    const head = bytes.subarray(0, SEAL_HEADER_BYTES)
    const part = (number: number) =>
      bytes.subarray(SEAL_HEADER_BYTES + number * PART, SEAL_HEADER_BYTES + (number + 1) * PART)
    const [a, b, c] = [part(0), part(1), part(2)]
    const flipped = Buffer.from(bytes)
    flipped[SEAL_HEADER_BYTES + 2 * PART + 7]! ^= 1
    const damaged = [[b, a, c], [a, c], [a, a, b, c], [a, b, c, c], [a, b, c, Buffer.from('more')], [c]]
    for (const parts of damaged)
      assert.match(String(await opened(Buffer.concat([head, ...parts]))), /^FILE is damaged/)
    assert.match(String(await opened(flipped)), /^FILE is damaged/)
  })

  it('is broken when its head is changed', async () => {
    const bytes = await sealed(Buffer.from('x'))
    const said = async (at: number) => {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1
      return String(await opened(changed))
    }
    assert.match(await said(16), /sealed by a newer Polebean/)
    for (const at of [18, 49]) assert.equal(await said(at), 'the passphrase is not that of FILE')
  })
})
