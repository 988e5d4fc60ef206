// Runs inside the network namespace that host-firewall.real.test.ts made to be a host, in a mount namespace of its own:
// makes a router there, attaches one member and prints what works. Argument: what to play, as JSON.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { systemClock as clock } from '../../kernel/clock.ts'
import type { Home } from '../../kernel/home.ts'
import { run, runOk } from '../../kernel/process.ts'
import { ensureResolver } from '../resolver/dnsmasq.ts'
import { makeRunit } from '../supervisor/runit.ts'
import { makeNftables } from '../firewall/nftables.ts'
import { usualModel } from '../firewall/test-model.ts'
import { makeRouter } from './router.ts'

export type Play = {
  home: Home
  /** The process whose network namespace becomes the member's. */
  memberPid: number
  /** An address outside that serves HTTP. */
  outside: string
  /** The host's kernel was started without IPv6. */
  withoutIpv6: boolean
}

export type Seen = {
  before: string[]
  during: string[]
  after: string[]
  reached: boolean
  /** The same after the owner has loaded his rules again, and after our next look. */
  reloaded: boolean
  repaired: boolean
  /** What a name resolves to inside, where the host's only resolver listens on 127.0.0.1. */
  resolved: string
  problems: string[]
  /** Lines of firewalls with our name, while we are there and after. */
  accepts: string[]
  left: string[]
}

const { home, memberPid, outside, withoutIpv6 } = JSON.parse(process.argv[2] ?? '') as Play
if (withoutIpv6) await runOk(['mount', '-t', 'tmpfs', 'tmpfs', '/proc/sys/net/ipv6'])
const resolvFile = `${home.dir}/resolv.conf`
writeFileSync(resolvFile, 'nameserver 127.0.0.1\n')
await runOk(['mount', '--bind', resolvFile, '/etc/resolv.conf'])
const dns = fileURLToPath(new URL('../resolver/test-dns.ts', import.meta.url))
const upstream = spawn(process.execPath, [dns, 'serve', '127.0.0.1'], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
await once(upstream.stdout, 'data')

const router = makeRouter(home)
const supervisor = makeRunit({ clock, home }, ['resolver', 'resolver-relay'])
const member = { id: 'i-00000000000000001', address: home.cidr.replace('0.0/16', '1.1') }
const asMember = (...argv: string[]) => run(['nsenter', '-t', String(memberPid), '-n', ...argv])
const reachesOutside = async () => (await asMember('curl', '-s', '-m', '2', `http://${outside}/`)).exit === 0
const rulesWith = async (text: string) => {
  const all = await Promise.all(
    [
      ['nft', 'list', 'ruleset'],
      ['iptables-legacy', '-S'],
      ['iptables-nft', '-S'],
    ].map((argv) => run(argv).catch(() => null)),
  )
  return all
    .flatMap((result) => result?.stdout.toString().split('\n') ?? [])
    .map((line) => line.trim())
    .filter((line) => line.includes(text))
}
const forwarding = () =>
  ['ip_forward', 'conf/wan0/forwarding'].map((name) =>
    readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8').trim(),
  )
const resolve = async () => {
  for (let tries = 0; tries < 5; tries++) {
    const said = (await asMember(process.execPath, dns, 'ask', router.resolverAddress)).stdout
      .toString()
      .trim()
    if (said.startsWith('0 ')) return said
  }
  return 'nothing'
}

const seen: Partial<Seen> = { before: forwarding() }
try {
  await router.ensure()
  await ensureResolver(supervisor, router, { region: 'us-west-2', zonesFile: `${home.dir}/zones.conf` })
  await router.attach(member, memberPid)
  await makeNftables({ clock, network: router }).apply(usualModel([member.address], []))
  seen.reached = await reachesOutside()
  seen.resolved = await resolve()
  seen.during = forwarding()
  seen.problems = await router.problems()
  seen.accepts = await rulesWith(`polebean ${router.names.router}`)
  await runOk(['nft', 'flush', 'ruleset'])
  seen.reloaded = await reachesOutside()
  await router.ensure()
  seen.repaired = await reachesOutside()
} finally {
  await supervisor.shutdown()
  await router.remove()
  upstream.kill()
}
seen.after = forwarding()
seen.left = [
  ...(await rulesWith(home.id)),
  ...(await runOk(['ip', '-o', 'link'])).split('\n').filter((line) => line.includes(router.names.uplink)),
]
console.log(JSON.stringify(seen))
