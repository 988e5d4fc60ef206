// What the host must let through for the uplink, done as little as possible and written down so that it can be undone:
// forwarding per interface (never the global switch), and an accept where a firewall's FORWARD policy is drop.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readFileIfAny, writeFileAtomic } from '../../kernel/files.ts'
import type { Home } from '../../kernel/home.ts'
import { run, runOk } from '../../kernel/process.ts'
import {
  blockingChains,
  type Chain,
  closeChain,
  commandFor,
  type Hook,
  openChain,
  readRuleset,
  unopened,
} from './foreign-chains.ts'
import { ipJson } from './ip.ts'
import { rangeOf, RELAY_PORTS, UPLINK_PREFIX, type RouterNames } from './names.ts'

/** Everything that we changed on the host outside of our own table and link. */
type Ledger = {
  forwarding: string[]
  accepts: { tool: string; chain: string }[]
  chains: Chain[]
  firewalld: boolean
}

type Opening = { home: Home; names: RouterNames }

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

/** Which interfaces forward now: another home that ends may have turned off what both of us need. */
export const forwardingOf = (): string[] =>
  readdirSync(`${IPV4}/conf`).map(
    (name) => `${name} ${(readFileIfAny(`${IPV4}/conf/${name}/forwarding`) ?? '').trim()}`,
  )

/** Accepts the uplink where the host's firewall drops what is forwarded: Docker, ufw, firewalld, rules of the owner's own. */
export async function ensureAccepted({ home, names }: Opening): Promise<void> {
  for (const [tool, rules] of await iptablesInUse()) {
    for (const { chain, opens, ofHook } of iptablesRules(home, names)) {
      const into = ofHook === 'FORWARD' && /^-N DOCKER-USER$/m.test(rules) ? 'DOCKER-USER' : chain
      if (into === chain && !mayDrop(rules, chain)) continue
      if ((await run([tool, '-w', '-C', into, ...opens])).exit === 0) continue
      const ledger = readLedger(home)
      if (!ledger.accepts.some((accept) => accept.tool === tool && accept.chain === into))
        writeLedger(home, { ...ledger, accepts: [...ledger.accepts, { tool, chain: into }] })
      await runOk([tool, '-w', '-I', into, '1', ...opens])
    }
  }
  for (const chain of await closedChains({ home, names })) {
    const ledger = readLedger(home)
    if (!ledger.chains.some((one) => JSON.stringify(one) === JSON.stringify(chain)))
      writeLedger(home, { ...ledger, chains: [...ledger.chains, chain] })
    await openChain(chain, nftRules(home, names, chain.hook), commentOf(names))
  }
  if (!(await hasFirewalld())) return
  if ((await run(['firewall-cmd', '--zone=trusted', `--query-interface=${names.uplink}`])).exit === 0) return
  writeLedger(home, { ...readLedger(home), firewalld: true })
  // Our own table drops what comes up the uplink for the host, so `trusted` opens forwarding and nothing else.
  await runOk(['firewall-cmd', '--zone=trusted', `--change-interface=${names.uplink}`])
}

/** Sentences about chains that we could not open, each with the command that does. */
export async function closedChainProblems(opening: Opening): Promise<string[]> {
  const { home, names } = opening
  return (await closedChains(opening)).map(
    (chain) =>
      `The host's firewall (nft chain ${chain.family} ${chain.table} ${chain.name}) drops packets of instances, so they ` +
      `cannot ${chain.hook === 'input' ? 'resolve names' : 'reach the outside'}. ` +
      `Run: ${commandFor(chain, nftRules(home, names, chain.hook))}`,
  )
}

async function closedChains({ names }: Opening): Promise<Chain[]> {
  const ruleset = await readRuleset()
  const tools = await iptablesInUse()
  const firewalld = await hasFirewalld()
  const foreign = blockingChains(ruleset).filter(
    ({ family, table, name }) =>
      !(family === 'ip' && table === 'filter' && tools.has('iptables-nft') && /^[A-Z]+$/.test(name)) &&
      !(table === 'firewalld' && firewalld),
  )
  return unopened(foreign, ruleset, commentOf(names))
}

/** Undoes what the ledger names, and the ledger. */
export async function undoHostChanges(home: Home, names: RouterNames): Promise<void> {
  const ledger = readLedger(home)
  for (const { tool, chain } of ledger.accepts)
    for (const { opens } of iptablesRules(home, names)) await run([tool, '-w', '-D', chain, ...opens])
  for (const chain of ledger.chains) await closeChain(chain, commentOf(names))
  if (ledger.firewalld) await run(['firewall-cmd', '--zone=trusted', `--remove-interface=${names.uplink}`])
  if (readFileSync(`${IPV4}/ip_forward`, 'utf8').trim() === '0')
    for (const name of ledger.forwarding) if (existsSync(`${IPV4}/conf/${name}`)) setForwarding(name, '0')
  rmSync(ledgerPath(home), { force: true })
}

const commentOf = (names: RouterNames) => `polebean ${names.router}`

/** Whether the chain may drop something: by policy, or by a rule that is neither ours nor another home's, which accept (or where that
 *  leads). Homes that took each other's for an owner's would open chains that nobody closes. */
const mayDrop = (rules: string, chain: string): boolean =>
  new RegExp(`^-P ${chain} DROP$`, 'm').test(rules) ||
  rules.split('\n').some((line) => line.startsWith(`-A ${chain} `) && !OF_A_HOME.test(line))
const OF_A_HOME = /--comment "polebean pb-[^"]*" -j ACCEPT$/

function iptablesRules(home: Home, names: RouterNames) {
  const accept = ['-m', 'comment', '--comment', commentOf(names), '-j', 'ACCEPT']
  const { uplinkRouter, uplinkHost } = rangeOf(home.cidr)
  const states = ['-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED']
  const forward = { chain: 'FORWARD', ofHook: 'FORWARD' }
  return [
    { ...forward, opens: ['-i', names.uplink, ...accept] },
    { ...forward, opens: ['-o', names.uplink, ...states, ...accept] },
    ...['udp', 'tcp'].map((protocol) => ({
      chain: 'INPUT',
      ofHook: 'INPUT',
      opens: [
        ...['-s', `${uplinkRouter}/32`, '-d', `${uplinkHost}/32`, '-i', names.uplink],
        ...['-p', protocol, '-m', protocol, '--dport', RELAY_PORTS.join(':'), ...accept],
      ],
    })),
  ]
}

function nftRules(home: Home, names: RouterNames, hook: Hook): string[][] {
  const { uplinkRouter, uplinkHost } = rangeOf(home.cidr)
  const asking = ['iifname', names.uplink, 'ip', 'saddr', uplinkRouter, 'ip', 'daddr', uplinkHost]
  return hook === 'forward'
    ? [
        ['iifname', names.uplink],
        ['oifname', names.uplink, 'ct', 'state', 'established,related'],
      ]
    : ['udp', 'tcp'].map((protocol) => [...asking, protocol, 'dport', RELAY_PORTS.join('-')])
}

// Tool → its rules. Asking a variant that is not in use would load its modules, so the kernel is asked first.
async function iptablesInUse(): Promise<Map<string, string>> {
  const tools: string[] = []
  const legacy = readFileIfAny('/proc/net/ip_tables_names') ?? ''
  if (legacy.split('\n').includes('filter')) tools.push('iptables-legacy')
  const tables = await run(['nft', 'list', 'tables', 'ip'])
  if (/^table ip filter$/m.test(tables.stdout.toString())) tools.push('iptables-nft')
  const rules = new Map<string, string>()
  for (const tool of tools.filter((one) => existsSync(`/usr/sbin/${one}`) || existsSync(`/sbin/${one}`))) {
    const { exit, stdout } = await run([tool, '-w', '-S'])
    if (exit === 0) rules.set(tool, stdout.toString()) // it refuses a table of that name that was written for nft
  }
  return rules
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
  const none: Ledger = { forwarding: [], accepts: [], chains: [], firewalld: false }
  return text ? { ...none, ...(JSON.parse(text) as Partial<Ledger>) } : none
}

const writeLedger = (home: Home, ledger: Ledger) =>
  writeFileAtomic(ledgerPath(home), JSON.stringify(ledger, null, 2) + '\n', 0o600)
