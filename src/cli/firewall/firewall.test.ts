import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EVERYBODY, group, groupId, interfaceId, rule } from '../../engines/firewall/conformance.ts'
import type { FirewallGroup, FirewallRule } from '../../engines/firewall/engine.ts'
import { carriedOf } from '../../engines/firewall/in-force.ts'
import type { FirewallReport } from '../../services/ec2/firewall-report.ts'
import { answersOf } from './answer.ts'
import { endOf } from './ends.ts'
import { sentencesOf } from './words.ts'

const id = (number: number) => `i-${number.toString(16).padStart(17, '0')}`
const named = (own: FirewallRule, name: string): FirewallRule => ({
  ...own,
  id: `sgr-${name.padStart(17, '0')}`,
})
const FROM_LB = named(rule({ group: groupId('lb') }, 'tcp', 80), 'a')
const FROM_APP = named(rule({ group: groupId('app') }, 'tcp', 5432), 'b')
const FROM_ALL = named(rule(EVERYBODY, 'tcp', 80), 'c')
const OUT = named(rule(EVERYBODY), 'd')

/** Load balancer 5 and instances 1, 2 of `shop`, a database 3 of nobody’s, and 4 in no group. */
function report(change: (groups: FirewallGroup[]) => FirewallGroup[] = (groups) => groups): FirewallReport {
  const egress = [OUT]
  const groups = change([
    group('lb', [5], { egress, ingress: [FROM_ALL] }),
    group('app', [1, 2], { egress, ingress: [FROM_LB] }),
    group('db', [3], { egress: [], ingress: [FROM_APP] }),
  ])
  const hosts = [1, 2, 3, 4, 5]
  const inForce = carriedOf({
    interfaces: hosts.map((host) => ({ id: interfaceId(host), address: `10.99.0.${host}` })),
    groups,
  })
  return {
    ...{
      generation: inForce.generation,
      differences: [],
      cidr: '10.99.0.0/16',
      closed: ['192.0.2.1/32', '192.0.2.8-192.0.2.9'],
    },
    groups: inForce.groups.map((one) => ({
      ...one,
      name: Buffer.from(one.id.slice(3).replace(/^0+/, ''), 'hex').toString(),
      description: '',
    })),
    descriptions: { [FROM_APP.id]: 'the shop’s database' },
    interfaces: hosts.map((host) => ({
      id: interfaceId(host),
      address: `10.99.0.${host}`,
      instanceId: host === 5 ? null : id(host),
      loadBalancer: host === 5 ? 'awseb-1' : null,
      elasticAddress: host === 3 ? '127.9.0.1' : null,
      environment: [1, 2, 5].includes(host) ? 'shop' : null,
    })),
    listeners: [
      {
        ...{ name: 'awseb-1', networkInterfaceId: interfaceId(5), environment: 'shop' },
        ...{ internetFacing: true, port: 80, loopbackPort: 18_000, wanted: [] },
        clients: ['0.0.0.0/0', '::/0', '::1/128'],
        kind: 'load balancer',
      },
      {
        ...{ name: '127.9.0.1', networkInterfaceId: interfaceId(3), environment: null },
        ...{ internetFacing: true, port: 80, loopbackPort: null, wanted: [] },
        clients: ['192.0.2.0/24'],
        kind: 'elastic address',
      },
    ],
  }
}

const ask = (
  from: string,
  to: string,
  port: number | null,
  own = report(),
  protocol: 'tcp' | 'udp' = 'tcp',
) => answersOf(own, endOf(own, from, 'from'), endOf(own, to, 'to'), { protocol, port })
const allowed = (...of: Parameters<typeof ask>) => ask(...of).map((one) => one.allowed)
const why = (...of: Parameters<typeof ask>) => [...new Set(ask(...of).map((one) => one.why))].join(' | ')

describe('who may reach whom, in words', () => {
  it('is a sentence for each kind that has the same groups', () => {
    assert.deepEqual(
      sentencesOf(report()).map(({ who, sentences }) => `${who}: ${sentences.join(' ')}`),
      [
        'The load balancer of shop: tcp 80 from everywhere (0.0.0.0/0, ::/0). Everything else is refused. It may open connections to everywhere in the VPC.',
        `Instances of shop (${id(1)}, ${id(2)}): tcp 80 from the load balancer of shop (lb). Everything else is refused. They may open connections to everywhere.`,
        `The instance ${id(3)}: tcp 80 at 127.9.0.1 from 192.0.2.0/24; tcp 5432 from instances of shop (app). Everything else is refused. It may open none.`,
        `The instance ${id(4)}: no group in force, so nothing reaches it, and it reaches nothing.`,
      ],
    )
    assert.equal(sentencesOf(report(), 'shop').length, 2)
  })

  it('says who is not let in at a public socket, and which group has nobody', () => {
    const own = report((groups) => [
      ...groups,
      group('old', [], { egress: [] }),
      group('more', [3], {
        egress: [rule({ cidr4: '192.0.2.7/32' }, 'udp', 53)],
        ingress: [rule({ group: groupId('old') })],
      }),
    ])
    own.listeners[0]!.clients = []
    const said = sentencesOf(own).map(({ sentences }) => sentences.join(' '))
    assert.match(said[0]!, /^tcp 80 from nobody outside\./)
    assert.match(said[2]!, /everything from nobody \(old has no members\)/)
    assert.match(said[2]!, /It may open connections: udp 53 to 192\.0\.2\.7\.$/)
  })
})

describe('whether one reaches another', () => {
  it('is yes with the rule of either end, and its description', () => {
    assert.deepEqual(allowed('shop', id(3), 5432), [true, true])
    assert.equal(
      why('shop', id(3), 5432),
      `in by ${FROM_APP.id} of db (tcp 5432 from instances of shop (app); “the shop’s database”); out by ${OUT.id} of app (everything to everywhere)`,
    )
  })

  it('is no with the side that lacks a rule', () => {
    assert.match(
      why(id(1), id(3), 22),
      new RegExp(`^no ingress rule of the groups of ${id(3)} .* \\(db\\) says so$`),
    )
    assert.match(why(id(3), id(1), 80), /^no egress rule of .*; and no ingress rule of /)
    assert.match(why(id(1), id(4), 22), /is in no group$/)
    assert.match(why(id(1), id(3), 5432, report(), 'udp'), /no ingress rule/)
  })

  it('is no where sender and receiver mean other ports', () => {
    const quiet = report((groups) => {
      groups[1]!.egress = [rule(EVERYBODY, 'tcp', 443)]
      return groups
    })
    assert.match(why(id(1), id(3), null, quiet), /not those that the receiver lets in$/)
    assert.match(why(id(1), id(3), 5432, quiet), /^no egress rule/)
  })

  it('goes through the load balancer from outside and from this machine, by the engine’s ranges', () => {
    const own = report()
    assert.match(
      why('outside', 'shop', 80),
      new RegExp(`^let in at its public socket by ${FROM_ALL.id} of lb`),
    )
    assert.deepEqual([allowed('host', 'shop', 80), allowed('2001:db8::1', 'shop', null)], [[true], [true]])
    assert.equal(why('outside', 'shop', 443), 'it listens on tcp 80 only')
    assert.deepEqual([allowed('host', 'shop', 18_000), allowed('outside', 'shop', 18_000)], [[true], [false]])
    assert.match(why('203.0.113.1', id(1), 80), /^from outside of the VPC nothing leads to an instance/)
    own.listeners[0]!.clients = ['192.0.2.0/24']
    assert.deepEqual(
      ['192.0.2.5', '203.0.113.1', 'outside'].map((from) => allowed(from, 'shop', 80, own)[0]),
      [true, false, false],
    )
    assert.equal(why('outside', 'shop', 80, own), 'its public socket lets in only 192.0.2.0/24')
    own.listeners[0]!.clients = ['::/0']
    assert.deepEqual([allowed('host', 'shop', 80, own), allowed('::1', 'shop', 80, own)], [[false], [true]])
    own.listeners[0]!.clients = ['::1/128']
    assert.match(sentencesOf(own)[0]!.sentences.join(' '), /^tcp 80 from ::1\/128\./)
  })

  it('is no for this machine’s own addresses, and for everybody when nothing is in force', () => {
    assert.deepEqual(
      ['host', '192.0.2.1', '192.0.2.9', '203.0.113.1', 'outside', '2001:db8::1'].map(
        (to) => allowed(id(1), to, 443)[0],
      ),
      [false, false, false, true, true, false],
    )
    assert.match(why('10.99.0.5', 'outside', 443), /^a load balancer opens nothing outside/)
    const nothing = { ...report(), generation: null, groups: [] }
    assert.equal(why(id(1), id(3), 5432, nothing), 'no security group is in force, so nothing passes')
  })

  it('is no from an instance at an elastic address, which is of the sender’s own loopback there', () => {
    assert.equal(allowed('app', id(3), 5432)[0], true)
    assert.deepEqual(allowed('app', '127.9.0.1', 5432), [false, false])
    assert.match(why(id(1), '127.9.0.1', 80), /^within the VPC it is an address of the sender itself/)
    assert.equal(allowed('192.0.2.5', '127.9.0.1', 80)[0], true)
  })

  it('refuses what is nothing, and what nobody is in', () => {
    for (const [end, said] of [
      ['shpo', /is no instance, load balancer, address, environment or group in force/],
      ['10.99.7.7', /nobody has the address/],
      ['i-1', /is no instance/],
    ] as const)
      assert.throws(() => ask(end, id(3), 80), said)
    assert.throws(
      () => endOf(report(), 'quiet', 'to', ['quiet']),
      /^Failure: quiet has no instances$|quiet has no instances/,
    )
    const empty = report((groups) => [...groups, group('old', [])])
    assert.throws(() => ask('old', id(3), 80, empty), /the group old has no members/)
    assert.deepEqual(allowed('app', 'db', 5432), [true, true])
  })
})
