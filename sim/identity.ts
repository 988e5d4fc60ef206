// Nothing is replaced because the laptop slept: whatever happens to time, to the control plane, to the machine and to
// what can be seen, instances that nobody killed keep their ids.
import { seededRandom } from '../src/kernel/random.ts'
import { call } from './client.ts'
import { column, same } from './invariants/rows.ts'
import { Life } from './life.ts'
import { comeToRest } from './play.ts'
import { creating, prepare } from './shop.ts'
import { restoreBackup, takeBackup } from './restoration.ts'
import { endWorld, makeWorld, type World } from './world.ts'

const MOVES = 12
const HOURS_MS = 3 * 3_600_000
/** Longer than an instance may take to start. */
const BUILDLESS_MS = 8 * 60_000

type Act = () => void | Promise<void>

/** What is wrong after a seed of sleep, jumps, crashes, reboots, restorations and blindness. */
export async function sleepThrough(seed: number): Promise<string[]> {
  const dice = seededRandom(seed)
  const below = (n: number) => Math.floor(dice.next() * n)
  const world = makeWorld(seed)
  const { clock, compute, trouble } = world
  let life = new Life(world)
  await prepare(world, life)
  await call(world, life, 'CreateEnvironment', { EnvironmentName: 'shop-prod', ...creating('shop-prod', 3) })
  // In the middle of the creation, or after it.
  await clock.run(below(dice.next() < 0.7 ? 5_000 : 40_000))
  const faulty = { faultyCalls: dice.next() * 0.2, slowCalls: dice.next() * 0.3, slowMsMax: 5_000 }
  trouble.weather = { ...trouble.weather, ...faulty }
  const crash = () => {
    life.die()
    life = new Life(world)
  }
  // Who cannot see for minutes may call a launch failed; who only slept may not.
  const seeing = seed % 2 === 0
  const blindness = [
    () => void (compute.blind = dice.next() < 0.5),
    () => void (trouble.blindBalancer = dice.next() < 0.5),
  ]
  const sleep = () => clock.stall(below(HOURS_MS))
  const moves: Act[] = [
    ...(seeing ? [] : blindness),
    sleep,
    () => clock.setWall((dice.next() < 0.5 ? 1 : -1) * below(HOURS_MS)),
    () => world.balancer.kill(),
    crash,
    () => {
      world.reboot()
      crash()
    },
    // A backup of this moment, on another machine, some time later.
    async () => {
      const backup = takeBackup(world)
      life.die()
      clock.stall(below(HOURS_MS))
      restoreBackup(world, backup)
      life = new Life(world)
      if (dice.next() < 0.75) return
      // Its package index is away at first.
      trouble.brokenBuilder = true
      await clock.run(BUILDLESS_MS)
      trouble.brokenBuilder = false
    },
    // The node answers nothing when the machine wakes, and then it does.
    () => {
      for (const id of compute.instances.keys()) compute.lost.add(id)
      clock.stall(below(HOURS_MS))
    },
  ]
  const ids: string[][] = []
  for (let move = 0; move < MOVES; move++) {
    const act: Act = move === 0 ? sleep : moves[below(moves.length)]!
    await act()
    await clock.run(5_000 + below(15_000))
    compute.lost.clear()
    await clock.run(below(30_000))
    const now = launched(world)
    if (now.length > 0) ids.push(now)
  }
  trouble.end()
  compute.blind = false
  const wrong = await comeToRest(world)
  wrong.push(...column(world, `select description from autoscaling_activity where description like 'Term%'`))
  const last = launched(world)
  for (const some of ids) wrong.push(...same('instances launched', some, 'instances at the end', last))
  if (seeing) wrong.push(...column(world, `select message from event where severity = 'ERROR'`))
  life.die()
  endWorld(world)
  return wrong
}

const launched = (world: World) => column(world, 'select id from ec2_instance order by id')
