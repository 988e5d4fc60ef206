// A key that signs a zone (DNSSEC): ECDSA over P-256 with SHA-256, which is algorithm 13 (RFC 6605), for all of the zone.
import { generateKeyPairSync, hash } from 'node:crypto'

/** In base64: the secret number, 32 bytes; both coordinates, 64 bytes (RFC 6605 §4). */
export type ZoneKey = { privateKey: string; publicKey: string }

/** RFC 4034 §2.1: a key of a zone, to which a parent leads. */
export const FLAGS = 257
const PROTOCOL = 3
export const ALGORITHM = 13
/** SHA-256 (RFC 4509). */
export const DIGEST = 2

export function makeZoneKey(): ZoneKey {
  const {
    d = '',
    x = '',
    y = '',
  } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    format: 'jwk',
  })
  const bytes = (text: string) => Buffer.from(text, 'base64url')
  return {
    privateKey: bytes(d).toString('base64'),
    publicKey: Buffer.concat([bytes(x), bytes(y)]).toString('base64'),
  }
}

/** `257 3 13 …`, as a zone file has a DNSKEY. */
export const dnskeyOf = ({ publicKey }: Pick<ZoneKey, 'publicKey'>): string =>
  `${FLAGS} ${PROTOCOL} ${ALGORITHM} ${publicKey}`

const dataOf = ({ publicKey }: Pick<ZoneKey, 'publicKey'>) =>
  Buffer.concat([
    Buffer.from([FLAGS >> 8, FLAGS & 255, PROTOCOL, ALGORITHM]),
    Buffer.from(publicKey, 'base64'),
  ])

/** RFC 4034, appendix B. */
export function keyTagOf(key: Pick<ZoneKey, 'publicKey'>): number {
  let sum = 0
  for (const [index, byte] of dataOf(key).entries()) sum += index % 2 === 0 ? byte << 8 : byte
  return (sum + ((sum >> 16) & 0xffff)) & 0xffff
}

/** What the parent has of it (RFC 4034 §5.1.4); `zone` in lower case, without the point at the end. */
export function digestOf(zone: string, key: Pick<ZoneKey, 'publicKey'>): string {
  const labels = zone.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]))
  return hash('sha256', Buffer.concat([...labels, Buffer.from([0]), dataOf(key)]), 'hex').toUpperCase()
}
