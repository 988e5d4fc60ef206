// Keys of a zone as PowerDNS's API has them (/zones/{id}/cryptokeys). Pure.
import { ALGORITHM, dnskeyOf, type ZoneKey } from '../../kernel/zone-key.ts'

export type KeyThere = { id: number; dnskey: string; active: boolean; published: boolean }

/** What must be sent, and which must go after that, so that these are there and sign. */
export function keyChanges(there: KeyThere[], wanted: ZoneKey[]) {
  const isOf = (key: ZoneKey) => (one: KeyThere) =>
    one.active && one.published && one.dnskey === dnskeyOf(key)
  return {
    added: wanted
      .filter((key) => !there.some(isOf(key)))
      .map((key) => ({ keytype: 'csk', active: true, published: true, content: fileOf(key) })),
    removed: there.filter((one) => !wanted.some((key) => isOf(key)(one))).map(({ id }) => id),
  }
}

/** As BIND keeps a private key. */
const fileOf = ({ privateKey }: ZoneKey) =>
  `Private-key-format: v1.2\nAlgorithm: ${ALGORITHM} (ECDSAP256SHA256)\nPrivateKey: ${privateKey}\n`
