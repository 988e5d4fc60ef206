// The name servers of a home: PowerDNS on the host, once for everybody and once for private zones, and the resolver of instances that
// asks them.
import { createSocket } from 'node:dgram'
import { existsSync, rmSync } from 'node:fs'
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
import { makeGivenDns } from './given-dns.ts'
import { bindText, type PowerdnsSettings } from './powerdns-config.ts'
import { makePowerdns } from './powerdns.ts'

export const DNS_DAEMON = 'dns'
export const PRIVATE_DNS_DAEMON = 'private-dns'
/** For the resolver of instances, while the zones are given to secondaries. */
export const INSIDE_DNS_DAEMON = 'inside-dns'
/** Of a name server (RFC 1035 §4.2). */
const SECONDARY_PORT = 53
const LOOPBACK = '127.0.0.1'

type Options = {
  clock: Clock
  log: Log
  home: Pick<Home, 'runDir' | 'ports'>
  supervisor: Supervisor
  network: Pick<ResolverNetwork, 'relay'> & { asker: string }
  /** Of the resolver; see ResolverHome. */
  zonesFile: string
  /** Where it answers besides loopback and the resolver, and to whom the zones are given. */
  listens(): { addresses: readonly string[]; port: number; secondaries: readonly string[] }
}

export type HomeDns = DnsEngine & { ensure(): Promise<void> }

/** Private zones have a server of their own, which runs while there are some: PowerDNS has no views, and a zone may be both. */
export function makeHomeDns(options: Options): { public: HomeDns; private: HomeDns } {
  const { log, supervisor, network, zonesFile } = options
  const led: { [kind in 'public' | 'private']?: Set<string> } = {}

  /** What instances were told before of a name is forgotten with each change. */
  const lead = () =>
    leadZones(supervisor, network, zonesFile, led).catch((error: unknown) => {
      // The servers answer; a resolver that is on its way reads the file.
      log.warn('the resolver of instances was not told of zones', { error })
    })

  /** The resolver asks `dns` for what it is put. */
  function followed(kind: 'public' | 'private', dns: HomeDns): HomeDns {
    return {
      async ensure() {
        await dns.ensure()
        if (led[kind] && led[kind].size > 0 && !readFileIfAny(zonesFile)) await lead()
      },
      query: dns.query,
      async put(zone) {
        await dns.put(zone)
        led[kind]?.add(zone.name)
      },
      async remove(name) {
        await dns.remove(name)
        led[kind]?.delete(name)
      },
      async settle() {
        led[kind] ??= new Set((await dns.zones()).map(({ name }) => name))
        await lead()
      },
      async zones() {
        const all = await dns.zones()
        const names = new Set(all.map(({ name }) => name))
        const isNews = !led[kind] || names.symmetricDifference(led[kind]).size > 0
        led[kind] = names
        if (isNews) await lead()
        return all
      },
    }
  }
  return {
    public: followed('public', makePublicDns(options)),
    private: followed('private', makePrivateDns(options)),
  }
}

/** As HAProxy's: short enough for a socket's path wherever the home is, and made anew from rows after a reboot. */
const dirOf = ({ home }: Options, daemon: string) => join(home.runDir, daemon)

const settingsOf = (
  options: Options,
  daemon: string,
  apiPort: number,
): Omit<PowerdnsSettings, 'listens'> => ({
  secondaries: [],
  ...{ dir: dirOf(options, daemon), user: userOf(), inside: [`${options.network.asker}/32`] },
  api: {
    port: apiPort,
    get key() {
      return apiKeyIn(join(options.home.runDir, 'dns-api-key'))
    },
  },
})

function makePublicDns(options: Options): HomeDns {
  const { clock, home, supervisor, network, listens } = options
  const { addresses, port, secondaries } = listens()
  const relay = { address: network.relay.address, port: network.relay.namesPort }
  const inside = makePowerdns({
    ...{ clock, supervisor, name: INSIDE_DNS_DAEMON },
    settings: { ...settingsOf(options, INSIDE_DNS_DAEMON, home.ports.dns + 3), listens: [relay] },
  })
  const open = { address: LOOPBACK, port: home.ports.dns }
  const further = addresses.map((address) => ({ address, port }))
  if (secondaries.length > 0) {
    const given = secondaries.map((address) => ({ address, port: SECONDARY_PORT }))
    return makeGivenDns({ outside: makeOpenDns(options, [open], further, given), inside })
  }
  const dns = makeOpenDns(options, [open, relay], further, [])
  return {
    ...dns,
    async ensure() {
      const dir = dirOf(options, INSIDE_DNS_DAEMON)
      if (existsSync(dir)) {
        await supervisor.remove(INSIDE_DNS_DAEMON)
        rmSync(dir, { recursive: true, force: true })
      }
      await dns.ensure()
    },
  }
}

type Places = PowerdnsSettings['listens']

function makeOpenDns(options: Options, fixed: Places, further: Places, secondaries: Places): HomeDns {
  const { clock, home, supervisor } = options
  const settings = {
    ...settingsOf(options, DNS_DAEMON, home.ports.dns + 1),
    ...{ listens: [...fixed, ...further], secondaries },
  }
  const dns = makePowerdns({ clock, supervisor, name: DNS_DAEMON, settings })

  /** Those that somebody else has are left out: one that cannot be had would keep it from all others. */
  async function leftOut() {
    if (further.length === 0) return []
    const isRunning = (await supervisor.list()).some(({ name, running }) => name === DNS_DAEMON && running)
    const now = isRunning ? (readFileIfAny(join(settings.dir, 'pdns.conf')) ?? '') : ''
    const found = await Promise.all(
      further.map(async (one) => (now.includes(bindText(one)) || (await canBind(one)) ? [] : [one])),
    )
    return found.flat()
  }

  return {
    ...dns,
    async ensure() {
      const taken = await leftOut()
      settings.listens = [...fixed, ...further.filter((one) => !taken.includes(one))]
      await dns.ensure()
      if (taken.length > 0)
        throw new EngineError(
          `the name server does not answer at ${taken.map(bindText).join(', ')}: another program has it, or it is no address of this machine`,
        )
    },
  }
}

/** It answers the resolver of instances alone: at the host's end of the uplink, which nobody else reaches. */
function makePrivateDns(options: Options): HomeDns {
  const { clock, home, supervisor, network } = options
  const settings = {
    ...settingsOf(options, PRIVATE_DNS_DAEMON, home.ports.dns + 2),
    listens: [{ address: network.relay.address, port: network.relay.privateNamesPort }],
  }
  const dns = makePowerdns({ clock, supervisor, name: PRIVATE_DNS_DAEMON, settings })
  const isMade = () => existsSync(settings.dir)
  // It comes and goes: who makes sure of it must not find it half gone.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(what: () => Promise<T>): Promise<T> => {
    const next = last.then(what)
    // Its caller is told; who comes next begins all the same.
    last = next.catch(() => undefined)
    return next
  }
  return {
    ensure: () => inTurn(async () => (isMade() ? dns.ensure() : undefined)),
    put: (zone) =>
      inTurn(async () => {
        if (!isMade()) await dns.ensure()
        await dns.put(zone)
      }),
    remove: (name) =>
      inTurn(async () => {
        if (!isMade()) return
        await dns.remove(name)
        if ((await dns.zones()).length > 0) return
        await supervisor.remove(PRIVATE_DNS_DAEMON)
        rmSync(settings.dir, { recursive: true, force: true })
      }),
    zones: () => inTurn(async () => (isMade() ? dns.zones() : [])),
    settle: dns.settle,
    async query(name, type) {
      return isMade() ? dns.query(name, type) : { rcode: 'REFUSED', answers: [], authority: [] }
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
