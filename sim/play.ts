// Plays a seed: a workload of AWS requests against the real control plane, with crashes, faults, dead instances, reboots,
// jumps of the clock; then the trouble ends, and everything must come to rest.
import { reasonOf } from '../src/kernel/errors.ts'
import { seededRandom, type Random } from '../src/kernel/random.ts'
import { rest } from './invariants/rest.ts'
import { safety } from './invariants/safety.ts'
import { call } from './client.ts'
import { Life } from './life.ts'
import { applicationsWrite } from './logs.ts'
import { MISHAPS } from './mishaps.ts'
import { REQUESTS } from './moves.ts'
import { bundleOf, prepare, settle, withdraw } from './shop.ts'
import { comeBack } from './scaling-moves.ts'
import { calm, type Weather } from './trouble.ts'
import { makeVisitor } from './visitor.ts'
import { endWorld, makeWorld, type World } from './world.ts'

export type Played = { seed: number; wrong: string[]; trace: string[]; moves: number; crashes: number }

const MOVES = 18
/** Virtual time within which everything must have come to rest, and for which it must stay so. */
const REST_MS_MAX = 30 * 60_000
const REST_STEP_MS = 60_000
const LOOK_EVERY_MS = 10_000
const NAMES = ['shop-prod', 'shop-test', 'blog-prod']

export async function play(seed: number): Promise<Played> {
  const dice = seededRandom(seed)
  const chance = (probability: number) => dice.next() < probability
  const below = (n: number) => Math.floor(dice.next() * n)
  const world = makeWorld(seed)
  const { clock, trouble } = world
  const crashes = { probability: dice.next() * 0.4, count: 0 }
  const trace: string[] = []
  const note = (text: string) => trace.push(`${clock.monotonic()} ${text}`)
  const wrong: string[] = []

  let life = new Life(world)
  await prepare(world, life)
  trouble.weather = weatherOf(dice)
  if (chance(0.25)) trouble.unbuildable.add(bundleOf('v3'))
  const visitor = makeVisitor(world)
  const reborn = () => {
    life.die()
    visitor.forget()
    crashes.count++
    note('crash')
    life = new Life(world, chance(crashes.probability) ? 1 + below(60) : Infinity)
  }
  const later = (work: Promise<unknown>) => void work.catch((error) => wrong.push(reasonOf(error)))
  // What is Green while nobody is there to colour it, or can see, is not looked at.
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= LOOK_EVERY_MS) {
      await clock.run(Math.min(left, LOOK_EVERY_MS))
      if (life.dead) visitor.forget()
      else wrong.push(...visitor.visit())
    }
  }

  for (let move = 0; move < MOVES && wrong.length === 0; move++) {
    if (life.dead || chance(crashes.probability / 3)) reborn()
    const name = NAMES[below(NAMES.length)]!
    const stage = { world, life, name, chance, below, note, later }
    const asks = chance(0.55)
    const { play: act } = draw(asks ? REQUESTS : MISHAPS, dice)
    const came = await act(stage)
    if (came === 'crash') reborn()
    // Who counts failures begins anew (design §2.8), and so does who holds them to it.
    if (came === 'jump') visitor.forget()
    await pass(below(chance(0.6) ? 5_000 : 90_000))
    wrong.push(...safety(world).map((sentence) => `after move ${move}: ${sentence}`))
  }

  trouble.end()
  world.compute.blind = false
  world.compute.lost.clear()
  world.disk.freeBytes = world.disk.totalBytes / 2
  // Half of the lives that saw the trouble must get over it by themselves.
  if (!Number.isFinite(life.dieAt) && chance(0.5)) note('the trouble is over')
  else {
    life.die()
    life = new Life(world)
    note('a new life')
  }
  await withdraw(world, life)
  await comeBack(world, life)
  applicationsWrite(world)
  // Refused for what an environment runs. The layers of the others must go, and no others.
  for (const VersionLabel of ['v1', 'v2', 'v3'])
    await settle(
      world,
      call(world, life, 'DeleteApplicationVersion', { ApplicationName: 'shop', VersionLabel }),
    )
  wrong.push(...(await comeToRest(world)).map((sentence) => `at rest: ${sentence}`))
  life.die()
  endWorld(world)
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

// Drawn once a seed, so that different seeds are bad in different ways; one in six is calm.
function weatherOf(dice: Random): Weather {
  if (dice.next() < 1 / 6) return calm
  return {
    faultyCalls: dice.next() * 0.3,
    slowCalls: dice.next() * 0.5,
    slowMsMax: Math.floor(dice.next() * 20_000),
    doomedInstances: dice.next() * 0.2,
    brokenApplications: dice.next() * 0.08,
  }
}

function draw<T extends { weight: number }>(table: Record<string, T>, dice: Random): T {
  const items = Object.values(table)
  let left = dice.next() * items.reduce((sum, { weight }) => sum + weight, 0)
  return items.find(({ weight }) => (left -= weight) < 0) ?? items[0]!
}
