// Plays a seed: a workload of AWS requests against the real control plane, with crashes, faults, dead instances, reboots,
// jumps of the clock; then the trouble ends, and everything must come to rest.
import { seededRandom } from '../src/kernel/random.ts'
import { call, putObject } from './client.ts'
import { rest, safety } from './invariants.ts'
import { Life } from './life.ts'
import { calm, makeWorld, type World } from './world.ts'

export type Played = { seed: number; wrong: string[]; trace: string[]; moves: number; crashes: number }

const MOVES = 15
/** Virtual time within which everything must have come to rest, and for which it must stay so. */
const REST_MS_MAX = 30 * 60_000
const REST_STEP_MS = 60_000
const STACK = '64bit Amazon Linux 2023 v4.6.0 running Python 3.11'
const NAMES = ['shop-prod', 'shop-test', 'blog-prod']
export const BUCKET = 'elasticbeanstalk-us-west-2-000000000000'

export async function play(seed: number): Promise<Played> {
  const dice = seededRandom(seed)
  const chance = (probability: number) => dice.next() < probability
  const below = (n: number) => Math.floor(dice.next() * n)
  const world = makeWorld(seed, {
    faultyCalls: dice.next() * 0.3,
    slowCalls: dice.next() * 0.5,
    slowMsMax: below(20_000),
  })
  const crashes = { probability: dice.next() * 0.4, count: 0 }
  const trace: string[] = []
  const note = (text: string) => trace.push(`${world.clock.monotonic()} ${text}`)
  const wrong: string[] = []

  const weather = world.weather
  world.weather = calm
  let life = new Life(world)
  await prepare(world, life)
  world.weather = weather
  const reborn = () => {
    life.die()
    crashes.count++
    note('crash')
    life = new Life(world, chance(crashes.probability) ? 1 + below(60) : Infinity)
  }

  for (let move = 0; move < MOVES && wrong.length === 0; move++) {
    if (life.dead || chance(crashes.probability / 3)) reborn()
    const name = NAMES[below(NAMES.length)]!
    const request = async (action: string, input: Record<string, string>) => {
      const reply = await call(world, life, action, { EnvironmentName: name, ...input })
      note(`${action} ${name}: ${reply.code || 'ok'}`)
    }
    const what = below(16)
    if (what <= 2) await request('CreateEnvironment', creating(name, 1 + below(3)))
    else if (what === 3) await request('UpdateEnvironment', sizes(1 + below(3)))
    else if (what === 4)
      await request(
        'UpdateEnvironment',
        chance(0.5)
          ? instanceType(['t3.micro', 't3.small', 't3.medium'][below(3)]!)
          : property(String(below(100))),
      )
    else if (what === 5) await request('UpdateEnvironment', { VersionLabel: `v${1 + below(3)}` })
    else if (what === 6) await request('TerminateEnvironment', {})
    else if (what === 7) killOne(world, below, note)
    else if (what === 8 && chance(0.3)) {
      world.reboot()
      note('reboot')
      reborn()
    } else if (what === 9 && chance(0.5)) {
      world.clock.setWall((chance(0.5) ? 1 : -1) * below(7_200_000))
      note('the wall clock is set')
    } else if (what === 10 && chance(0.5)) {
      world.clock.stall(below(3_600_000))
      note('the machine sleeps')
    } else if (what === 11) {
      world.compute.blind = chance(0.5)
      note(`the engine is ${world.compute.blind ? 'blind' : 'seeing'}`)
    } else if (what === 12) {
      world.balancer.kill()
      note('the balancer dies and returns')
    } else if (what >= 14) {
      const VersionLabel = `v${1 + below(3)}`
      const source = { 'SourceBundle.S3Bucket': BUCKET, 'SourceBundle.S3Key': `${VersionLabel}.zip` }
      const ofVersion = { ApplicationName: 'shop', VersionLabel }
      if (what === 14) await request('DeleteApplicationVersion', ofVersion)
      else await request('CreateApplicationVersion', { ...ofVersion, ...source })
    } else if (what === 13) {
      world.breaking = chance(0.3)
      world.failingBuilds = chance(0.2)
      note(`starts ${world.breaking ? 'fail' : 'work'}, builds ${world.failingBuilds ? 'fail' : 'work'}`)
    }
    await world.clock.run(below(chance(0.6) ? 5_000 : 90_000))
    wrong.push(...safety(world).map((sentence) => `after move ${move}: ${sentence}`))
  }

  world.weather = calm
  world.compute.blind = false
  world.breaking = false
  world.failingBuilds = false
  reborn()
  life.die()
  life = new Life(world)
  // Refused for what an environment runs. The layers of the others must go, and no others.
  for (const VersionLabel of ['v1', 'v2', 'v3'])
    await settle(
      world,
      call(world, life, 'DeleteApplicationVersion', { ApplicationName: 'shop', VersionLabel }),
    )
  wrong.push(...(await comeToRest(world)).map((sentence) => `at rest: ${sentence}`))
  life.die()
  world.store.close()
  return { seed, wrong, trace, moves: MOVES, crashes: crashes.count }
}

/** What is still wrong when the time is over; nothing, if all is right for two looks in a row. */
export async function comeToRest(world: World): Promise<string[]> {
  let calmBefore = false
  for (let waitedMs = 0; waitedMs < REST_MS_MAX; waitedMs += REST_STEP_MS) {
    await world.clock.run(REST_STEP_MS)
    const isCalm = rest(world).length === 0
    if (isCalm && calmBefore) return []
    calmBefore = isCalm
  }
  return rest(world)
}

/** An application with three versions, before the trouble begins. */
export async function prepare(world: World, life: Life): Promise<void> {
  const done = Promise.resolve()
    .then(() => call(world, life, 'CreateApplication', { ApplicationName: 'shop' }))
    .then(() => call(world, life, 'CreateStorageLocation', {}))
  await settle(world, done)
  for (const label of ['v1', 'v2', 'v3']) {
    await settle(world, putObject(world, life, BUCKET, `${label}.zip`, `bundle ${label}`))
    const version = { ApplicationName: 'shop', VersionLabel: label, Process: 'true' }
    const bundle = { 'SourceBundle.S3Bucket': BUCKET, 'SourceBundle.S3Key': `${label}.zip` }
    await settle(world, call(world, life, 'CreateApplicationVersion', { ...version, ...bundle }))
  }
  await world.clock.runUntil(
    () => world.store.all(`select 1 from application_version where status = 'PROCESSED'`).length === 3,
    60_000,
  )
}

// Streams of bodies need turns of the event loop that are not the clock's.
async function settle(world: World, work: Promise<unknown>): Promise<void> {
  let over = false
  const ended = work.finally(() => (over = true))
  ended.catch(() => undefined)
  for (let turn = 0; turn < 1_000 && !over; turn++) await world.clock.run(0)
  await ended
}

const setting = (index: number, namespace: string, name: string, value: string) => ({
  [`OptionSettings.member.${index}.Namespace`]: namespace,
  [`OptionSettings.member.${index}.OptionName`]: name,
  [`OptionSettings.member.${index}.Value`]: value,
})

export const sizes = (count: number): Record<string, string> => ({
  ...setting(1, 'aws:autoscaling:asg', 'MinSize', String(count)),
  ...setting(2, 'aws:autoscaling:asg', 'MaxSize', String(count)),
})

export const property = (value: string): Record<string, string> =>
  setting(1, 'aws:elasticbeanstalk:application:environment', 'GREETING', value)

export const instanceType = (value: string): Record<string, string> =>
  setting(1, 'aws:autoscaling:launchconfiguration', 'InstanceType', value)

export const creating = (name: string, count: number): Record<string, string> => ({
  ApplicationName: 'shop',
  CNAMEPrefix: name,
  VersionLabel: 'v1',
  SolutionStackName: STACK,
  ...sizes(count),
})

function killOne({ compute, kill }: World, below: (n: number) => number, note: (text: string) => void): void {
  const ids = [...compute.instances.keys()]
  const id = ids[below(ids.length)]
  if (!id) return
  kill(id)
  note(`${id} dies`)
}
