// The authority on this machine: node's keys, and @peculiar/x509 for certificates (decision 024), loaded when the first is made.
import { createPrivateKey, createPublicKey, generateKeyPair, webcrypto } from 'node:crypto'
import { promisify } from 'node:util'
import type { Clock } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/random.ts'
import type { AuthorityEngine, KeyAlgorithm } from './engine.ts'

const DAY_MS = 24 * 3_600_000
const AUTHORITY_DAYS = 3_650
/** Clocks of clients are not exact. */
const EARLIER_MS = 3_600_000
const SERIAL_DIGITS = 30
const SIGNED = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const NAME_CONSTRAINTS = '2.5.29.30'

const generate = promisify(generateKeyPair)
const OPTIONS = {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
} as const

export function makeLocalAuthority({ clock, random }: { clock: Clock; random: Random }): AuthorityEngine {
  const signingKey = (pem: string) => {
    const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
    return webcrypto.subtle.importKey('pkcs8', der, SIGNED, false, ['sign'])
  }
  const library = async () => {
    const x509 = await import('@peculiar/x509')
    x509.cryptoProvider.set(webcrypto as Crypto)
    return x509
  }
  const period = (days: number) => ({
    notBefore: new Date(clock.now() - EARLIER_MS),
    notAfter: new Date(clock.now() + days * DAY_MS),
  })
  // RFC 5280 §4.1.2.2: positive, 20 bytes at most.
  const serial = () =>
    `4${Array.from({ length: SERIAL_DIGITS - 1 }, () => Math.floor(random.next() * 16).toString(16)).join('')}`

  return {
    makeKey: async (algorithm) => (await generatePair(algorithm)).privateKey,
    async makeAuthority(called, permitted) {
      const x509 = await library()
      const { privateKey, publicKey } = await generatePair('EC_prime256v1')
      const certificate = await x509.X509CertificateGenerator.create({
        ...{
          serialNumber: serial(),
          subject: `CN=${called}`,
          issuer: `CN=${called}`,
          ...period(AUTHORITY_DAYS),
        },
        signingAlgorithm: SIGNED,
        publicKey: new x509.PublicKey(publicKey),
        signingKey: (await signingKey(privateKey)) as CryptoKey,
        extensions: [
          new x509.BasicConstraintsExtension(true, 0, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
          new x509.Extension(NAME_CONSTRAINTS, true, permittedNames(permitted)),
          await x509.SubjectKeyIdentifierExtension.create(new x509.PublicKey(publicKey)),
        ],
      })
      return { certificate: `${certificate.toString('pem')}\n`, key: privateKey }
    },
    async issue(authority, names, key, days) {
      const x509 = await library()
      const issuer = new x509.X509Certificate(authority.certificate)
      const publicKey = new x509.PublicKey(createPublicKey(key).export({ type: 'spki', format: 'der' }))
      const certificate = await x509.X509CertificateGenerator.create({
        ...{
          serialNumber: serial(),
          subject: `CN=${names[0]!.slice(0, 64)}`,
          issuer: issuer.subject,
          ...period(days),
        },
        signingAlgorithm: SIGNED,
        publicKey,
        signingKey: (await signingKey(authority.key)) as CryptoKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
          await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
        ],
      })
      return `${certificate.toString('pem')}\n`
    },
  }
}

/** Asynchronously: RSA takes a while. */
function generatePair(algorithm: KeyAlgorithm): Promise<{ privateKey: string; publicKey: string }> {
  const [kind, detail = ''] = algorithm.split('_')
  return kind === 'RSA'
    ? generate('rsa', { ...OPTIONS, modulusLength: Number(detail) })
    : generate('ec', { ...OPTIONS, namedCurve: detail })
}

/** SEQUENCE { [0] { SEQUENCE { [2] name }, … } }: names below these (RFC 5280 §4.2.1.10). */
function permittedNames(names: string[]): Buffer {
  const wrap = (tag: number, content: Buffer) => {
    if (content.length > 127) throw new RangeError('names of an authority have 127 bytes together')
    return Buffer.concat([Buffer.from([tag, content.length]), content])
  }
  const trees = names.map((name) => wrap(0x30, wrap(0x82, Buffer.from(name))))
  return wrap(0x30, wrap(0xa0, Buffer.concat(trees)))
}
