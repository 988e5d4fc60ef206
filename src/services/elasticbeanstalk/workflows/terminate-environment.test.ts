import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeBench, type Bench } from '../test-bench.ts'

let bench: Bench
beforeEach(() => {
  bench = makeBench()
  bench.version('v1')
})
afterEach(() => bench.end())

const terminate = () =>
  bench.api.terminateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', ForceTerminate: true })

function assertNothingIsLeft() {
  const { groups, configurations, securityGroups, targetGroups, loadBalancers, listeners } = bench.world
  const { policies, alarms } = bench.world
  const all = [groups, configurations, securityGroups, targetGroups, loadBalancers, listeners]
  assert.deepEqual(
    [...all, policies, alarms].map(({ size }) => size),
    [0, 0, 0, 0, 0, 0, 0, 0],
  )
  assert.deepEqual(bench.store.all('select * from environment_instance'), [])
}

describe('terminating an environment', () => {
  it('deletes everything and says so in order', async () => {
    bench.create()
    await bench.until('Ready')
    const from = bench.texts().length
    assert.equal(terminate().Status, 'Terminating')
    await bench.until('Terminated')
    const kinds = bench
      .texts()
      .slice(from)
      .filter((text) => !text.includes('health'))
      .map((text) => text.replace(/ named: .*/, ''))
    assert.deepEqual(kinds, [
      'INFO terminateEnvironment is starting.',
      'INFO Deleted CloudWatch alarm',
      'INFO Deleted CloudWatch alarm',
      'INFO Deleted Auto Scaling group policy',
      'INFO Deleted Auto Scaling group policy',
      'INFO Waiting for EC2 instances to terminate. This may take a few minutes.',
      'INFO Removed instance [i-00000000000000003] from your environment.',
      'INFO Deleted Auto Scaling group',
      'INFO Deleted Auto Scaling launch configuration',
      'INFO Deleted Load Balancer listener',
      'INFO Deleted security group',
      'INFO Deleted load balancer',
      'INFO Deleted target group',
      'INFO Deleted security group',
      'INFO terminateEnvironment completed successfully.',
    ])
    assertNothingIsLeft()
  })

  it('stops a creation wherever it is', async () => {
    for (const ms of [0, 1, 3_000, 5_500, 6_500]) {
      bench.version(`after-${ms}`) // another bundle, so that there is something to build
      bench.create({ VersionLabel: `after-${ms}` })
      await bench.clock.run(ms)
      terminate()
      await bench.until('Terminated')
      assertNothingIsLeft()
      await bench.clock.run(60_000)
      assertNothingIsLeft()
      assert.equal(bench.environment()?.Status, 'Terminated')
      assert.ok(!bench.texts().some((text) => text.includes('Successfully launched')))
    }
  })

  it('stops an update', async () => {
    bench.create()
    await bench.until('Ready')
    bench.version('v2')
    bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', VersionLabel: 'v2' })
    await bench.clock.run(1_000)
    terminate()
    await bench.until('Terminated')
    assertNothingIsLeft()
  })

  it('frees the name and the CNAME, and stays listed for an hour as the waiters need it', async () => {
    bench.create()
    await bench.until('Ready')
    terminate()
    await bench.until('Terminated')
    const listed = (input: object) =>
      bench.api.describeEnvironments(bench.context(), input).Environments?.map(({ Status }) => Status)
    assert.deepEqual(listed({}), ['Terminated'])
    assert.deepEqual(listed({ IncludeDeleted: false }), [])
    await bench.clock.run(3_700_000)
    assert.deepEqual(listed({}), [])
    assert.deepEqual(listed({ IncludeDeleted: true, IncludedDeletedBackTo: new Date(0) }), ['Terminated'])
    assert.equal(bench.create().CNAME, 'shop.us-west-2.elasticbeanstalk.localhost')
  })

  it('is history for six weeks, and then forgotten', async () => {
    bench.create()
    await bench.until('Ready')
    terminate()
    await bench.until('Terminated')
    const kept = () => bench.store.all('select 1 from environment').length
    const jump = (days: number) => bench.clock.setWall(days * 24 * 3_600_000)
    jump(41)
    await bench.clock.run(20_000)
    assert.equal(kept(), 1)
    jump(1)
    await bench.clock.run(20_000)
    assert.equal(kept(), 0)
    assert.deepEqual(bench.store.all('select 1 from deployment'), [])
  })

  it('is refused for one that is gone or going', async () => {
    assert.throws(terminate, { message: "No Environment found for EnvironmentName = 'shop-prod'." })
    bench.create()
    terminate()
    assert.throws(terminate, {
      message: 'Environment named shop-prod is in an invalid state for this operation. Must be Ready.',
    })
  })

  it('belongs to deleting an application by force', async () => {
    bench.create()
    await bench.until('Ready')
    assert.throws(() => bench.api.deleteApplication(bench.context(), { ApplicationName: 'shop' }), {
      code: 'OperationInProgressFailure',
    })
    const context = bench.context()
    bench.api.deleteApplication(context, { ApplicationName: 'shop', TerminateEnvByForce: true })
    await bench.clock.runUntil(
      () => bench.api.describeApplications(bench.context(), {}).Applications?.length === 0,
      600_000,
    )
    const texts = bench.texts({ EnvironmentName: undefined, RequestId: context.requestId })
    // No "terminateEnvironment completed successfully." among them: `eb terminate --all` would take that for the end.
    assert.deepEqual(texts, [
      'INFO deleteApplication is starting.',
      'INFO Invoking Environment Termination workflows.',
      'INFO The application has been deleted successfully.',
    ])
    const terminations = bench
      .events()
      .filter(({ Message }) => Message === 'terminateEnvironment completed successfully.')
    assert.match(terminations[0]?.RequestId ?? '', /^[0-9a-f-]{36}$/)
    assertNothingIsLeft()
  })
})
