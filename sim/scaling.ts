// One environment whose Auto Scaling group users scale in every way, through crashes and faulty engines: seeds of play.ts
// have a move of these now and then, here there is nothing else.
import { seededRandom } from '../src/kernel/random.ts'
import { call } from './client.ts'
import { safety } from './invariants/safety.ts'
import { Life } from './life.ts'
import { comeToRest } from './play.ts'
import { comeBack, SCALING } from './scaling-moves.ts'
import { creating, prepare } from './shop.ts'
import type { Move } from './stage.ts'
import { endWorld, makeWorld } from './world.ts'

const NAME = 'shop-prod'
const MOVES = 24

/** What is wrong, after a move or at rest. */
export async function scale(seed: number): Promise<string[]> {
  const dice = seededRandom(seed)
  const chance = (probability: number) => dice.next() < probability
  const below = (n: number) => Math.floor(dice.next() * n)
  const world = makeWorld(seed)
  const { clock, trouble } = world
  let life = new Life(world)
  await prepare(world, life)
  await call(world, life, 'CreateEnvironment', { EnvironmentName: NAME, ...creating(NAME, 1, 4) })
  await clock.run(60_000)
  const crashes = dice.next() * 0.4
  trouble.weather = {
    ...trouble.weather,
    faultyCalls: dice.next() * 0.2,
    slowCalls: dice.next() * 0.3,
    slowMsMax: 5_000,
  }
  const moves: Move[] = Object.values(SCALING)
  const wrong: string[] = []
  for (let move = 0; move < MOVES && wrong.length === 0; move++) {
    if (life.dead || chance(crashes)) {
      life.die()
      life = new Life(world, chance(0.5) ? 1 + below(60) : Infinity)
    }
    const stage = { world, life, name: NAME, chance, below, note: () => undefined, later: () => undefined }
    await moves[below(moves.length)]!.play(stage)
    for (let looks = 1 + below(4); looks > 0; looks--) {
      await clock.run(below(8_000))
      wrong.push(...safety(world).map((sentence) => `after move ${move}: ${sentence}`))
    }
  }
  trouble.end()
  life.die()
  life = new Life(world)
  if (wrong.length === 0) {
    await comeBack(world, life)
    wrong.push(...(await comeToRest(world)).map((sentence) => `at rest: ${sentence}`))
  }
  life.die()
  endWorld(world)
  return wrong
}
