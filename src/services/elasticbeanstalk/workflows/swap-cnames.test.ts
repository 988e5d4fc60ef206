// Environments that exchange their names, and those that have further ones, on the services as they are.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type GivenOption, onRealServices, option } from '../test-real-bench.ts'

const stage = onRealServices()
const host = (prefix: string) => `${prefix}.us-west-2.elasticbeanstalk.localhost`
const domains = (hosts: string) => option('polebean:domains', 'Hosts', hosts)
const single = option('aws:elasticbeanstalk:environment', 'EnvironmentType', 'SingleInstance')

async function create(name: string, settings: GivenOption[] = []) {
  stage.bench.create({ EnvironmentName: name, CNAMEPrefix: name, OptionSettings: settings })
  await stage.bench.until('Ready', name)
  await stage.world.clock.run(60_000)
}
const swap = (SourceEnvironmentName: string, DestinationEnvironmentName: string) => {
  const context = stage.bench.context()
  stage.bench.api.swapEnvironmentCNAMEs(context, { SourceEnvironmentName, DestinationEnvironmentName })
  return context.requestId
}
const update = (name: string, ...OptionSettings: GivenOption[]) =>
  stage.bench.api.updateEnvironment(stage.bench.context(), { EnvironmentName: name, OptionSettings })
const cname = (name: string) => stage.bench.environment(name)?.CNAME
/** Name of the environment whose instance answers. */
function by(asked: string): string | undefined {
  const { targetId } = stage.world.balancer.request({ host: asked, path: '/' })
  const { Reservations = [] } = stage.world.ec2.describeInstances(stage.world.context, {})
  const instance = Reservations.flatMap(({ Instances = [] }) => Instances).find(
    ({ InstanceId }) => InstanceId === targetId,
  )
  return instance?.Tags?.find(({ Key }) => Key === 'elasticbeanstalk:environment-name')?.Value
}
const messages = (RequestId: string) =>
  stage.bench.api
    .describeEvents(stage.bench.context(), { RequestId })
    .Events!.map(({ Message }) => Message)
    .toReversed()

describe('swapping CNAMEs', () => {
  it('exchanges names and what they lead to, and says so in the words that eb waits for', async () => {
    await create('blue', [domains('www.example.org,*.shop.example.org')])
    await create('green')
    assert.equal(by('any.shop.example.org'), 'blue')
    const requestId = swap('blue', 'green')
    for (const name of ['blue', 'green']) {
      assert.equal(stage.bench.environment(name)?.Status, 'Updating')
      assert.throws(() => update(name, domains('')), /Must be Ready/)
    }
    await stage.bench.until('Ready', 'blue')
    await stage.bench.until('Ready', 'green')
    const said = messages(requestId)
    assert.deepEqual(
      said.map((text) => text!.replace(/points to '.*'/, 'points to …')),
      [
        'swapEnvironmentCNAMEs is starting.',
        "Swapping CNAMEs for environments 'blue' and 'green'.",
        `'${host('green')}' now points to ….`,
        `'${host('blue')}' now points to ….`,
        "Completed swapping CNAMEs for environments 'blue' and 'green'.",
      ],
    )
    assert.deepEqual([cname('blue'), cname('green')], [host('green'), host('blue')])
    assert.deepEqual([by(host('blue')), by(host('green'))], ['green', 'blue'])
    assert.deepEqual([by('www.example.org'), by('any.shop.example.org')], ['green', 'green'])
    const inside = (name: string) => stage.world.dns.query(name, 'A', 'inside').answers[0]
    assert.notEqual(inside(host('blue')), inside(host('green')))
  })

  it('exchanges those of a single instance and of a load balancer', async () => {
    await create('blue', [single])
    await create('green')
    swap('green', 'blue')
    await stage.bench.until('Ready', 'blue')
    await stage.world.clock.run(5_000)
    assert.deepEqual([by(host('blue')), by(host('green'))], ['green', 'blue'])
  })

  it('refuses itself, nobody, and who is busy', async () => {
    await create('blue')
    assert.throws(() => swap('blue', 'blue'), /cannot exchange its CNAME with itself/)
    assert.throws(() => swap('blue', 'nobody'), /No Environment found for EnvironmentName = 'nobody'/)
    stage.bench.create({ EnvironmentName: 'green', CNAMEPrefix: 'green' })
    assert.throws(
      () => swap('blue', 'green'),
      /green is in an invalid state for this operation. Must be Ready/,
    )
    assert.equal(stage.bench.environment('blue')?.Status, 'Ready')
  })

  for (const [what, ended] of [
    ['the first', 'blue'],
    ['the second', 'green'],
  ] as const)
    it(`leaves the other Ready when ${what} is terminated meanwhile`, async () => {
      await create('blue')
      await create('green')
      swap('blue', 'green')
      stage.bench.api.terminateEnvironment(stage.bench.context(), { EnvironmentName: ended })
      await stage.bench.until('Terminated', ended)
      const other = ended === 'blue' ? 'green' : 'blue'
      await stage.bench.until('Ready', other)
      await stage.world.clock.run(30_000)
      const name = cname(other)!
      assert.equal(by(name), other)
    })
})

describe('further names of an environment', () => {
  it('come and go with the option', async () => {
    await create('blue')
    update('blue', domains('www.example.org'))
    await stage.bench.until('Ready', 'blue')
    await stage.world.clock.run(2_000)
    assert.equal(by('www.example.org'), 'blue')
    assert.equal(by(host('blue')), 'blue')
    update('blue', domains('other.example.org'))
    await stage.bench.until('Ready', 'blue')
    await stage.world.clock.run(2_000)
    assert.deepEqual([by('www.example.org'), by('other.example.org')], [undefined, 'blue'])
  })

  it('are names, each of one environment', async () => {
    await create('blue', [domains('www.example.org')])
    const creating = (hosts: string) =>
      stage.bench.create({ EnvironmentName: 'green', CNAMEPrefix: 'green', OptionSettings: [domains(hosts)] })
    assert.throws(
      () => creating('www.example.org'),
      /www\.example\.org is a name of the environment blue already/,
    )
    assert.throws(() => creating(host('blue')), /is a name of Polebean's own domain/)
    for (const bad of ['a b.example.org', 'localhost', 'x;y.example.org', '*'])
      assert.throws(() => creating(bad), /It is a list of host names/, bad)
  })
})
