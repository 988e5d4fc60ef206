import { VirtualClock } from '../../../sim/virtual-clock.ts'
import { describeAcme } from './conformance.ts'
import { newKey } from './test-der.ts'
import type { Challenge } from './engine.ts'
import { makeFakeAcmeWorld } from './fake.ts'

describeAcme('in memory', async () => {
  const clock = new VirtualClock()
  const world = makeFakeAcmeWorld(clock)
  const published = new Set<string>()
  const idOf = ({ type, content }: Challenge) => `${type} ${content}`
  world.answers = (challenge) => published.has(idOf(challenge))
  const account = { directory: 'https://acme.test/dir', trust: null, key: newKey(), email: null }
  return {
    engine: world.engine(),
    account: () => account,
    publish: async (challenge) => void published.add(idOf(challenge)),
    pass: () => clock.run(1_000),
  }
})
