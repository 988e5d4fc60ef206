// The name server of a home whose zones are given to secondaries (decision 023). They take no programs, and inside the VPC a name leads elsewhere:
// so one server has what is answered outside, without choices, and gives it away; another has all, for the resolver of instances.
import type { Name } from './engine.ts'
import type { HomeDns } from './home-dns.ts'
import { plainZone } from './plain.ts'

export function makeGivenDns({ outside, inside }: { outside: HomeDns; inside: HomeDns }): HomeDns {
  return {
    // The first may have the address of the second from before.
    async ensure() {
      try {
        await outside.ensure()
      } finally {
        await inside.ensure()
      }
    },
    async put(zone) {
      await inside.put(zone)
      await outside.put(plainZone(zone))
    },
    async remove(name) {
      await inside.remove(name)
      await outside.remove(name)
    },
    async zones() {
      const [given, whole] = await Promise.all([outside.zones(), inside.zones()])
      const serials = (all: typeof given) => new Map(all.map(({ name, serial }) => [name, serial]))
      const [ofGiven, ofWhole] = [serials(given), serials(whole)]
      const names: Name[] = [...new Set([...ofGiven.keys(), ...ofWhole.keys()])].toSorted()
      // What one of them has otherwise is to be put again.
      return names.map((name) => {
        const serial = ofGiven.get(name) ?? 0
        return { name, serial: serial === ofWhole.get(name) ? serial : 0 }
      })
    },
    settle: outside.settle,
    query: outside.query,
  }
}
