// Crash points: the control plane dies at its k-th engine call (before the effect and after it), the next life goes on;
// wherever it died, the operation ends as it would have, once, and nothing is left over.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { call } from './client.ts'
import { Life } from './life.ts'
import { comeToRest } from './play.ts'
import { creating, prepare, property, sizes } from './shop.ts'
import { makeWorld, type World } from './world.ts'

const NAME = 'shop-prod'
/** Every third point in CI, every one with POLEBEAN_FULL=1. */
const STRIDE = process.env.POLEBEAN_FULL ? 1 : 3
const OPERATION_MS = 20 * 60_000

type Operation = { action: string; input: Record<string, string>; done: string }

const CREATE: Operation = {
  action: 'CreateEnvironment',
  input: creating(NAME, 2),
  done: `Successfully launched environment: ${NAME}`,
}
const update = (input: Record<string, string>): Operation => ({
  action: 'UpdateEnvironment',
  input,
  done: 'Environment update completed successfully.',
})
const SWEEPS: Record<string, { before: Operation[]; swept: Operation; instances: number }> = {
  create: { before: [], swept: CREATE, instances: 2 },
  'a changed property': { before: [CREATE], swept: update(property('changed')), instances: 2 },
  'a new version': { before: [CREATE], swept: update({ VersionLabel: 'v2' }), instances: 2 },
  'scaling in': { before: [CREATE], swept: update(sizes(1)), instances: 1 },
  'scaling out': { before: [CREATE], swept: update(sizes(3)), instances: 3 },
  terminate: {
    before: [CREATE],
    swept: {
      action: 'TerminateEnvironment',
      input: {},
      done: 'terminateEnvironment completed successfully.',
    },
    instances: 0,
  },
}

describe('dying at any engine call', () => {
  for (const [name, { before, swept, instances }] of Object.entries(SWEEPS))
    it(`changes nothing about how ${name} ends`, async () => {
      const { calls } = await run(before, swept, Infinity, false)
      assert.ok(calls > 3, `${calls} calls`)
      for (let dieAt = 1; dieAt <= calls; dieAt += STRIDE) {
        const { world } = await run(before, swept, dieAt, name === 'create' && dieAt % 2 === 0)
        assert.deepEqual(await comeToRest(world), [], `died at call ${dieAt} of ${calls}`)
        assert.equal(world.compute.instances.size, instances, `died at call ${dieAt} of ${calls}`)
        const said = world.store.all('select 1 from event where message = :done', swept)
        assert.equal(
          said.length,
          before.filter(({ done }) => done === swept.done).length + 1,
          `died at call ${dieAt}: "${swept.done}"`,
        )
        world.store.close()
      }
    })
})

/** Plays `before` in peace, then `swept` in a life that dies at its `dieAt`-th gate, and then in one that does not. */
async function run(
  before: Operation[],
  swept: Operation,
  dieAt: number,
  reboot: boolean,
): Promise<{ world: World; calls: number }> {
  const world = makeWorld(1)
  const first = new Life(world)
  await prepare(world, first)
  for (const operation of before) await perform(world, first, operation)
  await comeToRest(world)
  first.die()

  const doomed = new Life(world, dieAt)
  await send(world, doomed, swept)
  if (dieAt === Infinity) {
    await ended(world, swept, before)
    doomed.die()
    return { world, calls: doomed.calls }
  }
  for (let step = 0; step < 100 && !doomed.dead; step++) await world.clock.run(1_000)
  doomed.die()
  if (reboot) world.reboot()
  new Life(world)
  await ended(world, swept, before)
  return { world, calls: doomed.calls }
}

async function perform(world: World, life: Life, operation: Operation): Promise<void> {
  await send(world, life, operation)
  await ended(world, operation, [])
}

async function send(world: World, life: Life, { action, input }: Operation): Promise<void> {
  const reply = await call(world, life, action, { EnvironmentName: NAME, ...input })
  assert.equal(reply.status, 200, reply.message)
}

async function ended(world: World, { done }: Operation, before: Operation[]): Promise<void> {
  const times = before.filter((operation) => operation.done === done).length + 1
  await world.clock.runUntil(
    () => world.store.all('select 1 from event where message = :done', { done }).length >= times,
    OPERATION_MS,
  )
}
