// What a home asks of the machine that it is on: free ports and a free range.
import { checkPortsFree, loopbackAddresses } from './engines/balancer/host-ports.ts'
import { DNS_DAEMON, INSIDE_DNS_DAEMON, PRIVATE_DNS_DAEMON } from './engines/dns/home-dns.ts'
import {
  chooseCidr as choose,
  conflictsWith,
  describeConflict,
  hostRoutes,
  readHostRoutes,
} from './engines/network/cidr.ts'
import { makeRouter } from './engines/network/router.ts'
import type { InUse, Machine } from './home-config.ts'
import { rangesOfHomes } from './home-ports.ts'
import { readInUse } from './home-store.ts'
import type { HomeSettings } from './home.ts'
import { systemRandom } from './kernel/random.ts'
import { makeEngines, makeSupervisor } from './real-engines.ts'

/** Throws a sentence that names port and holder when somebody else has taken a port that the home keeps. */
export async function checkPorts(home: HomeSettings): Promise<void> {
  const daemons = await makeSupervisor(home).list()
  const isRunning = (one: string) => daemons.some(({ name, running }) => name === one && running)
  const { api, http, dns } = home.ports
  const ofServer = isRunning('server') ? [] : [api]
  const ofHaproxy = isRunning('haproxy') ? [] : [http]
  const ofDns = [
    ...(isRunning(DNS_DAEMON) ? [] : [dns, dns + 1]),
    ...(isRunning(PRIVATE_DNS_DAEMON) ? [] : [dns + 2]),
    ...(isRunning(INSIDE_DNS_DAEMON) ? [] : [dns + 3]),
  ]
  await checkPortsFree([...ofServer, ...ofDns], ['127.0.0.1'])
  await checkPortsFree(ofHaproxy, loopbackAddresses())
}

/** A range for the VPC that this machine has no route for, and no other home of it. */
export const chooseCidr = async (): Promise<string> =>
  choose([...(await hostRoutes()), ...rangesOfHomes()], Math.floor(systemRandom.next() * 1_000))

/** Asks this machine what a change of the configuration must know. `inUse`: of the server, when it runs. */
export const makeMachine = (
  home: HomeSettings,
  inUse: () => Promise<InUse> = async () => readInUse(home),
): Machine => ({
  inUse,
  async portProblem(port) {
    const problem = await checkPortsFree([port], loopbackAddresses()).catch((error: Error) => error.message)
    return problem === undefined ? null : `cannot be ${port}: ${problem}`
  },
  async cidrProblem(cidr) {
    const [route] = conflictsWith(cidr, await readHostRoutes(), makeRouter(home).names.uplink)
    if (route) return describeConflict(cidr, route)
    const theirs = rangesOfHomes(undefined, home.dir).includes(cidr)
    return theirs ? `cannot be ${cidr}: another home of this machine has it` : null
  },
  async leaveRange() {
    const { router, supervisor } = makeEngines(home)
    for (const { name } of await supervisor.list()) if (name !== 'server') await supervisor.remove(name)
    await router.remove()
  },
})
