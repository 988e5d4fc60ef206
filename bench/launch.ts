// How long a user waits: from CreateEnvironment to the first 200 with dependencies cached, and from asking for a second
// instance to its first answer, both against starting the same gunicorn by hand; and what the engine alone needs.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { instanceId, software } from '../src/engines/compute/conformance.ts'
import { makeTestHome } from '../src/engines/compute/test-home.ts'
import type { TestHome } from '../test/support/home.ts'
import { firstAnswer } from './answers.ts'
import { prepareByHand, type ByHand } from './by-hand.ts'
import { median, type Figure } from './measure.ts'

const ROUNDS = 5
const LAUNCHES = 15

export async function launch(home: TestHome): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pbbench-'))
  try {
    const byHand = await prepareByHand(folder)
    return [
      await against(byHand, 'create-environment to first 200, cached', 1_500, (round) =>
        created(home, round),
      ),
      await against(byHand, 'second instance: SetDesiredCapacity to its first 200', 1_500, () =>
        second(home),
      ),
      await engineAlone(),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function against(
  byHand: ByHand,
  what: string,
  overMsMax: number,
  measure: (round: number) => Promise<number>,
): Promise<Figure> {
  const hand: number[] = []
  const ours: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    hand.push(await byHand.start())
    ours.push(await measure(round))
  }
  const over = median(ours.map((value, round) => value - hand[round]!))
  return {
    what,
    value: `${median(ours).toFixed(0)} ms`,
    against: `the same gunicorn by hand: ${median(hand).toFixed(0)} ms`,
    ratio: `${over >= 0 ? '+' : ''}${over.toFixed(0)} ms`,
    budget: `≤ +${overMsMax} ms`,
    met: over <= overMsMax ? 'yes' : 'no',
  }
}

async function created(home: TestHome, round: number): Promise<number> {
  const { Environments } = await home.aws(words('elasticbeanstalk describe-environments'))
  const like = (Environments as Like[]).find((one) => one.EnvironmentName === 'bench-flask')!
  const name = `bench-${round}`
  const { region, domain, ports } = home.settings()
  const watching = firstAnswer(ports.http, `${name}.${region}.${domain}`)
  const { DateCreated } = (await home.aws([
    ...words('elasticbeanstalk create-environment'),
    ...['--application-name', like.ApplicationName, '--environment-name', name, '--cname-prefix', name],
    ...['--version-label', like.VersionLabel, '--solution-stack-name', like.SolutionStackName],
  ])) as { DateCreated: string }
  const tookMs = (await watching) - Date.parse(DateCreated)
  await home.client(words(`aws elasticbeanstalk wait environment-exists --environment-names ${name}`))
  await home.polebean(['terminate', name, '--force'])
  return tookMs
}

/** The environment has one instance; a second one is asked for, and taken away again. */
async function second(home: TestHome): Promise<number> {
  const name = 'bench-flask'
  const { region, domain, ports } = home.settings()
  const host = `${name}.${region}.${domain}`
  await home.polebean(['scale', '1', name])
  await home.aws([
    ...words('elasticbeanstalk update-environment --environment-name'),
    name,
    ...words('--option-settings Namespace=aws:autoscaling:asg,OptionName=MaxSize,Value=2'),
  ])
  await home.client(words(`aws elasticbeanstalk wait environment-updated --environment-names ${name}`))
  const before = await answerer(ports.http, host)
  const { AutoScalingGroups } = await home.aws(words('autoscaling describe-auto-scaling-groups'))
  const group = (AutoScalingGroups as Group[]).find(({ Tags }) => Tags.some(({ Value }) => Value === name))!
  // The client alone takes half a second: what counts begins when the API has answered it.
  await home.client([
    ...words('aws autoscaling set-desired-capacity --desired-capacity 2 --auto-scaling-group-name'),
    group.AutoScalingGroupName,
  ])
  const askedAt = Date.now()
  const answeredAt = await firstAnswer(ports.http, host, (body) => whose(body) !== before)
  await home.polebean(['scale', '2', name])
  return answeredAt - askedAt
}

async function answerer(port: number, host: string): Promise<string> {
  let said = ''
  await firstAnswer(port, host, (body) => (said = whose(body)) !== '')
  return said
}

/** The sample says which instance answered. */
const whose = (body: string) => /answered by <code>([^<]+)</.exec(body)?.[1] ?? ''

/** The compute engine alone: from `launch` to the instance's first process, with its network. */
async function engineAlone(): Promise<Figure> {
  const test = await makeTestHome()
  const compute = test.open()
  try {
    await compute.ensure()
    const took: number[] = []
    for (let number = 1; number <= LAUNCHES; number++) {
      const startedAt = performance.now()
      await compute.launch({
        id: instanceId(number),
        platform: { name: 'python-3.11', version: '1' },
        software: software(1),
        diskBytes: 8 * 2 ** 30,
        cpu: 2,
        memoryBytes: 2 ** 30,
        pids: 512,
        zone: 'a',
        requestedAddress: test.home.cidr.replace(/0\.0\/16$/, `1.${number}`),
        tags: {},
      })
      took.push(performance.now() - startedAt)
    }
    return {
      what: 'instance launch, without the application',
      value: `${median(took).toFixed(0)} ms`,
      against: `slowest of ${LAUNCHES}: ${Math.max(...took).toFixed(0)} ms`,
      ratio: '',
      budget: '≤ 150 ms',
      met: median(took) <= 150 ? 'yes' : 'no',
    }
  } finally {
    await test.destroy(compute)
  }
}

type Like = {
  ApplicationName: string
  EnvironmentName: string
  VersionLabel: string
  SolutionStackName: string
}

type Group = { AutoScalingGroupName: string; Tags: { Value: string }[] }

const words = (text: string) => text.split(' ')
