import { describeDns } from './conformance.ts'
import { systemClock } from '../../kernel/clock.ts'
import { makeFakeDnsWorld } from './fake.ts'

describeDns('the fake', async () => {
  const world = makeFakeDnsWorld(systemClock)
  return { engine: world.engine(), query: async (name, type, from) => world.query(name, type, from) }
})
