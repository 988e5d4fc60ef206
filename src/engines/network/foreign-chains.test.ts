import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { blockingChains, commandFor, unopened } from './foreign-chains.ts'

const base = (table: string, hook: string, policy = 'accept', family = 'inet') => ({
  chain: { family, table, name: hook.toUpperCase(), hook, policy },
})
const rule = (table: string, chain: string, expr: unknown[], comment?: string) => ({
  rule: { family: 'inet', table, chain, handle: 1, expr, ...(comment ? { comment } : {}) },
})

describe('chains of a firewall that somebody wrote for nft', () => {
  it('are in the way when they drop by policy, by a rule, or where they lead to', () => {
    const blocking = blockingChains([
      base('policy', 'forward', 'drop'),
      base('rejects', 'forward'),
      rule('rejects', 'FORWARD', [{ counter: {} }, { reject: { type: 'icmpx' } }]),
      base('leads', 'input'),
      rule('leads', 'INPUT', [{ vmap: { data: { set: [['eth0', { jump: { target: 'zone' } }]] } } }]),
      rule('leads', 'zone', [{ goto: { target: 'zone' } }]),
      rule('leads', 'zone', [{ drop: null }]),
    ])
    assert.deepEqual(
      blocking.map(({ table }) => table),
      ['policy', 'rejects', 'leads'],
    )
  })

  it('are none of those that let everything through, of other hooks, of IPv6 alone, of a home', () => {
    const others = [
      base('open', 'forward'),
      rule('open', 'FORWARD', [{ jump: { target: 'count' } }]),
      rule('open', 'count', [{ counter: {} }]),
      base('out', 'output', 'drop'),
      base('six', 'forward', 'drop', 'ip6'),
      base('pb_abc123', 'forward', 'drop'),
    ]
    assert.deepEqual(blockingChains(others), [])
  })

  it('are open once they have our rule, and the command says what that would be', () => {
    const ruleset = [base('policy', 'forward', 'drop')]
    const [chain] = blockingChains(ruleset)
    assert.ok(chain)
    assert.deepEqual(unopened([chain], ruleset, 'polebean pb-abc123'), [chain])
    const opened = [...ruleset, rule('policy', 'FORWARD', [{ accept: null }], 'polebean pb-abc123')]
    assert.deepEqual(unopened([chain], opened, 'polebean pb-abc123'), [])
    assert.deepEqual(unopened([chain], opened, 'polebean pb-other1'), [chain])
    assert.equal(
      commandFor(chain, [['iifname', 'poleabc123']]),
      'nft insert rule inet policy FORWARD iifname poleabc123 accept',
    )
  })
})
