// An authority in memory: whoever trusts the certificate itself trusts it. Its keys are made without waiting.
import type { Clock } from '../../kernel/clock.ts'
import { newKey, selfSigned } from '../acme/test-der.ts'
import type { AuthorityEngine } from './engine.ts'

export const makeFakeAuthority = (clock: Clock): AuthorityEngine => ({
  makeKey: async () => newKey(),
  async makeAuthority(_called, permitted) {
    const key = newKey()
    return { certificate: selfSigned(permitted, key, clock.now(), 3_650), key }
  },
  issue: async (_authority, names, key, days) => selfSigned(names, key, clock.now(), days),
})
