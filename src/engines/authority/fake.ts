// An authority in memory: whoever trusts the certificate itself trusts it. One key for all, which is made without waiting.
import type { Clock } from '../../kernel/clock.ts'
import { LONG_LIVED } from '../../kernel/test-certificate.ts'
import { selfSigned } from '../acme/test-der.ts'
import type { AuthorityEngine } from './engine.ts'

export const makeFakeAuthority = (clock: Clock): AuthorityEngine => ({
  makeKey: async () => LONG_LIVED.key,
  makeAuthority: async (_called, permitted) => ({
    ...{ certificate: selfSigned(permitted, LONG_LIVED.key, clock.now(), 3_650), key: LONG_LIVED.key },
  }),
  issue: async (_authority, names, key, days) => selfSigned(names, key, clock.now(), days),
})
