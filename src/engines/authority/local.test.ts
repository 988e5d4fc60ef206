// The authority of a home, asked of openssl and of TLS clients as they are.
import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { connect, createServer } from 'node:tls'
import { systemClock as clock } from '../../kernel/clock.ts'
import { run } from '../../kernel/process.ts'
import { systemRandom } from '../../kernel/random.ts'
import { makeLocalAuthority } from './local.ts'

const DAY_MS = 24 * 3_600_000
const authorities = makeLocalAuthority({ clock, random: systemRandom })

describe('the authority of a home', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pbt-authority-'))
  after(() => rmSync(dir, { recursive: true }))
  const own = authorities.makeAuthority('Polebean test', ['localhost'])

  async function verified(names: string[]): Promise<string> {
    const authority = await own
    const certificate = await authorities.issue(
      authority,
      names,
      await authorities.makeKey('EC_prime256v1'),
      9,
    )
    const [trusted, shown] = [join(dir, 'trusted.pem'), join(dir, 'shown.pem')]
    writeFileSync(trusted, authority.certificate)
    writeFileSync(shown, certificate)
    const { stdout, stderr } = await run(['openssl', 'verify', '-x509_strict', '-CAfile', trusted, shown])
    return `${stdout}${stderr}`
  }

  it('vouches for names below its own, and for no other', async () => {
    assert.match(await verified(['shop.localhost', '*.shop.localhost']), /: OK/)
    assert.match(await verified(['shop.example.org']), /permitted subtree violation/)
    assert.match(await verified(['shop.localhost', 'google.com']), /permitted subtree violation/)
  })

  it('makes keys of every kind, and certificates for them', async () => {
    for (const algorithm of ['RSA_2048', 'EC_prime256v1', 'EC_secp384r1'] as const) {
      const key = await authorities.makeKey(algorithm)
      const certificate = new X509Certificate(await authorities.issue(await own, ['a.localhost'], key, 9))
      assert.ok(certificate.checkPrivateKey(createPrivateKey(key)), algorithm)
      assert.ok(certificate.verify(new X509Certificate((await own).certificate).publicKey))
      const days = (certificate.validToDate.getTime() - clock.now()) / DAY_MS
      assert.ok(days > 8.9 && days < 9.1, `${days}`)
    }
  })

  it('is trusted by a TLS client that is given its certificate, and by no other', async () => {
    const key = await authorities.makeKey('EC_prime256v1')
    const cert = await authorities.issue(await own, ['shop.localhost'], key, 9)
    const server = createServer({ key, cert }, (socket) => socket.end()).listen(0, '127.0.0.1')
    server.on('tlsClientError', () => undefined)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const dial = async (servername: string, ca?: string) => {
      const socket = connect({ host: '127.0.0.1', port, servername, ...(ca === undefined ? {} : { ca }) })
      try {
        await once(socket, 'secureConnect')
        return 'trusted'
      } catch (error) {
        return (error as NodeJS.ErrnoException).code
      } finally {
        socket.destroy()
      }
    }
    const { certificate } = await own
    assert.equal(await dial('shop.localhost', certificate), 'trusted')
    assert.equal(await dial('other.localhost', certificate), 'ERR_TLS_CERT_ALTNAME_INVALID')
    assert.notEqual(await dial('shop.localhost'), 'trusted')
    server.close()
  })
})
