import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { HealthCheckConfig } from '@aws-sdk/client-route-53'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'
import { makeCalls, put, set } from './test-calls.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const { api, zoneId, change } = makeCalls(() => world)
const HTTP = { Type: 'HTTP', IPAddress: '192.0.2.1', RequestInterval: 10, FailureThreshold: 2 } as const
let count = 0
const check = (config: Partial<HealthCheckConfig> = {}) =>
  api().createHealthCheck(world.context, {
    CallerReference: `reference ${++count}`,
    HealthCheckConfig: { ...HTTP, ...config },
  }).HealthCheck!
const answer = (name = 'www.example.com') =>
  world.dns.query(name, 'A').answers.map((one) => one.split(' ')[2])
const seconds = (n: number) => world.clock.run(n * 1_000)

/** A pair of which the first has the check. */
function pair(HealthCheckId: string) {
  const id = zoneId()
  const one = (SetIdentifier: string, Failover: 'PRIMARY' | 'SECONDARY', value: string, more = {}) =>
    set('www.example.com', 'A', [value], { SetIdentifier, Failover, ...more })
  change(id, ...put(one('p', 'PRIMARY', '192.0.2.1', { HealthCheckId }), one('s', 'SECONDARY', '192.0.2.2')))
  return id
}

describe('health checks of names', () => {
  it('lead to the second when the first fails as often as the threshold says, and back', async () => {
    const { Id = '' } = check()
    pair(Id)
    await seconds(5)
    assert.deepEqual(answer(), ['192.0.2.1'])
    world.probes.down.add('192.0.2.1:80')
    await seconds(11)
    assert.deepEqual(answer(), ['192.0.2.1'], 'one failure is none')
    await seconds(12)
    assert.deepEqual(answer(), ['192.0.2.2'])
    const of = { HealthCheckId: Id }
    const [seen] = api().getHealthCheckStatus(world.context, of).HealthCheckObservations!
    assert.equal(seen!.StatusReport!.Status, 'Failure: connection refused')
    world.restart()
    await seconds(5)
    assert.deepEqual(answer(), ['192.0.2.2'], 'a new life knows it')
    world.probes.down.clear()
    await seconds(30)
    assert.deepEqual(answer(), ['192.0.2.1'])
    const [last] = api().getHealthCheckLastFailureReason(world.context, of).HealthCheckObservations!
    assert.equal(last!.StatusReport!.Status, 'Failure: connection refused')
    assert.throws(() => api().deleteHealthCheck(world.context, of), { code: 'HealthCheckInUse' })
  })

  it('leave who fails out of weights and of many, and leave all in when all fail', async () => {
    const ids = ['192.0.2.1', '192.0.2.2'].map((IPAddress) => check({ IPAddress }).Id!)
    const zone = zoneId()
    const sets = ids.flatMap((HealthCheckId, n) => [
      set('w.example.com', 'A', [`192.0.2.${n + 1}`], { SetIdentifier: `${n}`, Weight: 1, HealthCheckId }),
      set('m.example.com', 'A', [`192.0.2.${n + 1}`], {
        SetIdentifier: `${n}`,
        MultiValueAnswer: true,
        HealthCheckId,
      }),
    ])
    change(zone, ...put(...sets))
    world.probes.down.add('192.0.2.1:80')
    await seconds(30)
    for (const name of ['w.example.com', 'm.example.com']) assert.deepEqual(answer(name), ['192.0.2.2'])
    world.probes.down.add('192.0.2.2:80')
    await seconds(30)
    assert.deepEqual(answer('m.example.com'), ['192.0.2.1', '192.0.2.2'])
  })

  it('may be turned round, switched off, and made of others', async () => {
    world.probes.down.add('192.0.2.1:80')
    const down = check().Id!
    const up = check({ IPAddress: '192.0.2.9' }).Id!
    const calculated = (HealthThreshold: number, more: Partial<HealthCheckConfig> = {}) =>
      api().createHealthCheck(world.context, {
        CallerReference: `reference ${++count}`,
        HealthCheckConfig: { Type: 'CALCULATED', ChildHealthChecks: [down, up], HealthThreshold, ...more },
      }).HealthCheck!.Id!
    const cases: [id: string, isWell: boolean][] = [
      [down, false],
      [up, true],
      [check({ Inverted: true }).Id!, true],
      [check({ Disabled: true }).Id!, true],
      [calculated(1), true],
      [calculated(2), false],
      [calculated(2, { Inverted: true }), true],
    ]
    await seconds(30)
    const zone = zoneId()
    for (const [n, [id, isWell]] of cases.entries()) {
      const name = `h${n}.example.com`
      const one = (SetIdentifier: 'PRIMARY' | 'SECONDARY', value: string, more = {}) =>
        set(name, 'A', [value], { SetIdentifier, Failover: SetIdentifier, ...more })
      change(zone, ...put(one('PRIMARY', '192.0.2.1', { HealthCheckId: id }), one('SECONDARY', '192.0.2.2')))
      await seconds(1)
      assert.deepEqual(answer(name), [isWell ? '192.0.2.1' : '192.0.2.2'], `case ${n}`)
    }
  })

  it('know how it is after a change of what they do not ask', async () => {
    const { Id = '', HealthCheckVersion } = check()
    pair(Id)
    world.probes.down.add('192.0.2.1:80')
    await seconds(30)
    assert.deepEqual(answer(), ['192.0.2.2'])
    api().updateHealthCheck(world.context, { HealthCheckId: Id, HealthCheckVersion, FailureThreshold: 3 })
    await seconds(1)
    assert.deepEqual(answer(), ['192.0.2.2'])
    assert.equal(
      api().getHealthCheckStatus(world.context, { HealthCheckId: Id }).HealthCheckObservations!.length,
      1,
    )
  })

  it('change by versions, and are answered again to who creates them again', () => {
    const input = { CallerReference: 'mine', HealthCheckConfig: HTTP }
    const { Id: HealthCheckId = '', HealthCheckVersion } = api().createHealthCheck(
      world.context,
      input,
    ).HealthCheck!
    assert.equal(api().createHealthCheck(world.context, input).HealthCheck!.Id, HealthCheckId)
    const other = { ...input, HealthCheckConfig: { ...HTTP, Port: 81 } }
    assert.throws(() => api().createHealthCheck(world.context, other), { code: 'HealthCheckAlreadyExists' })
    const changed = api().updateHealthCheck(world.context, {
      HealthCheckId,
      HealthCheckVersion,
      ResourcePath: 'ping',
    })
    assert.equal(changed.HealthCheck!.HealthCheckConfig!.ResourcePath, '/ping')
    assert.equal(changed.HealthCheck!.HealthCheckConfig!.IPAddress, '192.0.2.1')
    assert.throws(() => api().updateHealthCheck(world.context, { HealthCheckId, HealthCheckVersion }), {
      code: 'HealthCheckVersionMismatch',
    })
    const { HealthChecks, IsTruncated } = api().listHealthChecks(world.context, {})
    assert.deepEqual([HealthChecks!.length, IsTruncated], [1, false])
    api().deleteHealthCheck(world.context, { HealthCheckId })
    assert.equal(api().getHealthCheckCount(world.context, {}).HealthCheckCount, 0)
  })

  const bad: [what: string, config: Partial<HealthCheckConfig>][] = [
    ['a type that is none', { Type: 'PING' as 'TCP' }],
    ['one of CloudWatch', { Type: 'CLOUDWATCH_METRIC' }],
    ['nobody to ask', { IPAddress: undefined }],
    ['an address that is none', { IPAddress: '192.0.2.256' }],
    ['the machine itself', { IPAddress: '127.0.0.1' }],
    ['the metadata of clouds', { IPAddress: '169.254.169.254' }],
    ['itself by another name', { IPAddress: '::ffff:127.0.0.1' }],
    ['a name that is none', { IPAddress: undefined, FullyQualifiedDomainName: 'a b' }],
    ['a port of 0', { Port: 0 }],
    ['a port beyond', { Port: 65_536 }],
    ['a path with a line break', { ResourcePath: '/\r\nHost: x' }],
    ['a text that no match asks for', { SearchString: 'x' }],
    ['a match without a text', { Type: 'HTTP_STR_MATCH' }],
    ['an interval of 11 seconds', { RequestInterval: 11 }],
    ['a threshold of 0', { FailureThreshold: 0 }],
    ['children of one that asks', { ChildHealthChecks: ['x'] }],
    ['regions', { Regions: ['us-east-1', 'us-west-1', 'us-west-2'] }],
    ['latency', { MeasureLatency: true }],
    ['a TCP check without a port', { Type: 'TCP' }],
  ]
  for (const [what, config] of bad)
    it(`refuse ${what}`, () => {
      assert.throws(() => check(config), { code: 'InvalidInput' })
      assert.equal(api().getHealthCheckCount(world.context, {}).HealthCheckCount, 0)
    })
})
