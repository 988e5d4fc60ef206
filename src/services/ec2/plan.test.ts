import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DIED, type InstanceObservation } from '../../engines/compute/engine.ts'
import { planInstance, type InstanceView } from './plan.ts'
import type { InstanceRow } from './store.ts'

const NOW = 1_000_000_000

const row = (more: Partial<InstanceRow> = {}): InstanceRow => ({
  id: 'i-1',
  account: 'a',
  region: 'r',
  reservationId: 'r-1',
  launchIndex: 0,
  clientToken: null,
  requestDigest: '',
  requestId: '',
  imageId: 'ami-1',
  instanceType: 't3.micro',
  subnetId: 's',
  vpcId: 'v',
  zone: 'z',
  networkInterfaceId: 'eni-1',
  diskBytes: 1,
  iamInstanceProfile: null,
  monitoring: 0,
  awaitsSoftware: 0,
  launchedAt: NOW,
  desired: 'running',
  rebootBoot: null,
  state: 'running',
  stateReasonCode: null,
  stateReasonMessage: null,
  stateTransitionReason: '',
  terminatedAt: null,
  engineState: 'running',
  address: '10.0.0.1',
  boot: 'b1',
  revision: 1,
  downSince: null,
  awaitsLayersSince: null,
  recoveries: '[]',
  keyName: null,
  userData: null,
  disableApiTermination: 0,
  disableApiStop: 0,
  publicKey: null,
  metadataOptions: '{}',
  ...more,
})

const fresh: Partial<InstanceRow> = {
  state: 'pending',
  engineState: null,
  address: null,
  boot: '',
  revision: 0,
}

const seen = (more: Partial<InstanceObservation> = {}): InstanceObservation => ({
  id: 'i-1',
  state: 'running',
  reason: '',
  since: NOW,
  boot: 'b1',
  revision: 1,
  address: '10.0.0.1',
  zone: 'z',
  node: 'n',
  tags: {},
  ...more,
})

const software = (revision: number, checkedRevision = revision, checkedBoot = 'b1') => ({
  revision,
  checkedRevision,
  checkedBoot,
})

const view = (more: Partial<InstanceView>): InstanceView => ({
  row: row(),
  software: undefined,
  seen: undefined,
  lacksLayers: false,
  ...more,
})

describe('the plan of one instance', () => {
  const cases: [name: string, view: InstanceView, action: string | null, set?: Partial<InstanceRow>][] = [
    ['launches what was never seen', view({ row: row(fresh) }), 'launch', { downSince: NOW }],
    ['waits for software', view({ row: row({ ...fresh, awaitsSoftware: 1 }) }), null],
    [
      'launches when software is there',
      view({ row: row({ ...fresh, awaitsSoftware: 1 }), software: software(1, 0) }),
      'launch',
      { downSince: NOW },
    ],
    [
      'waits for layers that are gone, and does not count it as down',
      view({ row: row({ downSince: NOW - 1 }), software: software(1), lacksLayers: true }),
      null,
      {
        engineState: 'gone',
        downSince: null,
        awaitsLayersSince: NOW,
        recoveries: JSON.stringify([NOW]),
      },
    ],
    [
      'launches again under its id when they are there, with all its patience',
      view({ row: row({ engineState: 'gone', awaitsLayersSince: NOW - 3_000_000 }), software: software(1) }),
      'launch',
      { downSince: NOW, awaitsLayersSince: null },
    ],
    [
      'does not mind what layers are gone while it runs',
      view({ software: software(1), seen: seen(), lacksLayers: true }),
      null,
    ],
    ['has nothing to do with what runs', view({ seen: seen() }), null],
    [
      'shows what runs as running',
      view({ row: row({ ...fresh, downSince: NOW }), seen: seen() }),
      null,
      {
        state: 'running',
        engineState: 'running',
        address: '10.0.0.1',
        boot: 'b1',
        revision: 1,
        downSince: null,
      },
    ],
    ['updates to newer software', view({ seen: seen(), software: software(2, 1) }), 'update'],
    [
      'leaves software alone that is older than what runs',
      view({ seen: seen({ revision: 3 }), software: software(2) }),
      null,
      { revision: 3 },
    ],
    ['checks a revision that was not checked', view({ seen: seen(), software: software(1, 0) }), 'check'],
    [
      'checks again after another boot',
      view({ seen: seen({ boot: 'b2' }), software: software(1) }),
      'check',
      { boot: 'b2' },
    ],
    [
      'starts what stopped',
      view({ seen: seen({ state: 'stopped' }) }),
      'start',
      { engineState: 'stopped', downSince: NOW },
    ],
    [
      'updates what stopped and has newer software',
      view({ seen: seen({ state: 'stopped' }), software: software(2, 1) }),
      'update',
      { engineState: 'stopped', downSince: NOW },
    ],
    [
      'launches again what is gone',
      view({}),
      'launch',
      { engineState: 'gone', downSince: NOW, recoveries: `[${NOW}]` },
    ],
    [
      'counts what ended by itself',
      view({ seen: seen({ state: 'stopped', reason: DIED }) }),
      'start',
      { engineState: 'stopped', downSince: NOW, recoveries: `[${NOW}]` },
    ],
    [
      'counts an end once',
      view({ row: row({ engineState: 'stopped', downSince: NOW - 5 }), seen: seen({ boot: 'b2' }) }),
      null,
      { engineState: 'running', boot: 'b2', downSince: null },
    ],
    [
      'does not count an end with the machine, however many there were',
      view({
        row: row({ recoveries: JSON.stringify([NOW - 3, NOW - 2, NOW - 1]) }),
        seen: seen({ state: 'stopped', reason: 'Polebean was shut down' }),
      }),
      'start',
      { engineState: 'stopped', downSince: NOW },
    ],
    [
      'forgets ends that are five minutes old',
      view({
        row: row({ recoveries: JSON.stringify([NOW - 400_000, NOW - 350_000, NOW - 310_000]) }),
        seen: seen({ state: 'stopped', reason: DIED }),
      }),
      'start',
      {
        engineState: 'stopped',
        downSince: NOW,
        recoveries: JSON.stringify([NOW - 400_000, NOW - 350_000, NOW - 310_000, NOW]),
      },
    ],
    [
      'waits while it cannot be seen',
      view({ seen: seen({ state: 'unknown' }) }),
      null,
      { engineState: 'unknown', downSince: NOW },
    ],
    [
      'stops what is to be stopped',
      view({ row: row({ desired: 'stopped', state: 'stopping' }), seen: seen() }),
      'stop',
    ],
    [
      'shows what stopped',
      view({ row: row({ desired: 'stopped', state: 'stopping' }), seen: seen({ state: 'stopped' }) }),
      null,
      { state: 'stopped', engineState: 'stopped' },
    ],
    [
      'ends with grace',
      view({ row: row({ desired: 'terminated', state: 'shutting-down' }), seen: seen() }),
      'stop',
    ],
    [
      'removes what ended',
      view({ row: row({ desired: 'terminated', state: 'shutting-down' }), seen: seen({ state: 'stopped' }) }),
      'remove',
      { engineState: 'stopped' },
    ],
    [
      'is terminated when nothing is left',
      view({ row: row({ desired: 'terminated', state: 'shutting-down' }) }),
      null,
      { state: 'terminated', terminatedAt: NOW, engineState: 'gone' },
    ],
    [
      'does not remove at once what it cannot see',
      view({ row: row({ desired: 'terminated', state: 'shutting-down' }), seen: seen({ state: 'unknown' }) }),
      null,
      { engineState: 'unknown', downSince: NOW },
    ],
    ['reboots by stopping', view({ row: row({ rebootBoot: 'b1' }), seen: seen() }), 'stop'],
    [
      'reboots by starting',
      view({ row: row({ rebootBoot: 'b1' }), seen: seen({ state: 'stopped' }) }),
      'start',
      { engineState: 'stopped', downSince: NOW },
    ],
    [
      'has rebooted',
      view({ row: row({ rebootBoot: 'b1' }), seen: seen({ boot: 'b2' }) }),
      null,
      { rebootBoot: null, boot: 'b2' },
    ],
  ]
  for (const [name, given, action, set = {}] of cases)
    it(name, () => assert.deepEqual(planInstance(given, NOW), { set, action }))

  const givenUp: [name: string, view: InstanceView, message: RegExp][] = [
    [
      'a launch that fails for five minutes',
      view({ row: row({ ...fresh, downSince: NOW - 301_000 }) }),
      /Internal error on launch/,
    ],
    [
      'a start that fails for five minutes',
      view({
        row: row({ engineState: 'stopped', downSince: NOW - 301_000 }),
        seen: seen({ state: 'stopped' }),
      }),
      /could not be started/,
    ],
    [
      'what ended a fourth time',
      view({
        row: row({ recoveries: JSON.stringify([NOW - 3, NOW - 2, NOW - 1]) }),
        seen: seen({ state: 'stopped', reason: DIED }),
      }),
      /ended 4 times/,
    ],
    [
      'what has waited an hour for its layers',
      view({
        row: row({ engineState: 'gone', awaitsLayersSince: NOW - 3_600_001 }),
        software: software(1),
        lacksLayers: true,
      }),
      /could not be built again/,
    ],
    [
      'what was not seen for a minute',
      view({
        row: row({ engineState: 'unknown', downSince: NOW - 61_000 }),
        seen: seen({ state: 'unknown' }),
      }),
      /cannot be seen/,
    ],
  ]
  for (const [name, given, message] of givenUp)
    it(`gives up ${name}`, () => {
      const { set, action } = planInstance(given, NOW)
      assert.equal(action, null)
      assert.equal(set.desired, 'terminated')
      assert.equal(set.state, 'shutting-down')
      assert.equal(set.stateReasonCode, 'Server.InternalError')
      assert.match(set.stateReasonMessage!, message)
    })
})
