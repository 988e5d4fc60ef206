// The name server of a home: PowerDNS on the host, and the resolver of instances that asks it.
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import { readFileIfAny, writeFileAtomic } from '../../kernel/files.ts'
import type { Home } from '../../kernel/home.ts'
import type { Log } from '../../kernel/log.ts'
import { makeIds } from '../../kernel/ids.ts'
import { systemRandom } from '../../kernel/random.ts'
import { userIfAny } from '../balancer/user.ts'
import { leadZones, type ResolverNetwork } from '../resolver/dnsmasq.ts'
import type { Supervisor } from '../supervisor/engine.ts'
import type { DnsEngine } from './engine.ts'
import { bindText } from './powerdns-config.ts'
import { DNS_DAEMON, makePowerdns } from './powerdns.ts'

const LOOPBACK = '127.0.0.1'

type Options = {
  clock: Clock
  log: Log
  home: Pick<Home, 'runDir' | 'ports'>
  supervisor: Supervisor
  network: Pick<ResolverNetwork, 'relay'> & { asker: string }
  /** Of the resolver; see ResolverHome. */
  zonesFile: string
  /** Where it answers besides loopback and the resolver. */
  listens(): { addresses: readonly string[]; port: number }
}

export function makeHomeDns({
  clock,
  log,
  home,
  supervisor,
  network,
  zonesFile,
  listens,
}: Options): DnsEngine & {
  ensure(): Promise<void>
} {
  const { addresses, port } = listens()
  const { relay, asker } = network
  // As HAProxy's: short enough for a socket's path wherever the home is, and made anew from rows after a reboot.
  const dir = join(home.runDir, 'dns')
  const fixed = [
    { address: LOOPBACK, port: home.ports.dns },
    { address: relay.address, port: relay.namesPort },
  ]
  const further = addresses.map((address) => ({ address, port }))
  const settings = {
    ...{ dir, user: userOf(), inside: [`${asker}/32`], listens: [...fixed, ...further] },
    api: {
      port: home.ports.dns + 1,
      get key() {
        return apiKeyIn(join(home.runDir, 'dns-api-key'))
      },
    },
  }
  const dns = makePowerdns({ clock, supervisor, settings })

  /** Those that somebody else has are left out: one that cannot be had would keep it from all others. */
  async function leftOut() {
    if (further.length === 0) return []
    const isRunning = (await supervisor.list()).some(({ name, running }) => name === DNS_DAEMON && running)
    const now = isRunning ? (readFileIfAny(join(dir, 'pdns.conf')) ?? '') : ''
    const found = await Promise.all(
      further.map(async (one) => (now.includes(bindText(one)) || (await canBind(one)) ? [] : [one])),
    )
    return found.flat()
  }

  let led: Set<string> | undefined

  /** What instances were told before of a name is forgotten with each change. */
  const lead = () =>
    leadZones(supervisor, network, zonesFile, [...(led ?? [])]).catch((error: unknown) => {
      // The server answers; a resolver that is on its way reads the file.
      log.warn('the resolver of instances was not told of zones', { error })
    })

  return {
    async ensure() {
      const taken = await leftOut()
      settings.listens = [...fixed, ...further.filter((one) => !taken.includes(one))]
      await dns.ensure()
      if (led && led.size > 0 && !readFileIfAny(zonesFile)) await lead()
      if (taken.length > 0)
        throw new EngineError(
          `the name server does not answer at ${taken.map(bindText).join(', ')}: another program has it, or it is no address of this machine`,
        )
    },
    query: dns.query,
    async put(zone) {
      await dns.put(zone)
      led?.add(zone.name)
    },
    async remove(name) {
      await dns.remove(name)
      led?.delete(name)
    },
    async settle() {
      led ??= new Set((await dns.zones()).map(({ name }) => name))
      await lead()
    },
    async zones() {
      const all = await dns.zones()
      const names = new Set(all.map(({ name }) => name))
      const isNews = !led || names.symmetricDifference(led).size > 0
      led = names
      if (isNews) await lead()
      return all
    },
  }
}

/** Drawn when it is first needed; root's alone. */
function apiKeyIn(path: string): string {
  const there = readFileIfAny(path)
  if (there) return there
  const key = makeIds(systemRandom).lower('', 32)
  writeFileAtomic(path, key, 0o600)
  return key
}

/** Of the packages of Debian and Fedora, of Arch, or nobody's. */
const userOf = () =>
  userIfAny('pdns') ?? userIfAny('powerdns') ?? userIfAny('nobody') ?? { name: 'nobody', group: 'nogroup' }

/** UDP, as most questions come. */
const canBind = ({ address, port }: { address: string; port: number }): Promise<boolean> =>
  new Promise((answer) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    socket.once('error', () => answer(false))
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => answer(true)))
  })
