// Instances that go wrong one after the other: ended from outside, hung, answering 500, eating all memory. Who is replaced depends on the health
// check of the group; the others stay, and serve.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeTestHome } from './support/home.ts'
import { until } from './support/world.ts'

const NAME = 'sickly'
const SIZE = 3
/** In which nobody is replaced who is not to be: some checks of the load balancer, and looks of the group. */
const QUIET_MS = 30_000

/** Does what it is told, where it is meant. Who has eaten eats again at each start. */
const SERVER = `
const { existsSync, writeFileSync } = require('node:fs')
const { createServer } = require('node:http')
const { hostname } = require('node:os')
const hungry = process.env.HOME + '/hungry'
const eat = () => { const eaten = []; for (;;) eaten.push(Buffer.alloc(2 ** 24, 1)) }
let mood = 'well'
if (existsSync(hungry)) setTimeout(eat, 200)
createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost')
  if (searchParams.get('of') === hostname()) {
    mood = pathname.slice(1)
    if (mood === 'eat') { writeFileSync(hungry, ''); setTimeout(eat, 200) }
    return response.end('done')
  }
  if (mood === 'hang') return
  if (mood === 'break') response.statusCode = 500
  response.end(hostname())
}).listen(process.env.PORT, '127.0.0.1')
`

type Member = { InstanceId: string; LifecycleState: string; HealthStatus: string }

describe('instances that go wrong', { concurrency: 1, timeout: 20 * 60_000 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))

  before(async () => {
    const folder = join(home.dir, '../sickly')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'server.js'), SERVER)
    writeFileSync(join(folder, 'package.json'), '{"name":"sickly","scripts":{"start":"node server.js"}}')
    await home.polebean(['up', folder, '--name', NAME])
    await update({
      'aws:autoscaling:asg': { MinSize: String(SIZE), MaxSize: String(SIZE) },
      'aws:elasticbeanstalk:environment:process:default': {
        ...{ HealthCheckInterval: '5', HealthCheckTimeout: '2', UnhealthyThresholdCount: '2' },
      },
    })
    await allServe()
  })

  const update = async (options: Record<string, Record<string, string>>) => {
    const settings = Object.entries(options).flatMap(([namespace, values]) =>
      Object.entries(values).map(
        ([name, value]) => `Namespace=${namespace},OptionName=${name},Value=${value}`,
      ),
    )
    const named = ['--environment-name', NAME]
    await home.aws(['elasticbeanstalk', 'update-environment', ...named, '--option-settings', ...settings])
    await until('the update ends', async () => {
      const { Environments } = await home.aws(['elasticbeanstalk', 'describe-environments'])
      return (Environments as [{ Status: string }])[0].Status === 'Ready'
    })
  }
  const members = async (): Promise<string[]> => {
    const { AutoScalingGroups } = await home.aws(['autoscaling', 'describe-auto-scaling-groups'])
    const [{ Instances }] = AutoScalingGroups as [{ Instances: Member[] }]
    return Instances.filter(({ LifecycleState }) => LifecycleState === 'InService').map(
      (one) => one.InstanceId,
    )
  }
  const ask = (path: string, timeout = 4_000) =>
    new Promise<{ status: number; text: string }>((resolve) => {
      const { ports, region, domain } = home.settings()
      const headers = { host: `${NAME}.${region}.${domain}` }
      const call = request(
        { host: '127.0.0.1', port: ports.http, path, headers, agent: false, timeout },
        (answer) => {
          let text = ''
          answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
          answer.on('end', () => resolve({ status: answer.statusCode!, text }))
          answer.on('error', () => resolve({ status: 0, text }))
        },
      )
      call.on('timeout', () => call.destroy()).on('error', () => resolve({ status: 0, text: '' }))
      call.end()
    })
  const hostOf = async (id: string) => {
    const { Reservations } = await home.aws(['ec2', 'describe-instances', '--instance-ids', id])
    const [{ Instances }] = Reservations as [{ Instances: [{ PrivateDnsName: string }] }]
    return Instances[0].PrivateDnsName.split('.')[0]!
  }
  /** Tells one of them to go wrong. */
  const tell = async (id: string, mood: string) => {
    const host = await hostOf(id)
    await until(`${id} was told`, async () => (await ask(`/${mood}?of=${host}`)).text === 'done')
  }
  /** As many as are wanted are in service, and each of them answers. */
  const allServe = () =>
    until(
      'all serve',
      async () => {
        const ids = await members()
        if (ids.length !== SIZE) return false
        const hosts = await Promise.all(ids.map(hostOf))
        const answers: Awaited<ReturnType<typeof ask>>[] = []
        for (let n = 0; n < 4 * SIZE; n++) answers.push(await ask('/'))
        return (
          answers.every(({ status }) => status === 200) &&
          hosts.every((host) => answers.some(({ text }) => text === host))
        )
      },
      180_000,
    )
  const activities = async () => {
    const { Activities } = await home.aws(['autoscaling', 'describe-scaling-activities'])
    return Activities as { Description: string; Cause: string; StatusCode: string }[]
  }
  /** Another one takes its place, and nobody else's; AWS's words for why. */
  const isReplaced = async (id: string, why: RegExp) => {
    const before = await members()
    await until(`${id} is gone`, async () => !(await members()).includes(id), 180_000)
    await allServe()
    const now = await members()
    assert.deepEqual(
      before.filter((one) => one !== id && !now.includes(one)),
      [],
      'others went, too',
    )
    const ended = (await activities()).find(
      ({ Description }) => Description === `Terminating EC2 instance: ${id}`,
    )
    assert.match(ended?.Cause ?? 'no such activity', why)
    const launched = (await activities()).find(({ Description }) =>
      Description.startsWith('Launching a new EC2 instance'),
    )
    assert.match(
      launched?.Cause ?? '',
      /an instance was launched in response to an unhealthy instance needing to be replaced\./,
    )
  }
  const stays = async (id: string) => {
    const count = (await activities()).length
    const until_ = performance.now() + QUIET_MS
    while (performance.now() < until_) {
      assert.ok((await members()).includes(id), `${id} was replaced`)
      await ask('/')
    }
    assert.equal((await activities()).length, count)
    // The load balancer has left it out meanwhile.
    for (let n = 0; n < 2 * SIZE; n++) assert.equal((await ask('/')).status, 200)
  }

  it('are replaced when EC2 says so, by the check of a group without further words', async () => {
    const [one = ''] = await members()
    const gone = isReplaced(
      one,
      /taken out of service in response to an EC2 health check indicating it has been terminated or stopped\./,
    )
    await home.aws(['ec2', 'terminate-instances', '--instance-ids', one])
    await gone
  })
  it('stay with such a group when they hang, and go when the load balancer has a say', async () => {
    const [one = ''] = await members()
    await tell(one, 'hang')
    await stays(one)
    const gone = isReplaced(one, ELB)
    await update({ 'polebean:autoscaling:healthcheck': { HealthCheckType: 'ELB', GracePeriod: '5' } })
    await gone
  })
  it('go when they answer 500', async () => {
    const [one = ''] = await members()
    const gone = isReplaced(one, ELB)
    await tell(one, 'break')
    await gone
  })
  it('go when the kernel ends their application for want of memory again and again, which is told', async () => {
    const [one = ''] = await members()
    const gone = isReplaced(one, ELB)
    await tell(one, 'eat')
    await gone
    const { Events } = await home.aws(['elasticbeanstalk', 'describe-events'])
    const told = (Events as { Message: string }[]).map(({ Message }) => Message)
    assert.ok(
      told.some((text) => text.includes(one) && /memory/.test(text)),
      told.slice(0, 20).join('\n'),
    )
  })
})

const ELB = /taken out of service in response to an ELB system health check failure\./
