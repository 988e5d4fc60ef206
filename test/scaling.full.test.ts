// Scaling in seconds: a Flask application under a load that steps from one instance's capacity to eight times that and back, three times.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling'
import { readCredentials } from '../src/home.ts'
import { makeTestHome } from './support/home.ts'
import { startWrk } from './support/load.ts'
import { startSockets } from './support/sockets.ts'
import { until } from './support/world.ts'

const NAME = 'stepping'
const REQUESTS_LEAST = 200_000
const ROUNDS = 3
/** Connections that keep one instance at three quarters of its target, and eight times as many. */
const [ONE, EIGHT] = [3, 24]
const SOCKETS = 3
const HIGH_SECONDS = 100
const LOW_SECONDS_MOST = 180

const APPLICATION = `
import time
from flask import Flask
from flask_sock import Sock

application = Flask(__name__)
sock = Sock(application)

@application.route("/")
def index():
    time.sleep(0.03)
    return "ok"

@sock.route("/echo")
def echo(ws):
    while True:
        ws.send(ws.receive())
`
// A request waits for 30 ms, so that connections say how many there are: about 30 a second of each.
const PROCFILE = 'web: gunicorn --bind 127.0.0.1:8000 --workers=1 --threads=8 application:application\n'

const option = (namespace: string, values: Record<string, string>) =>
  Object.entries(values).map(([name, value]) => `Namespace=${namespace},OptionName=${name},Value=${value}`)

describe('an environment that tracks a target in seconds', { concurrency: 1, timeout: 40 * 60_000 }, () => {
  const home = makeTestHome()
  let client: AutoScalingClient
  after(async () => {
    client?.destroy()
    assert.deepEqual(await home.remove(), [])
  })
  before(async () => {
    const folder = join(home.dir, '../stepping')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'application.py'), APPLICATION)
    writeFileSync(join(folder, 'requirements.txt'), 'flask\nflask-sock\ngunicorn\n')
    writeFileSync(join(folder, 'Procfile'), PROCFILE)
    await home.polebean(['up', folder, '--name', NAME])
    const settings = [
      ...option('aws:autoscaling:asg', { MinSize: '1', MaxSize: '12' }),
      ...option('polebean:autoscaling:targettracking', {
        ...{ Metric: 'RequestCountPerTarget', TargetValue: '7200', Seconds: '2', ScaleInSeconds: '20' },
      }),
    ]
    await home.aws([
      'elasticbeanstalk',
      'update-environment',
      '--environment-name',
      NAME,
      '--option-settings',
      ...settings,
    ])
    const { region, ports } = home.settings()
    client = new AutoScalingClient({
      ...{ region, endpoint: `http://127.0.0.1:${ports.api}`, credentials: readCredentials(home.dir) },
    })
    await until('the update ends', async () => {
      const { Environments } = await home.aws(['elasticbeanstalk', 'describe-environments'])
      return (Environments as [{ Status: string }])[0].Status === 'Ready'
    })
  })

  const group = async () => {
    const { AutoScalingGroups = [] } = await client.send(new DescribeAutoScalingGroupsCommand({}))
    const { DesiredCapacity = 0, Instances = [] } = AutoScalingGroups[0]!
    return {
      desired: DesiredCapacity,
      inService: Instances.filter((one) => one.LifecycleState === 'InService').length,
    }
  }
  /** Desired capacities over so many seconds, each that differed from the one before; until `enough`. */
  const follow = async (seconds: number, enough = (_desired: number) => false) => {
    const seen: number[] = []
    for (const end = performance.now() + seconds * 1_000; performance.now() < end;) {
      const { desired } = await group()
      if (seen.at(-1) !== desired) seen.push(desired)
      if (enough(desired)) break
      await new Promise((done) => setTimeout(done, 500))
    }
    return seen
  }
  const rises = (seen: number[]) => seen.every((one, index) => index === 0 || one > seen[index - 1]!)
  const falls = (seen: number[]) => rises(seen.toReversed())

  it(`follows the load ${ROUNDS} times, and loses none of ${REQUESTS_LEAST} requests`, async (context) => {
    const { ports, region, domain } = home.settings()
    const host = `${NAME}.${region}.${domain}`
    const sockets = startSockets(ports.http, host, '/echo', SOCKETS)
    let requests = 0
    const under = async (connections: number, during: () => Promise<number[]>) => {
      const wrk = startWrk(ports.http, host, connections)
      const seen = await during()
      const said = await wrk.stop()
      assert.doesNotMatch(said, /Socket errors|Non-2xx/, said)
      requests += Number(/(\d+) requests in/.exec(said)?.[1])
      return seen
    }
    for (let round = 1; round <= ROUNDS; round++) {
      await under(ONE, () => follow(10))
      const up = await under(EIGHT, () => follow(HIGH_SECONDS))
      const down = await under(ONE, () => follow(LOW_SECONDS_MOST, (desired) => desired === 1))
      context.diagnostic(
        `round ${round}: ${up.join(' ')} and back ${down.join(' ')}; ${requests} requests so far`,
      )
      assert.ok(Math.max(...up) >= 5, `${up.join()} for eight times the load`)
      assert.ok(rises(up), `it went to and fro: ${up.join()}`)
      assert.ok(falls(down) && down.at(-1) === 1, `it went to and fro, or not back: ${down.join()}`)
    }
    while (requests < REQUESTS_LEAST) await under(EIGHT, () => follow(30))
    const { answered, connections, crossed, failed } = await sockets.stop()
    context.diagnostic(
      `${requests} requests; ${answered} messages on ${connections} WebSockets, ${crossed} crossed the end of one`,
    )
    assert.deepEqual(failed, [])
    assert.ok(crossed <= connections, 'no connection can end more than once')
  })
})
