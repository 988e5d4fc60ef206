// The firewall alone, on a router of its own: how soon a rule and a membership are in force with many others there, and what
// packets and connections pay for it, against the same router without a table. Paired: contestants take turns.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EVERYBODY, group, groupId, interfaceId, rule } from '../src/engines/firewall/conformance.ts'
import type { FirewallModel } from '../src/engines/firewall/engine.ts'
import { makeTestNetwork, type TestNetwork } from '../src/engines/firewall/test-network.ts'
import { inTurns, median, ratioOf, wrk, type Figure } from './measure.ts'

const CHANGES = 15
const ROUNDS = 5
const MEMBERS = [10, 100, 1_000]
const GROUPS = [1, 100, 1_000]
const SECONDS = 2

export async function firewall(): Promise<Figure[]> {
  const net = await makeTestNetwork(2)
  const children: ChildProcess[] = []
  try {
    return [...(await changes(net)), ...(await passing(net, (child) => void children.push(child)))]
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await net.close()
  }
}

/** `members` interfaces in one group, host 1 in `app`, host 2 in `db`, which is open to `app` or not. */
function model(net: TestNetwork, { members = 0, groups = 0, open = true }): FirewallModel {
  const others = Array.from({ length: members }, (_unused, index) => index + 100)
  const address = (number: number) =>
    net.home.cidr.replace(/0\.0\/16$/, `${2 + (number >> 8)}.${number & 255}`)
  const fromApp = rule({ group: groupId('app') }, 'tcp', 80)
  return {
    interfaces: [
      ...net.hosts.map((host, index) => ({ id: interfaceId(index + 1), address: host.address })),
      ...others.map((number) => ({ id: interfaceId(number), address: address(number) })),
    ],
    groups: [
      group('app', [1, ...others]),
      group('db', [2], { ingress: open ? [fromApp] : [] }),
      ...Array.from({ length: groups }, (_unused, index) =>
        group(`g${index}`, [], {
          ingress: [rule({ group: groupId('app') }, 'tcp', 1_000 + index), rule(EVERYBODY, 'udp', 53)],
        }),
      ),
    ],
  }
}

async function changes(net: TestNetwork): Promise<Figure[]> {
  const engine = net.engine()
  const [client, server] = net.hosts
  await server!.ask({ what: 'serve', tcp: [80], udp: [] })
  const isOpen = async (timeoutMs: number) =>
    (await client!.ask({ what: 'probe', address: server!.address, port: 80, protocol: 'tcp', timeoutMs })) ===
    'open'
  const figures: Figure[] = []
  for (const members of MEMBERS) {
    await engine.apply(model(net, { members }))
    const took: Record<string, number[]> = { rule: [], member: [] }
    for (let change = 0; change < CHANGES; change++) {
      const open = change % 2 === 1
      const closing = model(net, { members, open })
      let startedAt = performance.now()
      await engine.apply(closing)
      took.rule!.push(performance.now() - startedAt)
      if ((await isOpen(open ? 2_000 : 60)) !== open)
        throw new Error('a rule is not in force after its apply')
      await engine.apply(model(net, { members }))
      const more = model(net, { members: members + 1 })
      startedAt = performance.now()
      await engine.apply(more)
      took.member!.push(performance.now() - startedAt)
      await engine.apply(model(net, { members }))
    }
    for (const [what, list] of Object.entries(took))
      figures.push({
        what: `firewall: a ${what} changes beside ${members} members`,
        value: `${median(list).toFixed(1)} ms`,
        against: `slowest of ${CHANGES}: ${Math.max(...list).toFixed(1)} ms`,
        ratio: '',
        budget: '≤ 50 ms',
        met: median(list) <= 50 ? 'yes' : 'no',
      })
  }
  return figures
}

/** HAProxy answers in host 2, wrk asks from host 1: on kept connections (packets), and on a new one each. */
async function passing(net: TestNetwork, keep: (child: ChildProcess) => void): Promise<Figure[]> {
  const folder = mkdtempSync('/tmp/pbbench-')
  const [client, server] = net.hosts
  try {
    const file = join(folder, 'haproxy.cfg')
    writeFileSync(file, SERVER)
    const child = spawn('nsenter', ['-t', String(server!.pid), '-n', 'haproxy', '-db', '-f', file], {
      stdio: 'ignore',
    })
    keep(child)
    await once(child, 'spawn')
    const closing = join(folder, 'close.lua')
    writeFileSync(closing, `wrk.headers["Connection"] = "close"\n`)
    const ask = (script?: string) => {
      const options = { seconds: SECONDS, connections: 32, ...(script ? { script } : {}) }
      return wrk(['nsenter', '-t', String(client!.pid), '-n'], `http://${server!.address}:8080/`, options)
    }
    const engine = net.engine()
    const with_ = (groups: number, script?: string) => async () => {
      const wanted = model(net, { groups })
      wanted.groups[1]!.ingress.push(rule({ group: groupId('app') }, 'tcp', 8_080))
      await engine.apply(wanted)
      return ask(script)
    }
    const figures: Figure[] = []
    for (const [what, script] of [
      ['requests on kept connections', undefined],
      ['new connections', closing],
    ] as const) {
      const values = await inTurns(ROUNDS, {
        none: async () => {
          await net.nft('flush', 'ruleset')
          return ask(script)
        },
        ...Object.fromEntries(GROUPS.map((groups) => [String(groups), with_(groups, script)])),
      })
      for (const groups of GROUPS) {
        const ratio = ratioOf(values[String(groups)]!, values.none!)
        figures.push({
          what: `firewall: ${what}, ${groups} groups`,
          value: `${median(values[String(groups)]!).toFixed(0)} /s`,
          against: `no table: ${median(values.none!).toFixed(0)} /s`,
          ratio: ratio.toFixed(3),
          budget: '',
          met: '',
        })
      }
    }
    return figures
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const SERVER = `
global
  nbthread 1
defaults
  mode http
  timeout client 10s
  timeout http-request 10s
frontend all
  bind 0.0.0.0:8080
  http-request return status 200 content-type text/plain string "hello\\n"
`
