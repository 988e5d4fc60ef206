import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  checksumAsked,
  checksumTypeFor,
  compositeChecksum,
  makeHasher,
  parseAlgorithm,
  type Algorithm,
} from './checksums.ts'
import { code, context, makeFixture } from './testing/fixture.ts'

// The check values of the CRC catalogue (https://reveng.sourceforge.io/crc-catalogue/), all of "123456789".
const known: Record<Algorithm, string> = {
  CRC32: 'cbf43926',
  CRC32C: 'e3069283',
  CRC64NVME: 'ae8b14860a799888',
  MD5: '25f9e794323b453885f5181f1b624d0b',
  SHA1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
  SHA256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
  SHA512:
    'd9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85',
}
const algorithms = Object.keys(known).map(parseAlgorithm)
const digest = (algorithm: Algorithm, ...chunks: string[]) => {
  const hasher = makeHasher(algorithm)
  for (const chunk of chunks) hasher.update(Buffer.from(chunk))
  return hasher.digest()
}

describe('checksums', () => {
  for (const algorithm of algorithms)
    it(`computes ${algorithm}, however the bytes are cut`, () => {
      assert.equal(digest(algorithm, '123456789').toString('hex'), known[algorithm])
      const text = 'The quick brown fox jumps over the lazy dog. '.repeat(20)
      assert.deepEqual(
        digest(algorithm, text.slice(0, 13), text.slice(13, 14), text.slice(14)),
        digest(algorithm, text),
      )
    })
  it('takes one checksum of a request, of the right length', () => {
    assert.deepEqual(checksumAsked({}), { algorithm: 'CRC32', expected: undefined })
    assert.deepEqual(checksumAsked({ ChecksumAlgorithm: 'SHA1' }), { algorithm: 'SHA1', expected: undefined })
    assert.deepEqual(checksumAsked({ ChecksumCRC32: 'DUoRhQ==' }), {
      algorithm: 'CRC32',
      expected: 'DUoRhQ==',
    })
    assert.throws(
      () => checksumAsked({ ChecksumCRC32: 'DUoRhQ==', ChecksumCRC32C: 'DUoRhQ==' }),
      code('InvalidRequest'),
    )
    assert.throws(() => checksumAsked({ ChecksumCRC32: 'abc' }), /x-amz-checksum-crc32 header is invalid/)
    assert.throws(() => checksumAsked({ ChecksumAlgorithm: 'XXHASH3' }), code('NotImplemented', 501))
    assert.throws(() => checksumAsked({ ChecksumAlgorithm: 'ADLER' }), code('InvalidRequest', 400))
  })
  it('knows which algorithms may be of whole objects', () => {
    assert.equal(checksumTypeFor('CRC32', undefined), 'COMPOSITE')
    assert.equal(checksumTypeFor('CRC64NVME', undefined), 'FULL_OBJECT')
    assert.equal(checksumTypeFor('CRC32C', 'FULL_OBJECT'), 'FULL_OBJECT')
    assert.throws(() => checksumTypeFor('SHA256', 'FULL_OBJECT'), code('InvalidRequest'))
    assert.throws(() => checksumTypeFor('CRC64NVME', 'COMPOSITE'), code('InvalidRequest'))
  })
  it('makes a composite one of the parts', () => {
    const parts = [digest('CRC32', 'a').toString('base64'), digest('CRC32', 'b').toString('base64')]
    const bytes = Buffer.concat([digest('CRC32', 'a'), digest('CRC32', 'b')])
    const whole = makeHasher('CRC32')
    whole.update(bytes)
    assert.equal(compositeChecksum('CRC32', parts), `${whole.digest().toString('base64')}-2`)
  })
  for (const algorithm of algorithms)
    it(`verifies ${algorithm} of a PUT, keeps and answers it`, async () => {
      const { s3, put, createBucket } = makeFixture()
      createBucket()
      const member = `Checksum${algorithm}`
      const value = Buffer.from(known[algorithm], 'hex').toString('base64')
      assert.equal(Reflect.get(await put('key', '123456789', { [member]: value }), member), value)
      await assert.rejects(put('key', '12345678', { [member]: value }), code('BadDigest', 400))
      const head = s3.headObject(context, { Bucket: 'bucket', Key: 'key', ChecksumMode: 'ENABLED' })
      assert.deepEqual([Reflect.get(head, member), head.ChecksumType], [value, 'FULL_OBJECT'])
      assert.equal(Reflect.get(s3.headObject(context, { Bucket: 'bucket', Key: 'key' }), member), undefined)
      await s3.copyObject(context, {
        Bucket: 'bucket',
        Key: 'copy',
        CopySource: 'bucket/key',
        ChecksumAlgorithm: 'SHA1',
      })
      const copy = s3.headObject(context, { Bucket: 'bucket', Key: 'copy', ChecksumMode: 'ENABLED' })
      assert.equal(copy.ChecksumSHA1, Buffer.from(known.SHA1, 'hex').toString('base64'))
    })
})
