import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compile } from './compile.ts'
import { EVERYBODY, group, groupId, interfaceId, rule } from './conformance.ts'
import { type FirewallModel, generationOf } from './engine.ts'
import { changeRules, readGeneration, wholeRules } from './ruleset.ts'

const [A, B] = ['0123456789abcdef', 'fedcba9876543210']
const NOTHING = { chains: [], sets: [], maps: [] }
const model = (members: number, more: Partial<FirewallModel> = {}): FirewallModel => {
  const numbers = Array.from({ length: members }, (_unused, index) => index + 1)
  return {
    interfaces: numbers.map((number) => ({
      id: interfaceId(number),
      address: `10.77.${number >> 8}.${number & 255}`,
    })),
    groups: [group('web', numbers, { ingress: [rule({ group: groupId('web') }, 'tcp', 80)] })],
    ...more,
  }
}
const change = (before: FirewallModel, after: FirewallModel) => {
  const state = compile(before)
  return changeRules(state, compile(after, state), A, B).trim().split('\n')
}
const body = (lines: string[]) => lines.filter((line) => !/generation_/.test(line))

describe('a change of the rules', () => {
  for (const members of [1, 1_000])
    it(`for one more member beside ${members} is two elements`, () => {
      const before = model(members)
      const after = model(members + 1, {
        groups: [{ ...before.groups[0]!, members: [...before.groups[0]!.members, interfaceId(members + 1)] }],
      })
      const set = groupId('web').replace('-', '_')
      const address = after.interfaces.at(-1)!.address
      assert.deepEqual(body(change(before, after)), [
        `add element inet polebean ${set} { ${address} }`,
        `add element inet polebean marks { ${address} : 1 }`,
      ])
      assert.deepEqual(body(change(after, before)), [
        `delete element inet polebean ${set} { ${address} }`,
        `delete element inet polebean marks { ${address} }`,
      ])
    })

  it('of one rule writes the chain of its group anew, and no other', () => {
    const other = group('db', [])
    const before = model(2)
    before.groups.push(other)
    const after = {
      ...before,
      groups: [before.groups[0]!, { ...other, ingress: [rule(EVERYBODY, 'udp', 53)] }],
    }
    assert.deepEqual(
      body(change(before, after)).map((line) => line.replace(/ comment.*/, '')),
      [
        `flush chain inet polebean in_${other.id.replace('-', '_')}`,
        `add rule inet polebean in_${other.id.replace('-', '_')} meta l4proto udp ct original proto-dst 53 accept`,
      ].slice(0, 2),
    )
  })

  it('fails when the table is not as it was left', () => {
    const lines = change(model(1), model(2))
    assert.deepEqual(lines.slice(0, 2), [
      `flush chain inet polebean generation_${A}`,
      `delete chain inet polebean generation_${A}`,
    ])
  })

  it('keeps the numbers of combinations, and gives a new one to a new combination', () => {
    const before = model(3)
    const state = compile(before)
    const two = { ...before, groups: [...before.groups, group('db', [3])] }
    const after = compile(two, state)
    assert.deepEqual([...after.marks.values()], [1, 1, 2])
    assert.deepEqual([...compile(before, after).marks.values()], [1, 1, 1])
  })
})

describe('the whole of the rules', () => {
  it('takes away what there is of ours, also of a former release, and nothing of the network', () => {
    const present = {
      chains: ['prerouting', 'forward', 'input', 'in_sg_1', 'in_1', 'refuse', `generation_${A}`],
      sets: ['members', 'balancers', 'closed', 'sg_1', 'cut', 'instances', 'ports'],
      maps: ['marks'],
    }
    const lines = wholeRules(compile(model(1)), B, present).split('\n')
    const gone = lines.filter((line) => line.startsWith('delete')).map((line) => line.split(' ').at(-1))
    assert.deepEqual(gone, [
      'marks',
      'sg_1',
      'cut',
      'instances',
      'ports',
      'in_sg_1',
      'in_1',
      'refuse',
      `generation_${A}`,
    ])
  })

  it('asks each packet of a connection only where somebody wants connections cut', () => {
    const rules = (cutsOnRevoke: boolean) =>
      wholeRules(compile({ ...model(1), groups: [group('x', [1], { cutsOnRevoke })] }), A, NOTHING)
    assert.match(rules(false), /forward ct state established,related accept/)
    assert.match(rules(true), /forward ct state established ct original ip saddr != @cut .* accept/)
  })

  it('writes ICMP types and numbers of protocols, and nothing of IPv6 or of a group that is gone', () => {
    const ingress = [
      rule(EVERYBODY, 'icmp', 8, 0),
      rule(EVERYBODY, 'icmp', -1),
      rule({ cidr4: '10.0.0.0/8' }, '47'),
      rule(EVERYBODY, '6', 0, 65_535),
      rule(EVERYBODY, 'icmpv6', -1),
      rule({ cidr6: '::/0' }),
      rule({ group: 'sg-00000000' }),
    ]
    const { groups } = compile({ ...model(1), groups: [group('x', [1], { ingress })] })
    assert.deepEqual(
      groups.get(groupId('x'))!.ingress.map((line) => line.replace(/ accept.*/, '')),
      [
        'icmp type 8 icmp code 0',
        'meta l4proto icmp',
        'ct original ip saddr 10.0.0.0/8 meta l4proto 47',
        'meta l4proto tcp',
      ],
    )
  })

  it('is named: equal for what means the same, and not there in a table that was flushed', () => {
    const one = model(2)
    assert.equal(generationOf({ ...one, interfaces: one.interfaces.toReversed() }), generationOf(one))
    assert.notEqual(generationOf(model(3)), generationOf(one))
    assert.equal(readGeneration(`chain generation_${A} {\n return comment "x"\n}`), A)
    assert.equal(readGeneration(`chain generation_${A} {\n\t}\n chain x { return }`), null)
  })
})
