// What the host must let through for the uplink, done as little as possible and written down so that it can be undone:
// forwarding per interface (never the global switch), and an accept where a firewall's FORWARD policy is drop.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readFileIfAny, writeFileAtomic } from '../../kernel/files.ts'
import type { Home } from '../../kernel/home.ts'
import { run, runOk } from '../../kernel/process.ts'
import { ipJson } from './ip.ts'
import { UPLINK_PREFIX, type RouterNames } from './names.ts'

/** Everything that we changed on the host outside of our own table and link. */
type Ledger = { forwarding: string[]; accepts: { tool: string; chain: string }[]; firewalld: boolean }

const IPV4 = '/proc/sys/net/ipv4'

/**
 * Makes the host forward between the uplink and the interfaces that have routes. Answers those whose forwarding is on
 * only because of us. Both directions are needed: the kernel asks the interface on which a packet comes in.
 */
export async function ensureForwarding(home: Home, names: RouterNames): Promise<string[]> {
  const ledger = readLedger(home)
  setForwarding(names.uplink, '1')
  if (readFileSync(`${IPV4}/ip_forward`, 'utf8').trim() === '1') return []
  const routes = await ipJson<{ dev?: string }>(null, ['-4', 'route', 'show'])
  const outside = [...new Set(routes.flatMap((route) => route.dev ?? []))].filter(
    (name) => !name.startsWith(UPLINK_PREFIX) && existsSync(`${IPV4}/conf/${name}`),
  )
  for (const name of outside) {
    if (readFileSync(`${IPV4}/conf/${name}/forwarding`, 'utf8').trim() === '1') continue
    writeLedger(home, { ...ledger, forwarding: [...new Set([...ledger.forwarding, name])] })
    ledger.forwarding.push(name)
    setForwarding(name, '1')
  }
  return ledger.forwarding.filter((name) => existsSync(`${IPV4}/conf/${name}`))
}

/** Accepts the uplink where the host's firewall drops what is forwarded: Docker, ufw, firewalld. */
export async function ensureAccepted(home: Home, names: RouterNames): Promise<void> {
  for (const tool of await iptablesInUse()) {
    const chains = (await run([tool, '-w', '-S'])).stdout.toString()
    const docker = /^-N DOCKER-USER$/m.test(chains)
    if (!docker && !/^-P FORWARD DROP$/m.test(chains)) continue
    const chain = docker ? 'DOCKER-USER' : 'FORWARD'
    for (const rule of acceptRules(names)) {
      if ((await run([tool, '-w', '-C', chain, ...rule])).exit === 0) continue
      const ledger = readLedger(home)
      if (!ledger.accepts.some((accept) => accept.tool === tool && accept.chain === chain))
        writeLedger(home, { ...ledger, accepts: [...ledger.accepts, { tool, chain }] })
      await runOk([tool, '-w', '-I', chain, '1', ...rule])
    }
  }
  if (!(await hasFirewalld())) return
  if ((await run(['firewall-cmd', '--zone=trusted', `--query-interface=${names.uplink}`])).exit === 0) return
  writeLedger(home, { ...readLedger(home), firewalld: true })
  // Our own table drops what comes up the uplink for the host, so `trusted` opens forwarding and nothing else.
  await runOk(['firewall-cmd', '--zone=trusted', `--change-interface=${names.uplink}`])
}

/** Undoes what the ledger names, and the ledger. */
export async function undoHostChanges(home: Home, names: RouterNames): Promise<void> {
  const ledger = readLedger(home)
  for (const { tool, chain } of ledger.accepts)
    for (const rule of acceptRules(names)) await run([tool, '-w', '-D', chain, ...rule])
  if (ledger.firewalld) await run(['firewall-cmd', '--zone=trusted', `--remove-interface=${names.uplink}`])
  if (readFileSync(`${IPV4}/ip_forward`, 'utf8').trim() === '0')
    for (const name of ledger.forwarding) if (existsSync(`${IPV4}/conf/${name}`)) setForwarding(name, '0')
  rmSync(ledgerPath(home), { force: true })
}

/** A firewall that we do not know how to open: a base chain on forward that drops by policy, and who owns it. */
export async function foreignForwardDrops(): Promise<string[]> {
  const listed = await run(['nft', '-j', 'list', 'chains'])
  if (listed.exit !== 0) return []
  const { nftables } = JSON.parse(listed.stdout.toString()) as {
    nftables: { chain?: { family: string; table: string; name: string; hook?: string; policy?: string } }[]
  }
  return nftables.flatMap(({ chain }) => {
    if (!chain || chain.hook !== 'forward' || chain.policy !== 'drop') return []
    const iptables = chain.family === 'ip' && chain.table === 'filter'
    return iptables || chain.family === 'ip6' || chain.table === 'firewalld'
      ? []
      : [`${chain.family} ${chain.table} ${chain.name}`]
  })
}

const acceptRules = (names: RouterNames): string[][] => {
  const comment = ['-m', 'comment', '--comment', `polebean ${names.router}`, '-j', 'ACCEPT']
  return [
    ['-i', names.uplink, ...comment],
    ['-o', names.uplink, '-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED', ...comment],
  ]
}

// Asking a variant that is not in use would load its modules, so the kernel is asked first.
async function iptablesInUse(): Promise<string[]> {
  const tools: string[] = []
  const legacy = readFileIfAny('/proc/net/ip_tables_names') ?? ''
  if (legacy.split('\n').includes('filter')) tools.push('iptables-legacy')
  const tables = await run(['nft', 'list', 'tables', 'ip'])
  if (/^table ip filter$/m.test(tables.stdout.toString())) tools.push('iptables-nft')
  return tools.filter((tool) => existsSync(`/usr/sbin/${tool}`) || existsSync(`/sbin/${tool}`))
}

async function hasFirewalld(): Promise<boolean> {
  if (!existsSync('/usr/bin/firewall-cmd')) return false
  return (await run(['firewall-cmd', '--state'])).exit === 0
}

const setForwarding = (name: string, value: '0' | '1') =>
  writeFileSync(`${IPV4}/conf/${name}/forwarding`, value)

const ledgerPath = (home: Home) => join(home.dir, 'network', 'host-changes.json')

function readLedger(home: Home): Ledger {
  const text = readFileIfAny(ledgerPath(home))
  return text ? (JSON.parse(text) as Ledger) : { forwarding: [], accepts: [], firewalld: false }
}

const writeLedger = (home: Home, ledger: Ledger) =>
  writeFileAtomic(ledgerPath(home), JSON.stringify(ledger, null, 2) + '\n', 0o600)
