// Session tokens of IMDSv2. A token is when it ends and a seal over that and the instance: nothing is kept of it, so it
// outlives a restart of the server, as on AWS no restart of anything is seen.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Ids } from '../../../kernel/ids.ts'
import type { Store } from '../../../store/store.ts'

/** AWS: one second to six hours. */
export const TTL_SECONDS_MAX = 21_600

const EXPIRY_BYTES = 8
const SEAL_BYTES = 32

export type Tokens = {
  /** For this instance and nobody else, until `ttlSeconds` are over. */
  make(instanceId: string, ttlSeconds: number): string
  /** Seconds that are left of it (begun ones count); null when it is none, of another instance, or over. */
  secondsLeft(instanceId: string, token: string): number | null
}

export function makeTokens(key: Buffer, now: () => number): Tokens {
  const seal = (instanceId: string, expiry: Buffer) =>
    createHmac('sha256', key).update(`metadata token of ${instanceId} `).update(expiry).digest()
  return {
    make(instanceId, ttlSeconds) {
      const expiry = Buffer.alloc(EXPIRY_BYTES)
      expiry.writeBigUInt64BE(BigInt(now() + ttlSeconds * 1000))
      return Buffer.concat([expiry, seal(instanceId, expiry)]).toString('base64url')
    },
    secondsLeft(instanceId, token) {
      const bytes = Buffer.from(token, 'base64url')
      if (bytes.length !== EXPIRY_BYTES + SEAL_BYTES || bytes.toString('base64url') !== token) return null
      const expiry = bytes.subarray(0, EXPIRY_BYTES)
      if (!timingSafeEqual(bytes.subarray(EXPIRY_BYTES), seal(instanceId, expiry))) return null
      const left = Number(expiry.readBigUInt64BE()) - now()
      return left > 0 ? Math.ceil(left / 1000) : null
    },
  }
}

/** The home's own key for seals; drawn once. */
export function tokenKey(store: Store, ids: Ids): Buffer {
  const kept = store.get<{ key: string }>('select key from ec2_metadata_key')
  const key = kept?.key ?? ids.hex('', 64)
  if (!kept) store.insert('ec2_metadata_key', { key })
  return Buffer.from(key, 'hex')
}
