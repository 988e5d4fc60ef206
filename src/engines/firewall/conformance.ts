// What every firewall must do (engine.ts). The fake runs it always, the real one where it can.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { FirewallEngine, FirewallGroup, FirewallModel, FirewallRule, Peer } from './engine.ts'
import { generationOf } from './engine.ts'
import { allows } from './fake.ts'
import { carriedOf } from './in-force.ts'

/** 1 to 4: instances; 5: a load balancer; `outside`. */
export type Host = number | 'outside'
export type Protocol = 'tcp' | 'udp'

export type Subject = {
  /** The engine now; another object after `restart`. */
  engine(): FirewallEngine
  /** The control plane dies and another one starts. */
  restart(): void
  /** Somebody takes the rules away. */
  lose(): Promise<void>
  /** Somebody takes the rules away but leaves what they stood in. */
  empty(): Promise<void>
  address(host: number): string
  /** Whether a new connection can be opened; `patient`: it should. All hosts serve tcp 80, 81 and 5432, and udp 53. */
  connects(from: Host, to: Host, protocol: Protocol, port: number, patient: boolean): Promise<boolean>
  /** Opens one that stays. */
  hold(from: Host, to: Host, port: number): Promise<{ carries(): Promise<boolean> }>
  close(): Promise<void>
}

export const interfaceId = (host: Host): string =>
  host === 'outside' ? host : `eni-${host.toString(16).padStart(17, '0')}`
export const groupId = (name: string): string =>
  `sg-${Buffer.from(name).toString('hex').padStart(17, '0').slice(-17)}`

let rules = 0
export const rule = (peer: Peer, protocol = '-1', from: number | null = null, to = from): FirewallRule => ({
  id: `sgr-${(++rules).toString(16).padStart(17, '0')}`,
  ...{ protocol, fromPort: from, toPort: to, peer },
})
export const EVERYBODY: Peer = { cidr4: '0.0.0.0/0' }
const allOut = rule(EVERYBODY)
export const group = (name: string, members: Host[], more: Partial<FirewallGroup> = {}): FirewallGroup => ({
  id: groupId(name),
  members: members.map(interfaceId),
  ingress: [],
  egress: [allOut],
  cutsOnRevoke: false,
  ...more,
})

const HOSTS: Host[] = [1, 2, 3, 4, 5, 'outside']
const PORTS: [Protocol, number][] = [
  ['tcp', 80],
  ['tcp', 81],
  ['tcp', 5432],
  ['udp', 53],
]

export function describeFirewall(name: string, open: () => Promise<Subject>): void {
  describe(`the ${name} firewall`, { timeout: 120_000 }, () => {
    let subject: Subject
    before(async () => (subject = await open()))
    after(() => subject?.close())

    const model = (...groups: FirewallGroup[]): FirewallModel => ({
      interfaces: [1, 2, 3, 4, 5].map((host) => ({ id: interfaceId(host), address: subject.address(host) })),
      groups,
    })
    // What is closed to everybody is of the place that the engine is in.
    const inForce = async () => ({ ...(await subject.engine().inForce()), closed: [] })
    const apply = async (...groups: FirewallGroup[]) => {
      const next = model(...groups)
      await subject.engine().apply(next)
      assert.deepEqual(await inForce(), carriedOf(next))
      return next
    }
    /** Every pair of hosts and every port, against what the model means. */
    const matches = async (wanted: FirewallModel) => {
      const cells = HOSTS.flatMap((from) =>
        HOSTS.filter((to) => to !== from && from !== 'outside' && !(from === 5 && to === 'outside')).flatMap(
          (to) =>
            PORTS.map(async ([protocol, port]) => {
              const ends = { from: interfaceId(from), to: interfaceId(to) }
              const expected = allows(wanted, { ...ends, protocol, port })
              const seen = await subject.connects(from, to, protocol, port, expected)
              return seen === expected
                ? []
                : [`${from} → ${to} ${protocol} ${port}: ${seen ? 'open' : 'closed'}`]
            }),
        ),
      )
      assert.deepEqual((await Promise.all(cells)).flat(), [])
      return cells.length
    }

    const balancer = () => group('lb', [5], { ingress: [rule(EVERYBODY, 'tcp', 80)] })
    const fromBalancer = rule({ group: groupId('lb') }, 'tcp', 80)
    const fromApp = rule({ group: groupId('app') }, 'tcp', 5432)
    const app = (members: Host[] = [1, 2], more = {}) =>
      group('app', members, { ingress: [fromBalancer], ...more })
    const db = (members: Host[] = [3], more = {}) => group('db', members, { ingress: [fromApp], ...more })
    let counted = 0

    it('lets nothing pass before it was told anything, and nothing for an interface without a group', async () => {
      assert.equal(await subject.engine().applied(), null)
      assert.equal(await subject.connects(1, 2, 'tcp', 80, false), false)
      assert.equal(await subject.connects(1, 'outside', 'tcp', 80, false), false)
      counted += await matches(await apply())
    })

    it('carries groups that name groups, and ports, and all that goes out', async () => {
      const wanted = await apply(balancer(), app(), db())
      assert.equal(await subject.engine().applied(), generationOf(wanted))
      counted += await matches(wanted)
    })

    it('follows a membership, a second group, and a group that is its own peer', async () => {
      counted += await matches(await apply(balancer(), app([1, 2, 4]), db()))
      counted += await matches(await apply(balancer(), app([1]), db([3, 2])))
      const self = group('self', [1, 2, 3], { ingress: [rule({ group: groupId('self') })] })
      counted += await matches(await apply(balancer(), app([1]), db([3, 2]), self))
      counted += await matches(await apply(balancer(), app([1, 2]), db([3])))
    })

    it('asks for a rule at the sender too', async () => {
      const quiet = { egress: [rule({ group: groupId('db') }, 'tcp', 5432), rule(EVERYBODY, 'udp', 53)] }
      counted += await matches(await apply(balancer(), app([1, 2], quiet), db()))
      counted += await matches(await apply(balancer(), app([1, 2], { egress: [] }), db()))
    })

    it('knows ranges of ports and of addresses, numbers of protocols, and IPv6 that lets nobody in', async () => {
      const { address } = subject
      const ingress = [
        rule({ cidr4: `${address(1)}/32` }, 'tcp', 80, 81),
        rule({ cidr4: address(1).replace(/\.\d+$/, '.0/24') }, '17', 53),
        rule({ cidr4: '10.0.0.0/8' }, '6', 5000, 6000),
        rule({ cidr6: '::/0' }),
      ]
      counted += await matches(await apply(group('any', [1, 2, 3, 4, 5], { ingress })))
    })

    it('keeps what is established when its rule goes, and refuses the next one', async () => {
      await apply(balancer(), app(), db())
      const held = await subject.hold(1, 3, 5432)
      assert.equal(await held.carries(), true)
      await apply(balancer(), app(), db([3], { ingress: [] }))
      assert.equal(await subject.connects(1, 3, 'tcp', 5432, false), false)
      assert.equal(await held.carries(), true)
    })

    it('cuts what is established where that is asked for, and nothing that is still allowed', async () => {
      const cut = { cutsOnRevoke: true }
      await apply(balancer(), app(), db([3], cut))
      const [held, other] = [await subject.hold(1, 3, 5432), await subject.hold(5, 1, 80)]
      assert.equal(await held.carries(), true)
      counted += await matches(await apply(balancer(), app([1]), db([3], cut)))
      assert.equal(await held.carries(), true)
      await apply(balancer(), app([1]), db([3], { ...cut, ingress: [] }))
      assert.deepEqual([await held.carries(), await other.carries()], [false, true])
      await apply(balancer(), app([1]), db([3], cut))
      const left = await subject.hold(1, 3, 5432)
      await apply(balancer(), app([2]), db([3], cut))
      assert.equal(await left.carries(), false)
    })

    it('is as it was for the next control plane, which may go on', async () => {
      const wanted = await apply(balancer(), app(), db())
      subject.restart()
      assert.equal(await subject.engine().applied(), generationOf(wanted))
      const held = await subject.hold(1, 3, 5432)
      counted += await matches(await apply(balancer(), app([1, 4]), db()))
      assert.equal(await held.carries(), true)
    })

    it('is whole again after somebody took the rules away, with the same model and with another', async () => {
      const wanted = await apply(balancer(), app(), db())
      for (const take of [subject.lose, subject.empty]) {
        await take()
        assert.equal(await subject.engine().applied(), null)
        assert.equal((await subject.engine().inForce()).generation, null)
        await subject.engine().apply(wanted)
        assert.deepEqual(await inForce(), carriedOf(wanted))
        assert.equal(await subject.engine().applied(), generationOf(wanted))
        assert.equal(await subject.connects(1, 3, 'tcp', 5432, true), true)
      }
      counted += await matches(wanted)
      await subject.lose()
      counted += await matches(await apply(balancer(), app([1]), db()))
    })

    it('refuses what it cannot carry, and stays as it was', async () => {
      const wanted = await apply(balancer(), app(), db())
      const bad: FirewallGroup[] = [
        group('x', [1], { id: 'sg-1; flush ruleset' }),
        group('x', [7]),
        group('x', [1, 1]),
        group('x', [1], { ingress: [rule(EVERYBODY, 'tcp', 70_000)] }),
        group('x', [1], { ingress: [rule(EVERYBODY, 'tcp', 90, 80)] }),
        group('x', [1], { ingress: [rule(EVERYBODY, 'tcp } accept {')] }),
        group('x', [1], { ingress: [rule({ cidr4: '0.0.0.0/33' })] }),
        group('x', [1], { ingress: [rule({ cidr4: '0.0.0.0/0 accept' })] }),
        group('x', [1], { ingress: [{ ...rule(EVERYBODY), id: 'sgr-1" accept' }] }),
      ]
      for (const one of bad)
        await assert.rejects(subject.engine().apply(model(one)), { name: 'EngineError' }, JSON.stringify(one))
      assert.equal(await subject.engine().applied(), generationOf(wanted))
      counted += await matches(wanted)
    })

    it('was right in every cell', (t) => {
      t.diagnostic(`${counted} cells`)
      assert.ok(counted >= 500)
    })
  })
}
