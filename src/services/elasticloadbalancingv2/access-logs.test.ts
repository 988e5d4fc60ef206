import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'
import { boundWaiting, keepLines, PERIOD_MS } from './access-logs.ts'
import type { LoadBalancerRow } from './store.ts'

const BUCKET = 'logs-of-mine'
let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const elb = () => world.elasticloadbalancingv2
/** A load balancer with a healthy instance, reached as `shop.example`. */
async function shop() {
  const { context, ec2 } = world
  const { Instances = [] } = ec2.runInstances(context, {
    ImageId: imageId(),
    MinCount: 1,
    MaxCount: 1,
    InstanceType: 't3.micro',
  })
  const [VpcId] = ec2.describeVpcs(context, {}).Vpcs!.map((one) => one.VpcId!)
  const Subnets = ec2.describeSubnets(context, {}).Subnets!.map((one) => one.SubnetId!)
  const group = elb().createTargetGroup(context, { Name: 'web', Protocol: 'HTTP', Port: 80, VpcId })
  const { TargetGroupArn } = group.TargetGroups![0]!
  const { LoadBalancerArn } = elb().createLoadBalancer(context, { Name: 'web', Subnets }).LoadBalancers![0]!
  elb().createListener(context, {
    ...{ LoadBalancerArn, Protocol: 'HTTP', Port: 80 },
    DefaultActions: [{ Type: 'forward', TargetGroupArn }],
  })
  elb().putLoadBalancerNames(context, LoadBalancerArn!, { hosts: ['shop.example'], loopbackPort: null })
  world.ec2.authorizeSecurityGroupIngress(context, {
    GroupName: 'default',
    IpPermissions: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
  })
  await world.clock.run(20_000)
  elb().registerTargets(context, { TargetGroupArn, Targets: [{ Id: Instances[0]!.InstanceId! }] })
  await world.clock.run(5_000)
  return {
    LoadBalancerArn: LoadBalancerArn!,
    TargetGroupArn: TargetGroupArn!,
    instanceId: Instances[0]!.InstanceId!,
  }
}
const imageId = () => world.ec2.describeImages(world.context, {}).Images![0]!.ImageId!
const set = (LoadBalancerArn: string, values: Record<string, string>) =>
  elb().modifyLoadBalancerAttributes(world.context, {
    LoadBalancerArn,
    Attributes: Object.entries(values).map(([Key, Value]) => ({ Key, Value })),
  })
const switchOn = (arn: string, prefix = 'web') =>
  set(arn, {
    'access_logs.s3.enabled': 'true',
    'access_logs.s3.bucket': BUCKET,
    'access_logs.s3.prefix': prefix,
  })
const keys = () =>
  (world.s3.listObjectsV2(world.context, { Bucket: BUCKET }).Contents ?? []).map((one) => one.Key!).sort()
const request = (path: string) =>
  world.balancer.request({ host: 'shop.example', path, headers: { 'user-agent': 'curl/8' } })

/** Lines of all logs, in their order. */
async function lines(): Promise<string[]> {
  const all: string[] = []
  for (const key of keys().filter((one) => one.endsWith('.log.gz'))) {
    const { Body } = world.s3.getObject(world.context, { Bucket: BUCKET, Key: key })
    const chunks: Uint8Array[] = []
    for await (const chunk of Body as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk)
    all.push(...gunzipSync(Buffer.concat(chunks)).toString().split('\n').filter(Boolean))
  }
  return all
}
const paths = async () => (await lines()).map((line) => /http:\/\/[^/]*(\/\S*) /.exec(line)?.[1])

describe('access logs', () => {
  it('are refused without a bucket that is there', async () => {
    const { LoadBalancerArn } = await shop()
    assert.throws(() => switchOn(LoadBalancerArn), {
      code: 'InvalidConfigurationRequest',
      message: `Access Denied for bucket: ${BUCKET}. Please check S3bucket permission`,
    })
    assert.throws(() => set(LoadBalancerArn, { 'access_logs.s3.enabled': 'true' }), /must be specified/)
    world.s3.ensureBucket(world.context, BUCKET)
    for (const prefix of ['AWSLogs', 'a/', '/a', 'a b', 'ä'])
      assert.throws(() => switchOn(LoadBalancerArn, prefix), /is not valid/)
    assert.deepEqual(keys(), [])
  })

  it('lie every five minutes where AWS puts them, in its form', async () => {
    const { LoadBalancerArn, TargetGroupArn } = await shop()
    world.s3.ensureBucket(world.context, BUCKET)
    switchOn(LoadBalancerArn)
    await world.clock.run(3_000)
    assert.deepEqual(keys(), ['web/AWSLogs/000000000000/ELBAccessLogTestFile'])
    const at = world.clock.now()
    request('/a?b=1')
    await world.clock.run(PERIOD_MS + 15_000)
    const [, key = ''] = keys()
    const id = LoadBalancerArn.split('/').at(-1)
    const end = new Date((Math.floor(at / PERIOD_MS) + 1) * PERIOD_MS).toISOString()
    const [day, time] = [end.slice(0, 10), end.slice(11, 16).replace(':', '')]
    assert.match(
      key,
      new RegExp(
        `^web/AWSLogs/000000000000/elasticloadbalancing/us-west-2/${day.replaceAll('-', '/')}/` +
          `000000000000_elasticloadbalancing_us-west-2_app\\.web\\.${id}_${day.replaceAll('-', '')}T${time}Z_[0-9.]+_[A-Za-z0-9]{8}\\.log\\.gz$`,
      ),
    )
    const [line = ''] = await lines()
    const iso = new Date(at).toISOString().replace('Z', '000Z')
    const began = new Date(at - 1).toISOString().replace('Z', '000Z')
    assert.equal(
      line.replace(/10\.\d+\.\d+\.\d+:80/g, 'TARGET'),
      `http ${iso} app/web/${id} 127.0.0.1:40000 TARGET 0.000 0.001 0.000 200 200 100 200 ` +
        `"GET http://shop.example:80/a?b=1 HTTP/1.1" "curl/8" - - ${TargetGroupArn} "-" "-" "-" 0 ${began} ` +
        `"forward" "-" "-" "TARGET" "200" "-" "-" -`,
    )
  })

  it('hold each request once, though the control plane dies and is away for long', async () => {
    const { LoadBalancerArn } = await shop()
    world.s3.ensureBucket(world.context, BUCKET)
    switchOn(LoadBalancerArn)
    await world.clock.run(1_000)
    const sent: string[] = []
    const send = (path: string) => {
      sent.push(path)
      request(path)
    }
    for (let n = 0; n < 30; n++) {
      send(`/n${n}`)
      await world.clock.run(7_000)
      if (n % 5 === 4) {
        world.die()
        // More than one pass reads.
        for (let each = 0; each < 300; each++) send(`/dead${n}-${each}`)
        await world.clock.run(n * 30_000)
        world.restart()
      }
    }
    await world.clock.run(2 * PERIOD_MS)
    assert.deepEqual((await paths()).toSorted(), sent.toSorted())
    assert.deepEqual(world.store.all('select * from elbv2_access_log'), [])
  })

  it('hold each request once, though the clock is set far ahead, and back, and back again', async () => {
    const { LoadBalancerArn } = await shop()
    world.s3.ensureBucket(world.context, BUCKET)
    switchOn(LoadBalancerArn)
    await world.clock.run(1_000)
    const sent: string[] = []
    const send = async () => {
      for (let n = 0; n < 20; n++) {
        sent.push(`/n${sent.length}`)
        request(sent.at(-1)!)
        await world.clock.run(n % 5 === 0 ? 40_000 : 1_000)
      }
    }
    await send()
    for (const hours of [30, -30, -5, 4, -4]) {
      world.clock.setWall(hours * 3_600_000)
      await send()
    }
    await world.clock.run(3 * PERIOD_MS)
    assert.deepEqual((await paths()).toSorted(), sent.toSorted())
  })

  it('wait for a bucket that is gone, and no more than may', async () => {
    const { LoadBalancerArn } = await shop()
    world.s3.ensureBucket(world.context, BUCKET)
    switchOn(LoadBalancerArn)
    await world.clock.run(3_000)
    world.s3.deleteObject(world.context, { Bucket: BUCKET, Key: keys()[0] })
    world.s3.deleteBucket(world.context, { Bucket: BUCKET })
    request('/waits')
    await world.clock.run(2 * PERIOD_MS)
    world.s3.ensureBucket(world.context, BUCKET)
    await world.clock.run(120_000)
    assert.deepEqual(await paths(), ['/waits'])
    const row = world.store.get<LoadBalancerRow>('select * from elbv2_load_balancer')!
    for (let n = 1; n <= 4; n++)
      keepLines(world.store, row, { bucket: 'gone', prefix: '' }, { end: n * PERIOD_MS, generation: 0 }, [
        'x'.repeat(1_000),
      ])
    const { bytes } = world.store.get<{ bytes: number }>(
      'select max(length(content)) as bytes from elbv2_access_log',
    )!
    assert.equal(boundWaiting(world.store, bytes * 2), 2)
    const left = world.store.all<{ key: string }>(`select key from elbv2_access_log where bucket = 'gone'`)
    assert.ok(left.every(({ key }) => /T00(15|20)Z/.test(key)) && left.length === 2)
  })

  it('end when they are switched off', async () => {
    const { LoadBalancerArn } = await shop()
    world.s3.ensureBucket(world.context, BUCKET)
    switchOn(LoadBalancerArn, '')
    await world.clock.run(3_000)
    request('/logged')
    await world.clock.run(3_000)
    set(LoadBalancerArn, { 'access_logs.s3.enabled': 'false' })
    await world.clock.run(3_000)
    request('/not')
    await world.clock.run(2 * PERIOD_MS)
    assert.deepEqual(await paths(), ['/logged'])
  })
})

describe('figures of a load balancer', () => {
  it('have response times of about the last ten seconds', async () => {
    const { LoadBalancerArn, TargetGroupArn, instanceId } = await shop()
    for (let n = 0; n < 10; n++) {
      request('/')
      await world.clock.run(500)
    }
    await world.clock.run(2_000)
    assert.equal(elb().loadBalancerCounters(world.context, LoadBalancerArn)!.responseTimeMs(99), 1)
    assert.equal(elb().targetCounters(world.context, [TargetGroupArn], instanceId)!.responseTimeMs(50), 1)
    await world.clock.run(20_000)
    assert.equal(elb().loadBalancerCounters(world.context, LoadBalancerArn)!.responseTimeMs(99), undefined)
  })
})
