// What is only seen with many load balancers: maps that are longer than what HAProxy takes at once.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemClock as clock } from '../../kernel/clock.ts'
import { type BalancerEngine, type BalancerModel, listenerTo } from './engine.ts'
import { get, makeTestNetwork, type TestNetwork } from './test-network.ts'

const COUNT = 120

describe('haproxy with many load balancers', () => {
  let net: TestNetwork
  let engine: BalancerEngine
  before(async () => {
    net = await makeTestNetwork()
    engine = net.engine()
    await net.order({ address: '10.213.2.1', port: 80, name: 'i-1', status: 200 })
  })
  after(() => net.close())

  /** Each is known by three long names that hold `word`, and lets in `range`. */
  const model = (word: string, range: string): BalancerModel => ({
    loadBalancers: Array.from({ length: COUNT }, (_, index) => ({
      id: `app/many/${index}`,
      address: `10.213.1.${index + 1}`,
      elasticAddress: null,
      internetFacing: true,
      hosts: ['a', 'b', 'c'].map((letter) => hostOf(index, letter, word)),
      loopbackPort: null,
      idleTimeoutSeconds: 60,
      listeners: [listenerTo(80, 'group', [range, '192.0.2.0/24'])],
      cutsOnRevoke: false,
    })),
    targetGroups: [
      {
        id: 'group',
        healthCheck: null,
        targets: [{ id: 'i-1', address: '10.213.2.1', port: 80, draining: false }],
      },
    ],
  })
  const hostOf = (index: number, letter: string, word: string) =>
    `${letter}-${word}-${index}.an-environment-with-a-long-name.us-west-2.elasticbeanstalk.localhost`
  const statusOf = async (index: number, word: string) =>
    (await get(net.home.ports.http, hostOf(index, 'c', word))).status
  const bootOf = async () => (await engine.observe()).counters[0]!.boot
  const untilServed = async (word: string) => {
    for (let tries = 0; tries < 100; tries++) {
      if ((await statusOf(COUNT - 1, word)) === 200) return
      await clock.sleep(50)
    }
    assert.fail('the last load balancer does not answer')
  }

  it('gives all of them other names, and other clients, while it runs', async () => {
    await engine.apply(model('first', '127.0.0.0/8'))
    await untilServed('first')
    const boot = await bootOf()
    await engine.apply(model('second', '127.0.0.0/8'))
    for (const index of [0, 60, COUNT - 1]) {
      assert.equal(await statusOf(index, 'second'), 200)
      assert.equal(await statusOf(index, 'first'), 404)
    }
    await engine.apply(model('second', '198.51.100.0/24'))
    for (const index of [0, 60, COUNT - 1])
      await assert.rejects(async () => assert.equal(await statusOf(index, 'second'), 200))
    assert.equal(
      (await engine.clients()).filter(({ clients }) => clients.includes('198.51.100.0/24')).length,
      COUNT,
    )
    assert.equal(await bootOf(), boot)
  })
})
