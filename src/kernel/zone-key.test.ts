import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { describe, it } from 'node:test'
import { digestOf, dnskeyOf, keyTagOf, makeZoneKey } from './zone-key.ts'

// RFC 6605 §6.1.
const EXAMPLE = {
  publicKey: 'GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==',
}

describe('a key of a zone', () => {
  it('has the tag and the digest of RFC 6605', () => {
    assert.equal(keyTagOf(EXAMPLE), 55_648)
    assert.equal(
      digestOf('example.net', EXAMPLE),
      'B4C8C1FE2E7477127B27115656AD6256F424625BF5C1E2770CE6D6E37DF61D17',
    )
    assert.equal(dnskeyOf(EXAMPLE), `257 3 13 ${EXAMPLE.publicKey}`)
  })

  it('is another one each time, and its halves belong together', () => {
    const key = makeZoneKey()
    assert.notEqual(makeZoneKey().privateKey, key.privateKey)
    const url = (bytes: Buffer) => bytes.toString('base64url')
    const point = Buffer.from(key.publicKey, 'base64')
    assert.equal(point.length, 64)
    const open = { kty: 'EC', crv: 'P-256', x: url(point.subarray(0, 32)), y: url(point.subarray(32)) }
    const secret = { ...open, d: url(Buffer.from(key.privateKey, 'base64')) }
    const text = Buffer.from('text')
    const signature = sign('sha256', text, createPrivateKey({ key: secret, format: 'jwk' }))
    assert.ok(verify('sha256', text, createPublicKey({ key: open, format: 'jwk' }), signature))
  })
})
