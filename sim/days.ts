// Days of an environment that scales with what it is asked, while instances die and hang, the control plane crashes and the machine
// starts anew. Time is coarse, so that a month is minutes.
import { seededRandom } from '../src/kernel/random.ts'
import { call } from './client.ts'
import { makeDemand } from './demand.ts'
import { safety } from './invariants/safety.ts'
import { followed, makeFollowing, type Following } from './invariants/following.ts'
import { Life } from './life.ts'
import { comeToRest } from './play.ts'
import { creating, prepare, setting } from './shop.ts'
import { calm } from './trouble.ts'
import { endWorld, makeWorld, type World } from './world.ts'

const NAME = 'shop-prod'
const TICK_MS = 10_000
const HOUR_MS = 3600_000
/** Requests a second that one instance can answer. */
export const CAPACITY = 50
const VCPUS = 2
const BYTES = 10_000
export const SIZES = { least: 1, most: 10 }
const TRACKING = 'polebean:autoscaling:targettracking'
const TRIGGER = 'aws:autoscaling:trigger'

export type Way = {
  name: string
  settings: [namespace: string, option: string, value: string][]
  /** The share of what an instance can do that it does when all is well: above `to` one is to be added, below `from` one to be taken
   *  away. `looksAhead`: of those who are left then. */
  from: number
  to: number
  looksAhead: boolean
}

const tracking = (name: string, metric: string, target: number): Way => ({
  name,
  settings: [
    [TRACKING, 'Metric', metric],
    [TRACKING, 'TargetValue', String(target)],
    [TRACKING, 'Seconds', '60'],
    [TRACKING, 'ScaleInSeconds', '600'],
  ],
  ...{ from: 0.54, to: 0.6, looksAhead: true },
})

export const WAYS: Way[] = [
  tracking('requests to a target', 'RequestCountPerTarget', 0.6 * CAPACITY * 60),
  tracking('processors', 'CPUUtilization', 60),
  {
    name: 'a trigger',
    settings: [
      [TRIGGER, 'MeasureName', 'CPUUtilization'],
      [TRIGGER, 'Unit', 'Percent'],
      [TRIGGER, 'Period', '1'],
      [TRIGGER, 'EvaluationPeriods', '3'],
      [TRIGGER, 'UpperThreshold', '75'],
      [TRIGGER, 'LowerThreshold', '30'],
    ],
    ...{ from: 0.3, to: 0.75, looksAhead: false },
  },
]

export type Lived = { wrong: string[]; requests: number; failed: number; changes: number; mishaps: number }

export async function liveDays(seed: number, days: number): Promise<Lived> {
  const dice = seededRandom(seed)
  const chance = (probability: number) => dice.next() < probability
  const world = makeWorld(seed)
  world.tickMs = TICK_MS
  const { clock, trouble } = world
  const way = WAYS[seed % WAYS.length]!
  let life = new Life(world)
  await prepare(world, life)
  const settings: Way['settings'] = [
    ...way.settings,
    ['polebean:autoscaling:healthcheck', 'HealthCheckType', 'ELB'],
  ]
  await call(world, life, 'CreateEnvironment', {
    ...{ EnvironmentName: NAME, ...creating(NAME, SIZES.least, SIZES.most) },
    ...Object.assign({}, ...settings.map((one, index) => setting(index + 3, ...one))),
  })
  await clock.run(5 * 60_000)

  const demand = makeDemand(dice, { least: 15, most: 240 })
  const following = makeFollowing(way, SIZES)
  const lived: Lived = { wrong: [], requests: 0, failed: 0, changes: 0, mishaps: 0 }
  const began = clock.monotonic()
  let troubleAt = began
  let calmAgainAt = began
  for (let tick = 0; clock.monotonic() < began + days * 24 * HOUR_MS && lived.wrong.length === 0; tick++) {
    await clock.run(TICK_MS)
    const now = clock.monotonic() - began
    const perTick = TICK_MS / HOUR_MS
    if (life.dead || chance(0.1 * perTick)) {
      life.die()
      // Nobody is there for a while.
      await clock.run(Math.floor(dice.next() * 60_000))
      life = new Life(world, chance(0.5) ? 1 + Math.floor(dice.next() * 200) : Infinity)
      troubleAt = clock.monotonic()
      lived.mishaps++
    }
    if (chance(0.3 * perTick)) {
      hurt(world, dice.next())
      troubleAt = clock.monotonic()
      lived.mishaps++
    }
    if (chance(0.1 * perTick)) {
      trouble.weather = {
        ...calm,
        faultyCalls: dice.next() * 0.2,
        slowCalls: dice.next() * 0.3,
        slowMsMax: 5_000,
      }
      calmAgainAt = clock.monotonic() + dice.next() * HOUR_MS
    }
    if (clock.monotonic() < calmAgainAt) troubleAt = clock.monotonic()
    else trouble.weather = calm

    const rate = demand.at(now)
    const { requests, failed } = ask(world, rate)
    lived.requests += requests
    lived.failed += failed
    const quietMs = clock.monotonic() - Math.max(troubleAt, began + demand.jumpedAt(now))
    lived.wrong.push(...look(world, following, { rate: rate / CAPACITY, quietMs, failed }))
    if (tick % 30 === 0) lived.wrong.push(...safety(world))
    lived.wrong = lived.wrong.map(
      (sentence) => `${way.name}, hour ${(now / HOUR_MS).toFixed(2)}: ${sentence}`,
    )
  }
  lived.changes = following.changes
  trouble.end()
  life.die()
  life = new Life(world)
  if (lived.wrong.length === 0)
    lived.wrong.push(...(await comeToRest(world)).map((sentence) => `${way.name}, at rest: ${sentence}`))
  life.die()
  endWorld(world)
  return lived
}

/** One instance dies, answers 500 from now on, or the whole machine starts anew. */
function hurt(world: World, die: number): void {
  const running = [...world.compute.instances.values()].filter(({ state }) => state === 'running')
  const one = running[Math.floor(die * 1000) % Math.max(1, running.length)]
  if (die > 0.97) world.reboot()
  else if (one && die < 0.6) world.kill(one.spec.id)
  else if (one) world.trouble.broken.add(one.spec.id)
}

/** The requests of one tick, shared among those who are healthy, with what they cost them. */
function ask(world: World, rate: number): { requests: number; failed: number } {
  const healthy = world.store.all(
    `select 1 from elbv2_target where health = 'healthy' and draining_since is null`,
  )
  const parts = Math.max(1, healthy.length)
  const seconds = TICK_MS / 1_000
  const times = Math.max(1, Math.round((rate * seconds) / parts))
  let failed = 0
  for (let part = 0; part < parts; part++) {
    const { status, targetId } = answerOf(world, times)
    if (status !== 200) failed += times
    const instance = world.compute.instances.get(targetId ?? '')
    if (!instance) continue
    const busy = Math.min(1, times / (CAPACITY * seconds))
    const { cpuSeconds = 0, networkOutBytes = 0 } = instance.used ?? {}
    instance.used = {
      cpuSeconds: cpuSeconds + busy * VCPUS * seconds,
      networkOutBytes: networkOutBytes + times * BYTES,
    }
  }
  return { requests: times * parts, failed }
}

function answerOf(world: World, times: number): { status: number; targetId: string | null } {
  try {
    return world.balancer.request({ host: world.hostOf(NAME), path: '/', times })
  } catch {
    return { status: 0, targetId: null }
  }
}

type Seen = { rate: number; quietMs: number; failed: number }

function look(world: World, following: Following, seen: Seen): string[] {
  const group = world.store.get<{ desired: number; members: number }>(
    `select desired_capacity as desired, (select count(*) from autoscaling_instance
       where lifecycle_state in ('Pending', 'InService')) as members from autoscaling_group`,
  )
  return group
    ? followed(following, { ...seen, ...group, at: world.clock.monotonic() })
    : ['there is no group']
}
