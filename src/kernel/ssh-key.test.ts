import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { colonHex, makeSshKeyPair, readSshPublicKey, sha256Base64 } from './ssh-key.ts'
import { ED25519, ED25519_SHA256, RSA, RSA_MD5 } from './test-ssh-keys.ts'

const base64 = (line: string) => line.split(' ')[1]!

describe('a public key of SSH', () => {
  it('is read from each form in which people have it', () => {
    const lines = (text: string) => text.match(/.{1,70}/g)!.join('\n')
    const file = (text: string) =>
      `---- BEGIN SSH2 PUBLIC KEY ----\nComment: "a \\\nlong one"\nx-other: y\n${lines(text)}\n---- END SSH2 PUBLIC KEY ----\n`
    for (const line of [RSA, ED25519]) {
      const { der } = readSshPublicKey(line)!
      for (const text of [
        `${line} me@home\n`,
        `${line}\tme and a comment`,
        file(base64(line)),
        der.toString('base64'),
      ])
        assert.equal(readSshPublicKey(text)?.line, line, text)
    }
    assert.deepEqual([readSshPublicKey(RSA)!.bits, readSshPublicKey(ED25519)!.type], [2048, 'ed25519'])
  })

  it('has the fingerprints that ssh-keygen and openssl compute', () => {
    assert.equal(colonHex('md5', readSshPublicKey(RSA)!.der), RSA_MD5)
    assert.equal(sha256Base64(readSshPublicKey(ED25519)!.blob), ED25519_SHA256)
  })

  it('is nothing that only looks like one', () => {
    for (const text of [
      '',
      'ssh-rsa',
      `ssh-rsa ${base64(ED25519)}`,
      `ssh-ed25519 ${base64(RSA)}`,
      `ssh-ed25519 ${base64(ED25519).slice(0, 40)}`,
      `ssh-rsa ${Buffer.from([0xff, 0xff, 0xff, 0xff, 1]).toString('base64')}`,
      `${ED25519} me\n${ED25519} you`,
      `command="rm" ${ED25519}`,
      'ssh-dss AAAAB3NzaC1kc3MAAACB',
      'ssh-ed25519 ****',
    ])
      assert.equal(readSshPublicKey(text), undefined, text)
  })
})

describe('a key pair of SSH', () => {
  it('of RSA is PEM that belongs to its public key', () => {
    const { publicKey, material, pkcs8 } = makeSshKeyPair('rsa', 'mine')
    assert.match(material, /^-----BEGIN RSA PRIVATE KEY-----\n/)
    const own = createPublicKey(createPrivateKey(material)).export({ type: 'spki', format: 'der' })
    assert.deepEqual([own, publicKey.bits], [publicKey.der, 2048])
    assert.equal(createHash('sha1').update(pkcs8).digest('hex'), colonHex('sha1', pkcs8).replaceAll(':', ''))
  })

  it('of ed25519 is what OpenSSH reads', (test) => {
    const { publicKey, material } = makeSshKeyPair('ed25519', 'mine')
    assert.match(material, /^-----BEGIN OPENSSH PRIVATE KEY-----\n/)
    const dir = mkdtempSync(join(tmpdir(), 'key-'))
    try {
      const path = join(dir, 'key')
      writeFileSync(path, material, { mode: 0o600 })
      const { stdout, error } = spawnSync('ssh-keygen', ['-y', '-f', path], { encoding: 'utf8' })
      if (error) test.skip('this machine has no ssh-keygen')
      else assert.equal(stdout.trim(), `${publicKey.line} mine`)
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})
