import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { EVERYBODY, group, groupId, interfaceId, rule } from './conformance.ts'
import type { FirewallModel, FirewallRule, Peer } from './engine.ts'
import { carriedOf, differencesOf } from './in-force.ts'
import { readRuleset } from './read-ruleset.ts'

// Of nft 1.0.6, in the router of a home.
const RECORDED = readFileSync(new URL('recorded-table.txt', import.meta.url), 'utf8')
const GENERATION = '19a1911fadd0608d'
const [LB, APP, DB] = ['lb', 'app', 'db'].map(groupId) as [string, string, string]

type Listed = {
  chain?: { name: string; policy?: string; hook?: string }
  set?: { name: string; elem?: unknown[] }
  map?: { name: string; elem?: unknown[] }
  rule?: { chain: string; expr: object[]; comment?: string }
}
/** The recording after somebody was at it. */
const damaged = (change: (all: Listed[]) => Listed[]) =>
  readRuleset(JSON.stringify({ nftables: change((JSON.parse(RECORDED) as { nftables: Listed[] }).nftables) }))
const without = (all: Listed[], is: (one: Listed) => boolean) => all.filter((one) => !is(one))
const inserted = (all: Listed[], chain: string, expr: object[], comment?: string) => {
  const at = all.findIndex(({ rule: one }) => one?.chain === chain)
  return all.toSpliced(at, 0, { rule: { chain, expr, ...(comment === undefined ? {} : { comment }) } })
}

/** What was put in force when it was recorded. */
function recordedModel(): FirewallModel {
  const numbered = (id: number, peer: Peer, protocol: string, from: number | null = null, to = from) => ({
    ...rule(peer, protocol, from, to),
    id: `sgr-${id.toString(16).padStart(17, '0')}`,
  })
  const range = (cidr4: string): Peer => ({ cidr4 })
  const egress: FirewallRule[] = [numbered(1, EVERYBODY, '-1')]
  return {
    interfaces: [1, 2, 5].map((host) => ({
      id: interfaceId(host),
      address: `10.115.1.${host === 5 ? 200 : host}`,
    })),
    groups: [
      group('lb', [5], {
        egress,
        ingress: [numbered(2, EVERYBODY, 'tcp', 80), numbered(3, { cidr6: '::/0' }, 'tcp', 80)],
      }),
      group('app', [1, 2], {
        egress,
        ingress: [
          numbered(4, { group: LB }, 'tcp', 80),
          numbered(5, range('10.0.0.0/8'), 'tcp', 80, 90),
          numbered(6, range('192.0.2.7/32'), 'udp', 53),
          numbered(7, EVERYBODY, 'icmp', 8, 0),
          numbered(8, EVERYBODY, 'icmp', -1),
          numbered(9, range('10.1.0.0/16'), '47'),
          numbered(10, range('10.2.0.0/16'), 'icmp', 3),
          numbered(11, range('10.2.0.0/16'), 'udp'),
          numbered(12, range('10.2.0.0/16'), 'tcp', 0),
          numbered(13, range('0.0.0.0/1'), '6', 22),
          numbered(14, range('10.9.9.9/16'), '50'),
          numbered(15, range('10.9.9.9/16'), '132'),
          numbered(16, range('10.9.9.9/16'), '0'),
        ],
      }),
      group('db', [2], {
        egress,
        cutsOnRevoke: true,
        ingress: [numbered(17, { group: APP }, 'tcp', 5432), numbered(18, { group: APP }, '-1')],
      }),
      group('none', [], { egress }),
    ],
  }
}

describe('the rules in force', () => {
  it('are read as what was asked for: groups, members, ports, ranges, protocols', () => {
    const closed = ['0.0.0.0/8', '10.115.0.0/16', '127.0.0.0/8', '169.254.0.0/16']
    assert.deepEqual(readRuleset(RECORDED), {
      ...carriedOf(recordedModel()),
      generation: GENERATION,
      closed: [...closed, '192.0.2.2/32', '198.18.77.1/32', '224.0.0.0/3'],
    })
  })

  it('show an accept that somebody put before them, by its place and its text', () => {
    const { strange, groups } = damaged((all) => inserted(all, 'forward', [{ accept: null }]))
    assert.deepEqual(strange, ['Rule 1 of the chain forward is not Polebean’s: accept'])
    assert.equal(groups.length, 4)
  })

  it('show a rule in the chain of a group, with our comment or without', () => {
    const ssh = [
      { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 22 } },
      { accept: null },
    ]
    const chain = `in_${DB.replace('-', '_')}`
    const said = `A rule in the chain ${chain} is not Polebean’s: tcp dport 22 accept`
    assert.deepEqual(damaged((all) => inserted(all, chain, ssh)).strange, [said])
    assert.deepEqual(damaged((all) => inserted(all, chain, ssh, 'sgr-00000000000000011')).strange, [
      `${said} comment "sgr-00000000000000011"`,
    ])
    // An expression of which we know nothing.
    const odd = [{ xt: { type: 'match', name: 'owner' } }, { accept: null }]
    assert.match(damaged((all) => inserted(all, chain, odd)).strange[0]!, /\{"xt":/)
  })

  it('show a rule that lets in like a rule of the group, and is none', () => {
    const found = damaged((all) =>
      inserted(all, `in_${DB.replace('-', '_')}`, [{ accept: null }], 'sgr-000000000000000ff'),
    )
    assert.deepEqual(
      differencesOf(recordedModel(), { ...found, generation: carriedOf(recordedModel()).generation }),
      [
        `In force, though no group says it: sgr-000000000000000ff of ${DB} lets in everything from everywhere.`,
      ],
    )
  })

  it('show a chain that is missing, and a rule', () => {
    const chain = `in_${APP.replace('-', '_')}`
    const gone = damaged((all) => without(all, (one) => (one.chain?.name ?? one.rule?.chain) === chain))
    assert.deepEqual(gone.strange, [`The chain ${chain} is missing: ${APP} lets nobody in.`])
    const last = damaged((all) =>
      all.filter(({ rule: one }) => JSON.stringify(one?.expr) !== '[{"drop":null}]'),
    )
    assert.deepEqual(last.strange, ['A rule of the chain refuse is missing: drop'])
    const unhooked = damaged((all) => without(all, (one) => one.chain?.name === 'forward'))
    assert.match(unhooked.strange[0]!, /The chain forward of the table is missing/)
  })

  it('show a policy that lets pass, and a chain of somebody else’s', () => {
    const open = damaged((all) =>
      all.map((one) => (one.chain?.name === 'forward' ? { chain: { ...one.chain, policy: 'accept' } } : one)),
    )
    assert.deepEqual(open.strange, ['The chain forward has the policy accept instead of drop.'])
    const more = damaged((all) => [...all, { chain: { name: 'mine', hook: 'forward', policy: 'accept' } }])
    assert.deepEqual(more.strange, ['The chain mine of the table is not Polebean’s.'])
  })

  it('show rules in another order', () => {
    const turned = damaged((all) => {
      const of = all.filter(({ rule: one }) => one?.chain === 'forward')
      return [...without(all, (one) => of.includes(one)), ...of.toReversed()]
    })
    assert.deepEqual(turned.strange, ['The rules of the chain forward are not in Polebean’s order.'])
  })

  it('show a member that is led to the rules of others', () => {
    const led = damaged((all) =>
      all.map((one) =>
        one.map?.name === 'marks'
          ? {
              map: {
                ...one.map,
                elem: [
                  ['10.115.1.1', 3],
                  ['10.115.1.2', 3],
                  ['10.115.1.200', 1],
                ],
              },
            }
          : one,
      ),
    )
    assert.deepEqual(
      led.strange,
      ['egress', 'ingress'].map(
        (way) => `For 10.115.1.1 the ${way} rules of ${DB} ${APP} are asked, and it is a member of ${APP}.`,
      ),
    )
  })

  it('are none in a table that was flushed, nor in one that only says so', () => {
    const flushed = damaged((all) => without(all, (one) => one.rule !== undefined))
    assert.deepEqual([flushed.generation, flushed.groups], [null, []])
    assert.deepEqual(flushed.strange, [
      'The chain prerouting of the table has no rules.',
      'The chain input of the table has no rules.',
    ])
    assert.match(differencesOf(recordedModel(), flushed)[0]!, /^No security group is in force/)
    const opened = damaged((all) => [
      ...without(all, (one) => one.rule !== undefined),
      { rule: { chain: 'forward', expr: [{ accept: null }] } },
    ])
    assert.ok(opened.strange.includes('Rule 1 of the chain forward is not Polebean’s: accept'))
  })

  it('are refused when they are no listing', () => {
    assert.throws(() => readRuleset('Error: '), SyntaxError)
  })
})

describe('the difference between groups and what is in force', () => {
  const model = recordedModel()
  it('is none when both say the same', () => {
    assert.deepEqual(differencesOf(model, carriedOf(model)), [])
  })

  it('names the rule, the member and the older state', () => {
    const before = structuredClone(model)
    before.groups[2]!.ingress.pop()
    before.groups[2]!.members = []
    before.groups[2]!.cutsOnRevoke = false
    assert.deepEqual(differencesOf(model, carriedOf(before)), [
      'What is in force is not the newest state of the groups.',
      `Not in force: 10.115.1.2 is a member of ${DB}.`,
      `Not in force: sgr-00000000000000012 of ${DB} lets in everything from ${APP}.`,
      'Not in force: connections of 10.115.1.2 end with the rule that let them in.',
    ])
  })
})
