// What settings make of an environment's load balancer and target group, on elasticloadbalancingv2 as it is.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../../testing/services-world.ts'
import { makeBench, type Bench } from '../test-bench.ts'

const PROCESS = 'aws:elasticbeanstalk:environment:process:default'
const set = (OptionName: string, Value: string) => ({ Namespace: PROCESS, OptionName, Value })

let world: ServicesWorld
let bench: Bench
beforeEach(async () => {
  world = makeServicesWorld()
  bench = makeBench(world)
  await world.clock.run(1_000)
  bench.version('v1')
})
afterEach(() => {
  bench.end()
  world.end()
})

async function settle() {
  await bench.until('Ready')
  await world.clock.run(5_000)
  assert.deepEqual(
    bench.texts().filter((text) => text.startsWith('ERROR')),
    [],
  )
}
async function update(OptionSettings: ReturnType<typeof set>[]) {
  bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', OptionSettings })
  await settle()
}
const stickiness = () => world.balancer.model().targetGroups[0]?.routing?.stickiness

describe('a process', () => {
  it('keeps clients at their instances when it is told so, and not any more when it is told again', async () => {
    bench.create({ OptionSettings: [set('StickinessEnabled', 'true')] })
    await settle()
    assert.deepEqual(stickiness(), { seconds: 86_400, applicationCookie: null })
    await update([set('StickinessLBCookieDuration', '60')])
    assert.deepEqual(stickiness(), { seconds: 60, applicationCookie: null })
    await update([set('StickinessEnabled', 'false')])
    assert.equal(stickiness(), null)
  })
})
