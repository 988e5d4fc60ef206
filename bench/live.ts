// What the control plane costs with fifty live environments that nobody asks for anything: instances, HAProxy, PowerDNS and nftables are real, and are
// measured each second.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import * as elasticbeanstalk from '@aws-sdk/client-elastic-beanstalk'
import { readCredentials } from '../src/home.ts'
import type { TestHome } from '../test/support/home.ts'
import { daemonPid, until } from '../test/support/world.ts'
import { median, type Figure } from './measure.ts'

const ENVIRONMENTS = 50
const ROUNDS = 5
const SECONDS = 20
const SETTLED_SECONDS = 60
const READY_MS = 15 * 60_000
/** USER_HZ, which proc(5) counts in, is 100 on every machine that Linux runs on. */
const TICKS = 100

export async function live(home: TestHome): Promise<Figure[]> {
  const { region, ports } = home.settings()
  const client = new elasticbeanstalk.ElasticBeanstalkClient({
    ...{ region, endpoint: `http://127.0.0.1:${ports.api}`, credentials: readCredentials(home.dir) },
  })
  const environments = async () =>
    (await client.send(new elasticbeanstalk.DescribeEnvironmentsCommand({ IncludeDeleted: false })))
      .Environments ?? []
  try {
    const [first] = await environments()
    const { ApplicationName, VersionLabel, SolutionStackName } = first!
    const one = await shareOf(home)
    const startedAt = performance.now()
    for (let n = 1; n < ENVIRONMENTS; n++)
      await client.send(
        new elasticbeanstalk.CreateEnvironmentCommand({
          ...{ ApplicationName, VersionLabel, SolutionStackName, EnvironmentName: `live-${n}` },
          OptionSettings: [
            {
              Namespace: 'aws:autoscaling:launchconfiguration',
              OptionName: 'InstanceType',
              Value: 't3.nano',
            },
          ],
        }),
      )
    const isReady = ({ Status, Health }: elasticbeanstalk.EnvironmentDescription) =>
      Status === 'Ready' && Health === 'Green'
    await until(
      'all are ready and green',
      async () => {
        await sleep(1_000)
        return (await environments()).filter(isReady).length >= ENVIRONMENTS
      },
      READY_MS,
    )
    const madeS = (performance.now() - startedAt) / 1_000
    await sleep(SETTLED_SECONDS * 1_000)
    const fifty = await shareOf(home)
    return [
      {
        what: `control plane idle, ${ENVIRONMENTS} live environments`,
        value: `${fifty.toFixed(1)} % of a core`,
        against: `1 environment: ${one.toFixed(1)} %`,
        ...{ ratio: (fifty / one).toFixed(1), budget: '', met: '' },
      },
      {
        what: `${ENVIRONMENTS - 1} environments made at once, until all are green`,
        value: `${madeS.toFixed(0)} s`,
        ...{ against: '', ratio: '', budget: '', met: '' },
      },
    ]
  } finally {
    for (const { EnvironmentName = '' } of await environments())
      if (EnvironmentName.startsWith('live-'))
        await client.send(new elasticbeanstalk.TerminateEnvironmentCommand({ EnvironmentName }))
    await until(
      'all are gone',
      async () => {
        await sleep(1_000)
        return !(await environments()).some(({ EnvironmentName = '' }) => EnvironmentName.startsWith('live-'))
      },
      READY_MS,
    )
    client.destroy()
  }
}

/** Of the server's process, in percent of a core: the median of some spans. */
async function shareOf(home: TestHome): Promise<number> {
  const pid = daemonPid(home.settings(), 'server')
  if (pid === undefined) throw new Error('there is no server')
  const ticks = () => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return Number(fields[11]) + Number(fields[12])
  }
  const shares: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const [before, at] = [ticks(), performance.now()]
    await sleep(SECONDS * 1_000)
    shares.push(((ticks() - before) / TICKS / ((performance.now() - at) / 1_000)) * 100)
  }
  return median(shares)
}
