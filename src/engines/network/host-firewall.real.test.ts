// Hosts whose firewall drops what is forwarded and what comes in: Docker's, ufw's, an owner's own in iptables and nft.
// A network namespace plays the host, so that the real host's firewall is left alone.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../kernel/clock.ts'
import type { Home } from '../../kernel/home.ts'
import { makeIds } from '../../kernel/ids.ts'
import { run, runOk } from '../../kernel/process.ts'
import { systemRandom } from '../../kernel/random.ts'
import { inNamespace } from './ip.ts'
import type { Play, Seen } from './nested-host.ts'

const isRoot = process.getuid?.() === 0
const lacking = (tool: string) =>
  !isRoot
    ? 'needs root'
    : tool === 'nft' || existsSync(`/usr/sbin/${tool}`)
      ? false
      : `needs ${tool} (package iptables)`
const iptables = (tool: string, ...lines: string[]) => lines.map((line) => [tool, ...line.split(' ')])
const nft = (rules: string) => [['nft', rules]]

const INPUT = 'INPUT -i lo -j ACCEPT|INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT'.split('|')
const FIREWALLS: { name: string; tool: string; commands: string[][]; accepts: RegExp }[] = [
  {
    name: 'Docker: FORWARD drops by policy, with a chain for others',
    tool: 'iptables-nft',
    commands: iptables(
      'iptables-nft',
      '-P FORWARD DROP',
      '-N DOCKER-USER',
      '-A DOCKER-USER -j RETURN',
      '-A FORWARD -j DOCKER-USER',
    ),
    accepts: /-A DOCKER-USER -i pole/,
  },
  ...['iptables-nft', 'iptables-legacy'].flatMap((tool) => [
    {
      name: `ufw with ${tool}: FORWARD and INPUT drop by policy`,
      tool,
      commands: iptables(
        tool,
        ...INPUT.map((rule) => `-A ${rule}`),
        '-P INPUT DROP',
        '-P FORWARD DROP',
        '-N ufw-before-forward',
        '-A FORWARD -j ufw-before-forward',
      ),
      accepts: /-A FORWARD -i pole/,
    },
    {
      name: `${tool}: FORWARD and INPUT end in a REJECT`,
      tool,
      commands: iptables(
        tool,
        ...INPUT.map((rule) => `-A ${rule}`),
        '-A INPUT -j REJECT --reject-with icmp-host-prohibited',
        '-A FORWARD -j REJECT --reject-with icmp-host-prohibited',
      ),
      accepts: /-A FORWARD -i pole/,
    },
  ]),
  ...['ip filter', 'inet filter'].map((table) => ({
    name: `nft ${table}: forward and input drop by policy`,
    tool: 'nft',
    commands: nft(`table ${table} {
      chain input { type filter hook input priority filter; policy drop; iif lo accept; ct state established accept; }
      chain forward { type filter hook forward priority filter; policy drop; }
    }`),
    accepts: /^iifname "pole\w{6}" accept/m,
  })),
  {
    name: "firewalld's table: forward rejects at filter + 10, in a chain that it leads to",
    tool: 'nft',
    commands: nft(`table inet firewalld {
      chain filter_FORWARD_POLICIES { reject with icmpx admin-prohibited; }
      chain filter_FORWARD {
        type filter hook forward priority filter + 10; policy accept
        ct state established,related accept
        jump filter_FORWARD_POLICIES
      }
      chain filter_INPUT {
        type filter hook input priority filter + 10; policy accept
        iif lo accept; ct state established,related accept; reject with icmpx admin-prohibited
      }
    }`),
    accepts: /^iifname "pole\w{6}" accept/m,
  },
]

describe("a host's firewall", () => {
  for (const { name, tool, commands, accepts } of FIREWALLS)
    it(
      `lets instances out and names in, and is as it was at the end: ${name}`,
      { skip: lacking(tool) },
      async () => {
        const seen = await play(async (host) => {
          for (const [program = '', ...args] of commands)
            await runOk(inNamespace(host, program === 'nft' ? ['nft', '-f', '-'] : [program, ...args]), {
              ...(program === 'nft' ? { stdin: args.join(' ') } : {}),
            })
        })
        assert.equal(seen.reached, true)
        assert.equal(seen.resolved, '0 192.0.2.99')
        assert.deepEqual(seen.problems, [])
        assert.match(seen.accepts.join('\n'), accepts)
        assert.deepEqual(
          [seen.before, seen.during, seen.after],
          [
            ['0', '0'],
            ['0', '1'],
            ['0', '0'],
          ],
        )
        assert.equal(seen.repaired, true)
        assert.deepEqual(seen.left, [])
      },
    )

  it('is needed by nobody, and neither is IPv6', { skip: isRoot ? false : 'needs root' }, async () => {
    const seen = await play(async () => undefined, { withoutIpv6: true })
    assert.deepEqual([seen.reached, seen.resolved, seen.accepts], [true, '0 192.0.2.99', []])
    assert.equal(seen.reloaded, false, 'without our own table nothing is masqueraded')
    assert.equal(seen.repaired, true)
    assert.deepEqual(seen.left, [])
  })

  it(
    'or not: a route of the host that is equal to the range stays, and is named',
    { skip: isRoot ? false : 'needs root' },
    async () => {
      const refused = play((host) => runOk(['ip', '-n', host, 'route', 'add', CIDR, 'dev', 'wan0']))
      await assert.rejects(refused, {
        message: /route 10\.250\.0\.0\/16 dev wan0 overlaps .* ip route del 10\.250\.0\.0\/16 dev wan0/,
      })
    },
  )
})

const CIDR = '10.250.0.0/16'

/** Makes a host with an outside, has a home live there, and takes all of it away. */
async function play(prepare: (host: string) => Promise<unknown>, more: Partial<Play> = {}): Promise<Seen> {
  const id = makeIds(systemRandom).lower('', 6)
  const [host, outside] = [`pbt-${id}-h`, `pbt-${id}-o`]
  const dir = mkdtempSync('/tmp/pbt-')
  chmodSync(dir, 0o755) // dnsmasq reads a file in it, as another user
  const children: ReturnType<typeof spawn>[] = []
  const start = (...argv: string[]) => {
    const [file = '', ...args] = argv
    const child = spawn(file, args, { stdio: 'ignore', cwd: dir })
    children.push(child)
    return child
  }
  try {
    for (const name of [host, outside]) await runOk(['ip', 'netns', 'add', name])
    const link = ['wan0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', outside]
    await runOk(['ip', '-n', host, 'link', 'add', ...link])
    for (const [name, dev, address] of [
      [host, 'wan0', '198.18.9.1'],
      [outside, 'eth0', '198.18.9.2'],
    ] as const) {
      await runOk(['ip', '-n', name, 'link', 'set', 'lo', 'up'])
      await runOk(['ip', '-n', name, 'addr', 'add', `${address}/24`, 'dev', dev])
      await runOk(['ip', '-n', name, 'link', 'set', dev, 'up'])
    }
    await runOk(inNamespace(host, ['tee', '/proc/sys/net/ipv4/ip_forward']), { stdin: '0' })
    await prepare(host)
    start(...inNamespace(outside, ['/usr/bin/python3', '-m', 'http.server', '80']))
    const member = start('unshare', '--net', 'sleep', '300')
    // The child has the parent's namespace for a moment.
    while (readlinkSync(`/proc/${member.pid}/ns/net`) === readlinkSync('/proc/self/ns/net'))
      await systemClock.sleep(5)
    const ports = { api: 0, http: 0, environments: 0, dns: 0 }
    const home: Home = { id, dir, runDir: `/run/polebean/${id}`, idBase: 0, cidr: CIDR, ports }
    const order: Play = { home, memberPid: member.pid!, outside: '198.18.9.2', withoutIpv6: false, ...more }
    const child = fileURLToPath(new URL('./nested-host.ts', import.meta.url))
    const argv = [process.execPath, '--disable-warning=ExperimentalWarning', child, JSON.stringify(order)]
    const said = await run(inNamespace(host, ['unshare', '--mount', '--propagation', 'private', ...argv]), {
      timeoutMs: 60_000,
    })
    if (said.exit !== 0) throw new Error(said.stderr.toString())
    return JSON.parse(said.stdout.toString()) as Seen
  } finally {
    for (const child of children) child.kill('SIGKILL')
    for (const name of [host, outside]) await run(['ip', 'netns', 'del', name])
    rmSync(dir, { recursive: true, force: true })
    assert.equal((await runOk(['ip', 'netns'])).includes(id), false)
  }
}
