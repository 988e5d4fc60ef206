// What Beanstalk's defaults are, for tests of other engines: load balancers open to everybody on port 80, instances open to
// load balancers, and to nobody else.
import { EVERYBODY, group, groupId, interfaceId, rule } from './conformance.ts'
import type { FirewallModel } from './engine.ts'

/** Addresses of instances and of balancers; `ports` of instances that balancers may open (TCP). */
export function usualModel(instances: string[], balancers: string[], ports = [80]): FirewallModel {
  const all = [...instances, ...balancers].map((address, index) => ({ id: interfaceId(index + 1), address }))
  const numbers = (addresses: string[]) =>
    all.flatMap(({ address }, index) => (addresses.includes(address) ? [index + 1] : []))
  const fromBalancers = ports.map((port) => rule({ group: groupId('lb') }, 'tcp', port))
  return {
    interfaces: all,
    groups: [
      group('lb', numbers(balancers), { ingress: [rule(EVERYBODY, 'tcp', 80)] }),
      group('app', numbers(instances), { ingress: fromBalancers }),
    ],
  }
}
