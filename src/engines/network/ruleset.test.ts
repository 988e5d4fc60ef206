import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chooseCidr, conflictsWith, describeConflict, type HostRoute } from './cidr.ts'
import { flowsMaxOf } from './flows.ts'
import { checkAddress, interfaceOf, namesOf, rangeOf } from './names.ts'
import {
  addMemberRules,
  hostRuleset,
  removeMemberRules,
  routerRuleset,
  setBalancersRules,
} from './ruleset.ts'

const names = namesOf({ id: 'abc123' })
const base = { cidr: '10.77.0.0/16', members: [], balancers: [], hostAddresses: [], flowsMax: 4096 }

describe('the rules of the router', () => {
  it('let everybody speak only from an own address', () => {
    const members = [
      { interface: 'i0123', address: '10.77.1.1' },
      { interface: 'b0123', address: '10.77.255.1' },
    ]
    const text = routerRuleset({ ...base, members, balancers: ['10.77.1.9'] })
    assert.match(
      text,
      /add element inet polebean members \{ "i0123" \. 10\.77\.1\.1, "b0123" \. 10\.77\.255\.1 \}/,
    )
    assert.match(text, /add element inet polebean balancers \{ 10\.77\.1\.9 \}/)
    assert.match(text, /iifname \. ip saddr != @members drop/)
  })

  it('close the VPC, link-local addresses and the host, and let nothing pass by themselves', () => {
    const text = routerRuleset({ ...base, hostAddresses: ['192.0.2.2'] })
    assert.match(
      text,
      /add element inet polebean closed .*169\.254\.0\.0\/16.*10\.77\.0\.0\/16, 192\.0\.2\.2/,
    )
    assert.equal(text.match(/policy drop/g)?.length, 2)
    assert.doesNotMatch(text, /flush chain inet polebean forward|delete table/)
  })

  it('count connections of members, where the kernel can', () => {
    assert.match(
      routerRuleset(base),
      /chain flows \{\n    iifname != \{ "lo", "lb0", "up0" \} ct state new add @flows \{ ip saddr ct count over 4096 \} drop\n  \}/,
    )
    const text = routerRuleset({ ...base, flowsMax: null })
    assert.match(text, /flush chain inet polebean flows/)
    assert.doesNotMatch(text, /ct count/)
    assert.deepEqual([1, 65_536, 262_144, 10_000_000].map(flowsMaxOf), [2048, 4096, 16_384, 32_768])
  })

  it('take a member away by adding it first, since nft refuses to delete what is not there', () => {
    const member = { interface: 'i0123', address: '10.77.1.1' }
    assert.ok(removeMemberRules(member).startsWith(addMemberRules(member)))
    assert.match(
      removeMemberRules(member),
      /delete element inet polebean members \{ "i0123" \. 10\.77\.1\.1 \}/,
    )
  })

  it('empty the balancers without an element', () => {
    const flushed = 'flush set inet polebean balancers\nflush set inet polebean edges\n'
    assert.equal(setBalancersRules([], '10.9.0.0/16'), flushed)
    assert.equal(
      setBalancersRules(['10.9.0.3', '10.9.0.16'], '10.9.0.0/16'),
      `${flushed}add element inet polebean balancers { 10.9.0.3, 10.9.0.16 }\nadd element inet polebean edges { 10.9.0.3 }\n`,
    )
  })
})

describe('the rules on the host', () => {
  it('drop what comes up the uplink for the host before any DNAT', () => {
    const text = hostRuleset({ names, cidr: '10.77.0.0/16', forwardingForUs: [] })
    assert.match(
      text,
      /hook prerouting priority -250[^}]*iifname "poleabc123" fib daddr type != unicast drop/,
    )
    assert.match(text, /ip saddr 10\.77\.255\.252 ip daddr 10\.77\.255\.253 udp dport 5300-5302 accept/)
    assert.match(text, /ip saddr 10\.77\.0\.0\/16 oifname != "pole\*" masquerade/)
  })

  it('name no interface but ours unless we switched its forwarding on', () => {
    assert.doesNotMatch(hostRuleset({ names, cidr: '10.77.0.0/16', forwardingForUs: [] }), /eth0/)
    const text = hostRuleset({ names, cidr: '10.77.0.0/16', forwardingForUs: ['eth0'] })
    assert.match(text, /iifname \{ "eth0" \} oifname != "pole\*" drop/)
  })
})

describe('the range of a home', () => {
  it('is free of every route, also of a wider and of a narrower one', () => {
    const first = chooseCidr(['default'], 0)
    assert.equal(first, '10.64.0.0/16')
    assert.equal(chooseCidr(['10.64.3.0/24', '10.65.0.1'], 0), '10.66.0.0/16')
    assert.equal(chooseCidr(['10.64.0.0/11'], 0), '10.112.0.0/16')
    assert.equal(chooseCidr(['10.0.0.0/8', '172.17.0.0/16'], 1), '172.18.0.0/16')
    assert.equal(chooseCidr(['10.0.0.0/8', '172.16.0.0/12'], 0), '100.64.0.0/16')
    const all = ['10.0.0.0/8', '172.16.0.0/12', '100.64.0.0/10']
    assert.throws(() => chooseCidr(all, 5), {
      name: 'EngineError',
      message: /is free of this machine's routes/,
    })
  })

  it('is not kept from being chosen by what a VPN sets in place of the default route', () => {
    assert.equal(chooseCidr(['0.0.0.0/1', '128.0.0.0/1', '8.0.0.0/5'], 0), '10.64.0.0/16')
  })

  it('meets with an equal or narrower route of the host, and with a wider one that is asked before', () => {
    const conflicts = (...routes: HostRoute[]) =>
      conflictsWith('10.70.0.0/16', routes, 'poleabc123').map((route) =>
        describeConflict('10.70.0.0/16', route),
      )
    assert.deepEqual(
      conflicts(
        { dst: 'default', dev: 'eth0' },
        { dst: '10.0.0.0/8', dev: 'tun0' },
        { dst: '10.71.0.0/16', dev: 'tun0' },
        { dst: '10.70.0.0/16', dev: 'poleabc123' },
        { dst: '10.70.255.253', dev: 'poleabc123', table: 'local', type: 'local' },
      ),
      [],
    )
    assert.equal(conflicts({ dst: '10.70.0.0/16', dev: 'polexyz999' }, { dst: '10.70.3.0/24' }).length, 2)
    assert.match(
      conflicts({ dst: '10.0.0.0/8', dev: 'tun0', table: '52' })[0] ?? '',
      /route 10\.0\.0\.0\/8 dev tun0 table 52 overlaps .* Run: ip route del 10\.0\.0\.0\/8 dev tun0 table 52/,
    )
  })

  it('starts elsewhere for another home', () => {
    assert.notEqual(chooseCidr([], 1), chooseCidr([], 2))
  })

  it('keeps its end for the uplink and for builds', () => {
    const range = rangeOf('10.77.0.0/16')
    assert.equal(range.uplinkHost, '10.77.255.253')
    assert.equal(range.resolver, '10.77.0.2')
    assert.equal(new Set(range.builders).size, 200)
    assert.throws(() => rangeOf('10.77.0.0/24'), { name: 'EngineError' })
  })
})

describe('names', () => {
  it('of interfaces fit 15 bytes and differ for ids that begin alike', () => {
    const [one, two] = [interfaceOf('i-00000000000000001'), interfaceOf('i-00000000000000002')]
    assert.equal(one.length, 15)
    assert.notEqual(one, two)
    assert.equal(names.uplink.length <= 15, true)
  })

  it('refuse what is no id and no address', () => {
    assert.throws(() => interfaceOf('i-1; reboot'), { name: 'EngineError' })
    assert.throws(() => namesOf({ id: '../etc' }), { name: 'EngineError' })
    for (const address of ['10.1.1', '10.1.1.256', '10.1.1.1/8', '10.01.1.1', '::1'])
      assert.throws(() => checkAddress(address), { name: 'EngineError' }, address)
  })
})
