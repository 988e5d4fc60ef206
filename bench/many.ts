// A hundred load balancers, each with a listener and ten targets: what a change costs HAProxy and whoever drives it, what the
// process takes, and how the API answers when a home has so many. Against the same with one load balancer.
import { readFileSync } from 'node:fs'
import * as elbv2 from '@aws-sdk/client-elastic-load-balancing-v2'
import * as ec2 from '@aws-sdk/client-ec2'
import { type BalancerModel, type LoadBalancer, listenerTo } from '../src/engines/balancer/engine.ts'
import { makeTestNetwork, type TestNetwork } from '../src/engines/balancer/test-network.ts'
import { readCredentials } from '../src/home.ts'
import type { TestHome } from '../test/support/home.ts'
import { median, type Figure } from './measure.ts'

const MANY = 100
const TARGETS_EACH = 10
const CHANGES = 7

export async function many(home: TestHome): Promise<Figure[]> {
  const [few, lots] = [await engineWith(1), await engineWith(MANY)]
  const figures = (Object.keys(few) as (keyof typeof few)[]).map((what): Figure => {
    const [one, other] = [few[what], lots[what]]
    return {
      what: `${what}, ${MANY} load balancers, ${MANY * TARGETS_EACH} targets`,
      value: `${other.toFixed(other < 100 ? 1 : 0)} ${UNITS[what]}`,
      against: `1 load balancer, ${TARGETS_EACH} targets: ${one.toFixed(1)}`,
      ratio: (other / one).toFixed(1),
      ...{ budget: '', met: '' },
    }
  })
  return [...figures, ...(await apiWith(home))]
}

const UNITS = {
  'another load balancer (reload)': 'ms',
  'another target': 'ms',
  'a look': 'ms',
  'HAProxy (PSS)': 'MB',
}

const loadBalancer = (n: number): LoadBalancer => ({
  ...{ id: `app/many/${n}`, address: `10.213.1.${n + 1}`, elasticAddress: null, internetFacing: true },
  ...{ hosts: [`shop-${n}.localhost`], loopbackPort: null, idleTimeoutSeconds: 60, cutsOnRevoke: false },
  listeners: [listenerTo(80, `group-${n}`, ['0.0.0.0/0'])],
})
const target = (n: number, index: number) => {
  const nth = n * TARGETS_EACH + index
  const address = `10.213.2.${1 + (nth % 250)}`
  return { id: `i-${nth}`, address, port: 8_000 + Math.floor(nth / 250), draining: false }
}
const model = (count: number, targetsOfFirst = TARGETS_EACH): BalancerModel => ({
  loadBalancers: Array.from({ length: count }, (_unused, n) => loadBalancer(n)),
  targetGroups: Array.from({ length: count }, (_unused, n) => ({
    id: `group-${n}`,
    healthCheck: {
      ...{ protocol: 'HTTP', port: null, path: '/', intervalSeconds: 15, timeoutSeconds: 5 },
      ...{ healthyThreshold: 3, unhealthyThreshold: 5, matcher: '200' },
    },
    targets: Array.from({ length: n === 0 ? targetsOfFirst : TARGETS_EACH }, (_unused2, index) =>
      target(n, index),
    ),
  })),
})

async function engineWith(count: number): Promise<Record<keyof typeof UNITS, number>> {
  const net = await makeTestNetwork()
  try {
    for (let port = 8_000; port < 8_006; port++)
      await net.order({ address: '0.0.0.0', port, name: `port-${port}`, status: 200 })
    const engine = net.engine()
    await engine.apply(model(count))
    await untilHealthy(engine, count * TARGETS_EACH)
    const reloads: number[] = []
    const additions: number[] = []
    const looks: number[] = []
    for (let change = 0; change < CHANGES; change++) {
      reloads.push(await timed(() => engine.apply(model(count + 1))))
      await engine.apply(model(count))
      additions.push(await timed(() => engine.apply(model(count, TARGETS_EACH - 1))))
      await engine.apply(model(count))
      looks.push(await timed(() => engine.observe()))
    }
    return {
      'another load balancer (reload)': median(reloads),
      'another target': median(additions),
      'a look': median(looks),
      'HAProxy (PSS)': await haproxyMb(net),
    }
  } finally {
    await net.close()
  }
}

async function untilHealthy(engine: ReturnType<TestNetwork['engine']>, count: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { targets } = await engine.observe()
    if (targets.filter(({ health }) => health === 'healthy').length === count) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('not all targets are healthy')
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

/** The worker that serves now; those that a reload has replaced end by themselves. */
async function haproxyMb({ supervisor }: TestNetwork): Promise<number> {
  const master = (await supervisor.list()).find(({ name }) => name === 'haproxy')!.pid!
  const children = readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').trim().split(' ')
  const pssOf = (pid: string) =>
    Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)
  return (pssOf(String(master)) + pssOf(children.at(-1)!)) / 1024
}

async function apiWith(home: TestHome): Promise<Figure[]> {
  const { ports, region } = home.settings()
  const settings = {
    ...{ region, endpoint: `http://127.0.0.1:${ports.api}`, maxAttempts: 1 },
    credentials: readCredentials(home.dir),
  }
  const [balancers, network] = [new elbv2.ElasticLoadBalancingV2Client(settings), new ec2.EC2Client(settings)]
  try {
    const { Subnets = [] } = await network.send(new ec2.DescribeSubnetsCommand({}))
    const describe = () => timed(() => balancers.send(new elbv2.DescribeLoadBalancersCommand({})))
    const create = async (n: number) => {
      const Name = `bench-${n}`
      const input = { Name, Subnets: [Subnets[0]!.SubnetId!] }
      const answer = await balancers.send(new elbv2.CreateLoadBalancerCommand(input))
      return answer.LoadBalancers![0]!.LoadBalancerArn!
    }
    const before = median(await inTurn(CHANGES, describe))
    const arns: string[] = []
    for (let n = 0; n < MANY - 1; n++) arns.push(await create(n))
    await untilActive(balancers, arns.at(-1)!)
    const after = median(await inTurn(CHANGES, describe))
    const toActive = await timed(async () => {
      arns.push(await create(MANY))
      await untilActive(balancers, arns.at(-1)!)
    })
    for (const LoadBalancerArn of arns)
      await balancers.send(new elbv2.DeleteLoadBalancerCommand({ LoadBalancerArn }))
    return [
      {
        what: `DescribeLoadBalancers of ${MANY}`,
        value: `${after.toFixed(1)} ms`,
        against: `of 1: ${before.toFixed(1)}`,
        ratio: (after / before).toFixed(1),
        ...{ budget: '', met: '' },
      },
      {
        what: `CreateLoadBalancer beside ${MANY} to active`,
        value: `${toActive.toFixed(0)} ms`,
        ...{ against: '', ratio: '', budget: '', met: '' },
      },
    ]
  } finally {
    balancers.destroy()
    network.destroy()
  }
}

async function inTurn(times: number, work: () => Promise<number>): Promise<number[]> {
  const values: number[] = []
  for (let n = 0; n < times; n++) values.push(await work())
  return values
}

async function untilActive(balancers: elbv2.ElasticLoadBalancingV2Client, arn: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const input = { LoadBalancerArns: [arn] }
    const { LoadBalancers } = await balancers.send(new elbv2.DescribeLoadBalancersCommand(input))
    if (LoadBalancers?.[0]?.State?.Code === 'active') return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${arn} does not become active`)
}
