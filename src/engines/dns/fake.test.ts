import { describeDns } from './conformance.ts'
import { makeFakeDns } from './fake.ts'

describeDns('the fake', async () => {
  const world = makeFakeDns()
  return { engine: world.engine(), query: async (name, type) => world.query(name, type) }
})
