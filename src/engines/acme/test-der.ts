// A certificate that vouches for itself, made without waiting for anything: for fakes on a virtual clock (X.690, RFC 5280).
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'

/** EC, in PEM. */
export const newKey = (): string =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey

const der = (tag: number, ...content: Buffer[]): Buffer => {
  const body = Buffer.concat(content)
  const length =
    body.length < 128 ? Buffer.from([body.length]) : Buffer.from([0x82, body.length >> 8, body.length & 0xff])
  return Buffer.concat([Buffer.from([tag]), length, body])
}
const sequence = (...content: Buffer[]) => der(0x30, ...content)
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const time = (at: number) =>
  der(0x18, Buffer.from(`${new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`))

const COMMON_NAME = '550403'
const ALTERNATIVE_NAMES = '551d11'
const ECDSA_WITH_SHA256 = '2a8648ce3d040302'
const DAY_MS = 24 * 3_600_000

/** `key`: EC, in PEM. `from` in milliseconds since 1970. */
export function selfSigned(names: string[], key: string, from: number, days: number): string {
  const privateKey = createPrivateKey(key)
  const algorithm = sequence(oid(ECDSA_WITH_SHA256))
  const name = sequence(der(0x31, sequence(oid(COMMON_NAME), der(0x0c, Buffer.from('fake')))))
  const alternatives = sequence(...names.map((one) => der(0x82, Buffer.from(one))))
  const serial = Buffer.concat([Buffer.from([1]), Buffer.from(from.toString(16).padStart(12, '0'), 'hex')])
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    name,
    sequence(time(from), time(from + days * DAY_MS)),
    name,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(oid(ALTERNATIVE_NAMES), der(0x04, alternatives)))),
  )
  const signature = sign('sha256', body, privateKey)
  const whole = sequence(body, algorithm, der(0x03, Buffer.from([0]), signature))
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
