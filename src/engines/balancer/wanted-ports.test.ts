import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bindsOf, describeTaken, holdersOf, parseListening } from './wanted-ports.ts'

const http = { port: 8080, listenerPort: 80, elastic: [] }
const at = (addresses: string[], leftOut: string[] = [], ipv6 = true) =>
  bindsOf(http, { ipv6, public: addresses }, new Set(leftOut))

describe('addresses of a port', () => {
  it('are loopback and what is public, each socket once that the kernel gives', () => {
    const loopback = ['127.0.0.1:8080', '[::1]:8080']
    assert.deepEqual(at([]), loopback)
    assert.deepEqual(at(['10.0.0.1', '2001:db8::1'], [], false), [
      '127.0.0.1:8080',
      '10.0.0.1:8080',
      '[2001:db8::1]:8080',
    ])
    assert.deepEqual(at(['0.0.0.0', '10.0.0.1']), ['[::1]:8080', '0.0.0.0:8080'])
    assert.deepEqual(at(['::']), ['127.0.0.1:8080', '[::]:8080'])
    const public80 = { ipv6: true, public: ['0.0.0.0'] }
    for (const listenerPort of [null, 8443])
      assert.deepEqual(bindsOf({ ...http, listenerPort }, public80), loopback)
  })
  it('are loopback again where all of a family cannot be had', () => {
    assert.deepEqual(at(['0.0.0.0', '::'], ['0.0.0.0:8080']), ['127.0.0.1:8080', '0.0.0.0:8080', '[::]:8080'])
    assert.deepEqual(at(['0.0.0.0', '10.0.0.1'], ['0.0.0.0:8080']), [
      '127.0.0.1:8080',
      '[::1]:8080',
      '0.0.0.0:8080',
      '10.0.0.1:8080',
    ])
  })
  it('are elastic addresses too, unless a socket on all addresses serves them', () => {
    const elastic = [{ address: '127.9.0.1', id: 'eipalloc-1' }]
    const of = (addresses: string[]) => bindsOf({ ...http, elastic }, { ipv6: false, public: addresses })
    assert.deepEqual(of([]), ['127.0.0.1:8080', '127.9.0.1:8080'])
    assert.deepEqual(of(['0.0.0.0']), ['0.0.0.0:8080'])
  })
  it('are held by who listens there, on all addresses, or for all on one of them', () => {
    const listening = parseListening(
      ['192.168.1.10:80', '[::1]:80', '*:8443', '0.0.0.0:443', '127.0.0.53%lo:53']
        .map((local) => `LISTEN 0 511 ${local} 0.0.0.0:* users:(("x",pid=12,fd=18))`)
        .join('\n'),
    )
    const holders = (bind: string) => holdersOf(bind, listening).map((one) => one.bind)
    assert.deepEqual(holders('127.0.0.1:80'), [])
    assert.deepEqual(holders('0.0.0.0:80'), ['192.168.1.10:80'])
    assert.deepEqual(holders('[::]:80'), ['[::1]:80'])
    assert.deepEqual(holders('10.0.0.1:443'), ['0.0.0.0:443'])
    assert.deepEqual(holders('[2001:db8::1]:443'), [])
    for (const bind of ['127.0.0.1:8443', '[::]:8443', '0.0.0.0:8443'])
      assert.deepEqual(holders(bind), ['*:8443'])
    assert.deepEqual(holders('0.0.0.0:53'), ['127.0.0.53:53'])
  })
  it('that are taken are named, one of them or the whole port', () => {
    const wanted = {
      wanted: [{ ...http, tls: false, network: false, loadBalancers: ['a', 'b'] }],
      unserved: [],
    }
    const reasons = (leftOut: [string, string][], addresses: string[]) =>
      describeTaken(wanted, new Map(leftOut), { ipv6: false, public: addresses }).map((one) => one.reason)
    const why = 'is taken by nginx (pid 12)'
    assert.deepEqual(reasons([['0.0.0.0:8080', why]], ['0.0.0.0']), [
      `0.0.0.0:8080 ${why}`,
      `0.0.0.0:8080 ${why}`,
    ])
    assert.deepEqual(
      reasons(
        [
          ['0.0.0.0:8080', why],
          ['127.0.0.1:8080', why],
        ],
        ['0.0.0.0'],
      )[0],
      `port 8080 ${why}`,
    )
    assert.deepEqual(reasons([['10.0.0.1:8080', why]], []), [], 'what is wanted no more')
  })
})
