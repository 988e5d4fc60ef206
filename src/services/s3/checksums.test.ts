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

const algorithms = ['CRC32', 'CRC32C', 'CRC64NVME', 'MD5', 'SHA1', 'SHA256', 'SHA512'].map(parseAlgorithm)

const digest = (algorithm: Algorithm, text: string) => {
  const hasher = makeHasher(algorithm)
  hasher.update(Buffer.from(text))
  return hasher.digest()
}

describe('checksums', () => {
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
      const value = digest(algorithm, '123456789').toString('base64')
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
      assert.equal(copy.ChecksumSHA1, digest('SHA1', '123456789').toString('base64'))
    })
})
