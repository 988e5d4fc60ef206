import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isChecksumName, makeChecksum, type ChecksumName } from './checksums.ts'

// The check values of the CRC catalogue (https://reveng.sourceforge.io/crc-catalogue/), all of "123456789".
const known: Record<ChecksumName, string> = {
  crc32: 'cbf43926',
  crc32c: 'e3069283',
  crc64nvme: 'ae8b14860a799888',
  md5: '25f9e794323b453885f5181f1b624d0b',
  sha1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
  sha256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
  sha512:
    'd9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85',
}
const digest = (name: ChecksumName, ...chunks: string[]) => {
  const checksum = makeChecksum(name)
  for (const chunk of chunks) checksum.update(Buffer.from(chunk))
  return checksum.digest().toString('hex')
}

describe('a checksum', () => {
  for (const name of Object.keys(known).filter(isChecksumName))
    it(`is ${name} however the bytes are cut`, () => {
      assert.equal(digest(name, '123456789'), known[name])
      const text = 'The quick brown fox jumps over the lazy dog. '.repeat(20)
      const whole = digest(name, text)
      assert.equal(digest(name, text.slice(0, 13), text.slice(13, 14), text.slice(14)), whole)
    })

  it('has one of the names that there are', () => {
    assert.deepEqual(['crc32', 'xxhash64', '__proto__', 'CRC32'].map(isChecksumName), [
      true,
      false,
      false,
      false,
    ])
  })
})
