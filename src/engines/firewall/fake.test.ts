import { VirtualClock } from '../../../sim/virtual-clock.ts'
import { describeFirewall, interfaceId } from './conformance.ts'
import { makeFakeFirewallWorld } from './fake.ts'

describeFirewall('fake', async () => {
  const world = makeFakeFirewallWorld(new VirtualClock())
  let engine = world.engine()
  return {
    engine: () => engine,
    restart: () => void (engine = world.engine()),
    lose: async () => world.lose(),
    empty: async () => world.lose(),
    address: (host) => `10.77.1.${host}`,
    connects: async (from, to, protocol, port) =>
      world.allows({ from: interfaceId(from), to: interfaceId(to), protocol, port }),
    hold: async (from, to, port) => {
      const connection = { from: interfaceId(from), to: interfaceId(to), protocol: 'tcp' as const, port }
      return {
        carries: async () => {
          const ends = [connection.from, connection.to]
          const cuts = world
            .model()
            ?.groups.some((group) => group.cutsOnRevoke && group.members.some((id) => ends.includes(id)))
          return !cuts || world.allows(connection)
        },
      }
    },
    close: async () => undefined,
  }
})
