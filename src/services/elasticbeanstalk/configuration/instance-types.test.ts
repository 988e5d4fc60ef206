import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeServicesWorld } from '../../testing/services-world.ts'
import { knownInstanceTypes } from './instance-types.ts'
import { namesThatExist } from './names.ts'
import { resolveConfiguration } from './resolve.ts'

const LAUNCH = 'aws:autoscaling:launchconfiguration'

describe('the instance types of an environment', () => {
  for (const [architecture, own, other] of [
    ['x86_64', 't3.micro', 't4g.micro'],
    ['arm64', 't4g.micro', 't3.micro'],
  ] as const)
    it(`are of the machine's architecture (${architecture}), also the one that nobody chose`, async () => {
      const world = makeServicesWorld()
      world.compute.architecture = architecture
      await world.clock.run(1_000)
      const instanceTypes = knownInstanceTypes({ cloud: world }, world.context)
      world.end()
      assert.deepEqual([instanceTypes.has(own), instanceTypes.has(other)], [true, false])
      const resolve = (type?: string) =>
        resolveConfiguration({
          platform: 'python',
          stored: null,
          given: type === undefined ? [] : [{ Namespace: LAUNCH, OptionName: 'InstanceType', Value: type }],
          names: namesThatExist({ cloud: world }, world.context),
        })
      assert.equal(resolve().configuration.instanceType, own)
      assert.equal(resolve(own).configuration.instanceType, own)
      assert.throws(() => resolve(other), /is not one of the allowed values/)
      // AWS's own default needs no setting; another one is kept with the environment.
      assert.equal(resolve().stored.length, own === 't3.micro' ? 0 : 1)
    })
})
