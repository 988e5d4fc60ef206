// Scaling in and out under as much load as the machine gives: instances leave their load balancer before they end, so no request fails.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeTestHome } from './support/home.ts'
import { startWrk } from './support/load.ts'
import { writeProbeApp } from './support/probe-app.ts'

const NAME = 'probe-app'
const REQUESTS_LEAST = 200_000
/** From four instances to one and back, again and again. */
const ROUNDS_MAX = 40

describe('a target group that scales in under load', { concurrency: 1, timeout: 20 * 60_000 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  let host = ''
  before(async () => {
    const folder = writeProbeApp(join(home.dir, '../probe-app'), 'v1')
    const { stdout } = await home.polebean(['up', folder, '--name', NAME])
    host = new URL(stdout.trim()).hostname
  })

  const inService = async () => {
    const { AutoScalingGroups } = await home.aws(['autoscaling', 'describe-auto-scaling-groups'])
    const [group] = AutoScalingGroups as [{ Instances: { InstanceId: string; LifecycleState: string }[] }]
    return group.Instances
  }
  const scale = async (count: number) => {
    await home.polebean(['scale', String(count), NAME])
    for (;;) {
      const all = await inService()
      const healthy = all.filter(({ LifecycleState }) => LifecycleState === 'InService')
      if (all.length === count && healthy.length === count) return
    }
  }

  it(`loses none of ${REQUESTS_LEAST} requests`, async (context) => {
    const load = startWrk(home.settings().ports.http, host)
    let scaledIn = 0
    const enough = () => load.seconds() * REQUESTS_A_SECOND > REQUESTS_LEAST
    while (scaledIn < 6 || (!enough() && scaledIn < ROUNDS_MAX)) {
      await scale(4)
      await scale(1)
      scaledIn += 3
    }
    const said = await load.stop()
    const requests = Number(/(\d+) requests in/.exec(said)?.[1])
    context.diagnostic(`${requests} requests while ${scaledIn} instances left`)
    assert.doesNotMatch(said, /Socket errors|Non-2xx/, said)
    assert.ok(requests >= REQUESTS_LEAST, said)
  })
})

/** At which the least would be reached. */
const REQUESTS_A_SECOND = 1_000
