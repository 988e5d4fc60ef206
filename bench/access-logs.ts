// What access logs cost: the same environment without them and with them, in turns.
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestHome } from '../test/support/home.ts'
import { median, ratioOf, wrk, type Figure } from './measure.ts'

const ROUNDS = 5
const BUCKET = 'bench-access-logs'
/** A reload, and the worker that it replaces. */
const SETTLE_MS = 1_500

export async function accessLogs(home: TestHome): Promise<Figure[]> {
  const { region, domain, ports } = home.settings()
  await home.aws([
    's3api',
    'create-bucket',
    '--bucket',
    BUCKET,
    '--create-bucket-configuration',
    `LocationConstraint=${region}`,
  ])
  const { LoadBalancers } = (await home.aws(['elbv2', 'describe-load-balancers'])) as {
    LoadBalancers: { LoadBalancerArn: string }[]
  }
  const arn = LoadBalancers[0]!.LoadBalancerArn
  const set = async (enabled: boolean) => {
    const attributes = [
      `Key=access_logs.s3.enabled,Value=${enabled}`,
      `Key=access_logs.s3.bucket,Value=${BUCKET}`,
    ]
    await home.aws([
      'elbv2',
      'modify-load-balancer-attributes',
      '--load-balancer-arn',
      arn,
      '--attributes',
      ...attributes,
    ])
    await sleep(SETTLE_MS)
  }
  const ask = () =>
    wrk([], `http://127.0.0.1:${ports.http}/static/style.css`, { host: `bench-flask.${region}.${domain}` })
  const values: Record<'without' | 'with', number[]> = { without: [], with: [] }
  for (let round = 0; round < ROUNDS; round++) {
    await set(false)
    values.without.push(await ask())
    await set(true)
    values.with.push(await ask())
  }
  await set(false)
  return [
    {
      what: 'static file, access logs on',
      value: `${median(values.with).toFixed(0)} requests/s`,
      against: `off: ${median(values.without).toFixed(0)}`,
      ratio: ratioOf(values.with, values.without).toFixed(2),
      ...{ budget: '', met: '' },
    },
  ]
}
