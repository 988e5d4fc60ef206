// Trouble that is no fault of one call: what dies, sleeps, is lost or cannot be seen. As moves (moves.ts).
import { rmSync } from 'node:fs'
import { oomKill } from '../src/engines/compute/fake-world.ts'
import type { Move, Stage } from './stage.ts'
import { restoreBackup, takeBackup } from './restoration.ts'

const instanceOf = ({ world, below }: Stage): string | undefined => {
  const ids = [...world.compute.instances.keys()]
  return ids[below(ids.length)]
}
const withInstance = (stage: Stage, act: (id: string) => string): void => {
  const id = instanceOf(stage)
  if (id) stage.note(act(id))
}

export const MISHAPS: Record<string, Move> = {
  'an instance dies': {
    weight: 1,
    play: (stage) =>
      withInstance(stage, (id) => {
        stage.world.kill(id)
        return `${id} dies`
      }),
  },
  'a node is lost, or comes back': {
    weight: 0.7,
    play(stage) {
      const { lost } = stage.world.compute
      if (lost.size > 0) {
        lost.clear()
        return stage.note('the lost nodes are back')
      }
      withInstance(stage, (id) => {
        lost.add(id)
        return `the node of ${id} is lost`
      })
    },
  },
  'an application breaks for good': {
    weight: 0.2,
    play: (stage) =>
      withInstance(stage, (id) => {
        stage.world.trouble.broken.add(id)
        return `the application of ${id} answers 500 from now on`
      }),
  },
  'somebody takes the rules of the firewall away': {
    weight: 0.4,
    play({ world, note }) {
      world.firewall.lose()
      note('the rules are gone')
    },
  },
  'the name server loses all that it has': {
    weight: 0.3,
    play({ world, note, chance }) {
      const lost = chance(0.5) ? 'dns' : 'privateDns'
      world[lost].lose()
      world.zonesLost = true
      note(`the zones are gone of ${lost}`)
    },
  },
  'a stranger appears': {
    weight: 0.25,
    play: ({ world, below, chance, note }) => {
      const whose = chance(0.5) ? 'ours' : 'foreign'
      const number = world.strangers.size + 1
      const id = `i-${String(number).padStart(17, '0')}`
      const generation = world.store.get<{ id: string }>('select id from home_generation')?.id ?? ''
      world.compute.instances.set(id, {
        spec: {
          id,
          platform: { name: 'python3.11', version: '1' },
          software: { revision: below(3), layers: [], env: {}, files: [] },
          diskBytes: 2 ** 30,
          cpu: 1,
          memoryBytes: 2 ** 30,
          pids: 100,
          zone: 'us-west-2a',
          requestedAddress: `10.99.250.${number}`,
          tags: { 'polebean:generation': whose === 'ours' ? generation : 'of another database' },
        },
        state: chance(0.5) ? 'running' : 'stopped',
        reason: '',
        since: world.clock.now(),
        boot: 'boot-0',
        revision: 0,
        launched: true,
      })
      world.strangers.set(id, whose)
      note(`${id} appears, which no row names (${whose})`)
    },
  },
  'the machine reboots': {
    weight: 0.4,
    play({ world, note }) {
      world.reboot()
      note('reboot')
      return 'crash'
    },
  },
  'the wall clock is set': {
    weight: 0.5,
    play({ world, chance, below, note }) {
      world.clock.setWall((chance(0.5) ? 1 : -1) * below(7_200_000))
      note('the wall clock is set')
      return 'jump'
    },
  },
  'the machine sleeps': {
    weight: 0.5,
    play({ world, below, note }) {
      world.clock.stall(below(3_600_000))
      note('the machine sleeps')
    },
  },
  'instances cannot be seen': {
    weight: 1,
    play({ world, chance, note }) {
      world.compute.blind = chance(0.5)
      note(`instances can ${world.compute.blind ? 'not ' : ''}be seen`)
    },
  },
  'the balancer cannot be seen': {
    weight: 0.7,
    play({ world, chance, note }) {
      world.trouble.blindBalancer = chance(0.5)
      note(`the balancer can ${world.trouble.blindBalancer ? 'not ' : ''}be seen`)
    },
  },
  'the balancer dies and returns': {
    weight: 1,
    play({ world, note }) {
      world.balancer.kill()
      note('the balancer dies and returns')
    },
  },
  'a backup is made': {
    weight: 0.6,
    play({ world, note }) {
      if (world.backup) rmSync(world.backup.folder, { recursive: true, force: true })
      world.backup = takeBackup(world)
      note('a backup is made')
    },
  },
  'another machine takes over': {
    weight: 0.6,
    play({ world, life, note }) {
      const { backup } = world
      if (!backup) return
      life.die()
      restoreBackup(world, backup)
      world.backup = undefined
      note('another machine takes over, from the backup')
      return 'crash'
    },
  },
  'layers are lost': {
    weight: 0.35,
    play({ world, note }) {
      world.compute.layers.clear()
      world.layersLost = true
      note('somebody empties the cache of layers')
    },
  },
  'memory runs out in an instance': {
    weight: 0.7,
    play: (stage) =>
      withInstance(stage, (id) => {
        const { world, below, chance } = stage
        if (
          world.starved.has(id) ||
          world.strangers.has(id) ||
          world.compute.instances.get(id)?.state !== 'running'
        )
          return `${id} has memory enough`
        world.starved.add(id)
        const kills = 1 + below(3)
        for (let left = kills; left > 0; left--)
          oomKill(world.compute, id, world.clock.now(), { init: left === 1 && chance(0.3) })
        return `the kernel ends ${kills} processes of ${id}`
      }),
  },
  'the disk fills up, or has room again': {
    weight: 0.5,
    play({ world: { disk }, chance, note }) {
      disk.freeBytes = chance(0.4) ? disk.totalBytes / 1000 : disk.totalBytes / 2
      note(`the disk has ${disk.freeBytes} bytes free`)
    },
  },
  'starts and builds fail': {
    weight: 1,
    play({ world: { trouble }, chance, note }) {
      trouble.breaking = chance(0.3)
      trouble.failingBuilds = chance(0.2)
      trouble.brokenBuilder = chance(0.15)
      note(`starts ${trouble.breaking ? 'fail' : 'work'}, builds ${trouble.failingBuilds ? 'fail' : 'work'}`)
    },
  },
}
