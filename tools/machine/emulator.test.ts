import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { majorOf } from './emulator.ts'

describe('the emulator', () => {
  it('is known by its major version', () => {
    assert.equal(majorOf('QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\nCopyright (c)'), 7)
    assert.equal(majorOf('QEMU emulator version 10.0.13 (Debian 1:10.0.13+ds-0+deb13u1)'), 10)
    assert.equal(majorOf(''), 0)
  })
})
