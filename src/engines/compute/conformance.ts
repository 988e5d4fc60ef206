// What every compute engine must do (engine.ts). The fake runs it always, the real ones where they can.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type ComputeEngine,
  DIED,
  type FilePosition,
  type FollowedPart,
  type InstanceSpec,
  type Software,
} from './engine.ts'

export type Subject = {
  /** The engine now; another object after `restart`. */
  engine(): ComputeEngine
  /** The control plane dies and another one starts. */
  restart(): void
  /** Kills the first process of an instance from outside of it. */
  kill(id: string): Promise<void>
  /** Everything that is not on disk is gone, as after a power cut. */
  reboot(): Promise<void>
  /** A program inside adds to a file. */
  write(id: string, path: string, text: string): Promise<void>
  /** The file is copied to `path`.1, and emptied. */
  rotate(id: string, path: string): Promise<void>
  /** Waits until `probe` holds. */
  until(probe: () => Promise<boolean>): Promise<void>
}

export const instanceId = (number: number): string => `i-${number.toString(16).padStart(17, '0')}`

export const software = (revision: number, more: Partial<Software> = {}): Software => ({
  revision,
  layers: [],
  env: { GREETING: 'hello' },
  files: [
    { path: '/etc/service/idle/run', content: '#!/bin/sh\nexec sleep 1000000\n', mode: 0o755, owner: 'root' },
    { path: '/etc/polebean/revision', content: `${revision}\n`, mode: 0o644, owner: 'root' },
  ],
  ...more,
})

const MEBIBYTES = 1 << 20

export function computeConformance(subject: Subject): void {
  const { cidr, zones } = subject.engine().network()
  const spec = (number: number, more: Partial<InstanceSpec> = {}): InstanceSpec => ({
    id: instanceId(number),
    platform: { name: 'python-3.11', version: '1' },
    software: software(1),
    diskBytes: 128 * MEBIBYTES,
    cpu: 0.5,
    memoryBytes: 128 * MEBIBYTES,
    pids: 64,
    zone: zones[0] ?? '',
    requestedAddress: cidr.replace(/0\.0\/16$/, `1.${number}`),
    tags: { generation: 'one' },
    ...more,
  })
  const seen = async (id: string) => (await subject.engine().list()).find((one) => one.id === id)
  const state = async (id: string) => (await seen(id))?.state
  const running = (id: string) => subject.until(async () => (await state(id)) === 'running')

  describe('a compute engine', () => {
    it('shows a launched instance at once, with what it was given', async () => {
      const one = spec(1)
      await subject.engine().launch(one)
      const found = await seen(one.id)
      assert.ok(found)
      assert.ok(['pending', 'running'].includes(found.state))
      await running(one.id)
      const { address, zone, tags, revision } = (await seen(one.id))!
      assert.deepEqual(
        { address, zone, tags, revision },
        { address: one.requestedAddress, zone: one.zone, tags: one.tags, revision: 1 },
      )
    })

    it('changes nothing when it is told to launch what is there', async () => {
      const before = await seen(instanceId(1))
      await subject.engine().launch(spec(1, { software: software(7), tags: {} }))
      assert.deepEqual(await seen(instanceId(1)), before)
    })

    it('refuses an id that is not one, and shows nothing of it', async () => {
      await assert.rejects(subject.engine().launch(spec(1, { id: '../../etc' })), { name: 'EngineError' })
      assert.equal((await subject.engine().list()).length, 1)
    })

    it('keeps instances over the death of the control plane', async () => {
      const before = await seen(instanceId(1))
      subject.restart()
      assert.deepEqual(await seen(instanceId(1)), before)
    })

    it('runs a program inside and answers its exit status and output', async () => {
      const options = { timeoutMs: 10_000, outputBytesMax: 1_000 }
      const result = await subject.engine().exec(instanceId(1), ['cat', '/etc/polebean/revision'], options)
      assert.deepEqual(result, { exit: 0, output: '1\n', truncated: false })
    })

    it('opens a session: what it is told, what it says, how it ends', async () => {
      const none = { user: 'root', env: {}, terminal: null } as const
      const cat = await subject.engine().session(instanceId(1), ['cat'], none)
      const bytes = Buffer.from([0, 255, 10, 13, 3, 4, 195, 40])
      cat.stdin.end(bytes)
      assert.deepEqual(Buffer.concat(await Array.fromAsync(cat.stdout as AsyncIterable<Buffer>)), bytes)
      assert.deepEqual(await cat.ended, { exit: 0, cut: false })
      const no = await subject.engine().session(instanceId(1), ['false'], none)
      no.stdout.resume()
      no.stderr.resume()
      assert.deepEqual(await no.ended, { exit: 1, cut: false })
      // Not one that reads: the end of its input could be the first that it hears.
      const held = await subject.engine().session(instanceId(1), ['sleep', '1000'], none)
      held.stdout.resume()
      held.stderr.resume()
      await held.hangUp()
      assert.equal((await held.ended).exit, 129)
      await assert.rejects(subject.engine().session(instanceId(9), ['cat'], none), { name: 'EngineError' })
    })

    it('swaps the software in place: same address, another boot, the new revision', async () => {
      const before = (await seen(instanceId(1)))!
      await subject.engine().update(instanceId(1), software(2), 1_000)
      await running(instanceId(1))
      const after = (await seen(instanceId(1)))!
      assert.equal(after.revision, 2)
      assert.equal(after.address, before.address)
      assert.notEqual(after.boot, before.boot)
      assert.equal(
        (await subject.engine().read(instanceId(1), '/etc/polebean/revision', { tailBytes: 100 })).toString(),
        '2\n',
      )
    })

    it('says that a file is not there', async () => {
      await assert.rejects(subject.engine().read(instanceId(1), '/var/log/none', { tailBytes: 100 }), {
        name: 'EngineError',
        message: /No such file or directory/,
      })
    })

    it('follows files: what is new since a position, also over a rotation', async () => {
      const [path, other] = ['/var/log/followed.log', '/var/log/none.log']
      const id = instanceId(1)
      const read = async (position: FilePosition | null, bytesMax = 1_000) =>
        subject.engine().follow(
          id,
          [
            { path: other, position: null },
            { path, position },
          ],
          { bytesMax },
        )
      const after = ({ from, bytes }: FollowedPart) => ({ ...from, offset: from.offset + bytes.length })
      const texts = (parts: FollowedPart[]) =>
        parts.map(({ bytes, ends }) => `${bytes.toString()}${ends ? '|' : ''}`)
      assert.deepEqual(await read(null), [])
      await subject.write(id, path, 'one\ntwo\n')
      const [first, ...more] = await read(null)
      assert.deepEqual(
        [texts([first!]), more, first!.path, first!.from.offset],
        [['one\ntwo\n'], [], path, 0],
      )
      assert.deepEqual(await read(after(first!)), [])
      subject.restart()
      await subject.write(id, path, 'thrée\n')
      const short = await read(after(first!), 4)
      assert.deepEqual(texts(short), ['thr\ufffd'], 'bytes, not characters')
      const second = await read(after(first!))
      assert.deepEqual(texts(second), ['thrée\n'])
      await subject.write(id, path, 'four\n')
      await subject.rotate(id, path)
      const rotated = await read(after(second[0]!))
      assert.deepEqual(texts(rotated), ['four\n|', ''])
      assert.deepEqual(texts(await read(after(second[0]!), 2)), ['fo'], 'what is too much comes next time')
      await subject.write(id, path, 'five\n')
      assert.deepEqual(texts(await read(after(second[0]!))), ['four\n|', 'five\n'])
      assert.deepEqual(texts(await read(after(rotated[0]!))), ['five\n'])
      assert.deepEqual(texts(await read(after(rotated[1]!))), ['five\n'])
      await subject.rotate(id, path)
      await subject.write(id, path, 'six\n')
      assert.deepEqual(texts(await read(after(rotated[1]!))), ['five\n|', 'six\n'])
      await assert.rejects(
        subject.engine().follow(instanceId(9), [{ path, position: null }], { bytesMax: 1 }),
        {
          name: 'EngineError',
        },
      )
    })

    it('stops and starts an instance, and reads its files while it is stopped', async () => {
      const none = { user: 'root', env: {}, terminal: null } as const
      const session = await subject.engine().session(instanceId(1), ['cat'], none)
      session.stdout.resume()
      session.stderr.resume()
      await subject.engine().stop(instanceId(1), 1_000)
      assert.equal(await state(instanceId(1)), 'stopped')
      assert.equal((await session.ended).cut, true)
      await assert.rejects(subject.engine().session(instanceId(1), ['cat'], none), { name: 'EngineError' })
      await assert.rejects(
        subject.engine().exec(instanceId(1), ['true'], { timeoutMs: 1_000, outputBytesMax: 10 }),
        {
          name: 'EngineError',
        },
      )
      assert.equal(
        (await subject.engine().read(instanceId(1), '/etc/polebean/revision', { tailBytes: 100 })).toString(),
        '2\n',
      )
      await subject.engine().start(instanceId(1))
      await running(instanceId(1))
      assert.equal((await seen(instanceId(1)))!.revision, 2)
    })

    it('lists an instance whose first process was killed as stopped, and starts it again', async () => {
      const before = (await seen(instanceId(1)))!
      await subject.kill(instanceId(1))
      await subject.until(async () => (await state(instanceId(1))) === 'stopped')
      assert.equal((await seen(instanceId(1)))!.reason, DIED)
      await subject.engine().start(instanceId(1))
      await running(instanceId(1))
      assert.notEqual((await seen(instanceId(1)))!.boot, before.boot)
    })

    it('updates an instance that is stopped, which starts it', async () => {
      await subject.engine().stop(instanceId(1), 1_000)
      await subject.engine().update(instanceId(1), software(3), 1_000)
      await running(instanceId(1))
      assert.equal((await seen(instanceId(1)))!.revision, 3)
    })

    it('starts an instance in another size, and keeps that', async () => {
      const id = instanceId(1)
      const limit = async () =>
        (await subject.engine().memory()).find((one) => one.id === id)!.limitBytes / MEBIBYTES
      await subject.engine().stop(id, 1_000)
      await assert.rejects(subject.engine().start(id, { cpu: 0, memoryBytes: 1 }), { name: 'EngineError' })
      await subject.engine().start(id, { cpu: 1, memoryBytes: 160 * MEBIBYTES })
      await running(id)
      assert.equal(await limit(), 160)
      await subject.engine().start(id, { cpu: 1, memoryBytes: 256 * MEBIBYTES })
      assert.equal(await limit(), 160, 'one that runs keeps its size')
      await subject.engine().stop(id, 1_000)
      await subject.engine().start(id)
      assert.equal(await limit(), 160)
      await subject.engine().update(id, software(4), 1_000, { cpu: 0.5, memoryBytes: 128 * MEBIBYTES })
      await running(id)
      assert.equal(await limit(), 128)
    })

    it('lists what was launched as stopped after a reboot, and starts it again', async () => {
      await subject.engine().launch(spec(2))
      await running(instanceId(2))
      await subject.kill(instanceId(2))
      await subject.until(async () => (await state(instanceId(2))) === 'stopped')
      await subject.engine().start(instanceId(2))
      await running(instanceId(2))
      await subject.reboot()
      subject.restart()
      const listed = await subject.engine().list()
      assert.deepEqual(listed.map((one) => [one.id, one.state]).sort(), [
        [instanceId(1), 'stopped'],
        [instanceId(2), 'stopped'],
      ])
      for (const { id, reason } of listed) assert.notEqual(reason, DIED, `${id} ended with the machine`)
      await subject.engine().start(instanceId(2))
      await running(instanceId(2))
      assert.equal((await seen(instanceId(2)))!.address, spec(2).requestedAddress)
    })

    it('counts for what runs, and leaves out what does not', async () => {
      const stats = await subject.engine().stats()
      assert.deepEqual(
        stats.map((one) => one.id),
        [instanceId(2)],
      )
      assert.equal(stats[0]!.boot, (await seen(instanceId(2)))!.boot)
      const { cpuSeconds = 0, cpuUserSeconds = 0, cpuSystemSeconds = 0 } = stats[0]!
      assert.ok(Math.abs(cpuSeconds - cpuUserSeconds - cpuSystemSeconds) < 1, JSON.stringify(stats[0]))
    })

    it('counts what was asked for and nothing else, and never back within a boot', async () => {
      const first = await subject.engine().stats(['cpu', 'network', 'disk'])
      assert.equal(first.length, 1)
      const { id: _id, boot, at, ...before } = first[0]!
      assert.deepEqual(Object.keys(before).sort(), [
        'cpuSeconds',
        ...['diskReadBytes', 'diskReads', 'diskWriteBytes', 'diskWrites'],
        ...['networkInBytes', 'networkInPackets', 'networkOutBytes', 'networkOutPackets'],
      ])
      await subject
        .engine()
        .exec(instanceId(2), ['cat', '/etc/hostname'], { timeoutMs: 10_000, outputBytesMax: 1_000 })
      const [then] = await subject.engine().stats(['cpu', 'network', 'disk'])
      assert.equal(then!.boot, boot)
      assert.ok(then!.at >= at)
      for (const [name, count] of Object.entries(before))
        assert.ok(then![name as keyof typeof before]! >= count!, name)
      assert.deepEqual(Object.keys((await subject.engine().stats([]))[0]!).sort(), ['at', 'boot', 'id'])
    })

    it('counts anew after each start', async () => {
      const [before] = await subject.engine().stats(['cpu'])
      await subject.engine().stop(instanceId(2), 1_000)
      assert.deepEqual(await subject.engine().stats(), [])
      await subject.engine().start(instanceId(2))
      await running(instanceId(2))
      const [after] = await subject.engine().stats(['cpu'])
      assert.notEqual(after!.boot, before!.boot)
      assert.equal(after!.boot, (await seen(instanceId(2)))!.boot)
    })

    it('builds a layer once per key, and mounts it', async () => {
      const request = {
        key: 'conformance-1',
        platform: { name: 'python-3.11', version: '1' },
        inputs: [],
        layers: [],
        files: [{ name: 'text', content: 'built\n', mode: 0o644 }],
        argv: ['cp', '/build/in/text', 'text'],
        target: '/var/app/current',
        env: {},
        timeoutMs: 20_000,
        outputBytesMax: 4 * MEBIBYTES,
      }
      const [one, two] = await Promise.all([subject.engine().build(request), subject.engine().build(request)])
      assert.equal(one.exit, 0)
      assert.equal(one.digest, two.digest)
      assert.deepEqual(
        (await subject.engine().layers()).map(({ key, digest }) => ({ key, digest })),
        [{ key: 'conformance-1', digest: one.digest }],
      )
      const layers = [{ digest: one.digest, target: '/var/app/current' }]
      await subject.engine().update(instanceId(2), software(2, { layers }), 1_000)
      await running(instanceId(2))
      assert.equal(
        (await subject.engine().read(instanceId(2), '/var/app/current/text', { tailBytes: 100 })).toString(),
        'built\n',
      )
      await assert.rejects(subject.engine().removeLayer(one.digest), { name: 'EngineError' })
    })

    it('leaves no layer of a build that fails, and says what it printed', async () => {
      const result = await subject.engine().build({
        key: 'conformance-2',
        platform: { name: 'python-3.11', version: '1' },
        ...{ inputs: [], layers: [], files: [], target: '/var/app/current', env: {} },
        argv: ['sh', '-c', 'echo no such package; exit 3'],
        timeoutMs: 20_000,
        outputBytesMax: 4 * MEBIBYTES,
      })
      assert.deepEqual(result, { exit: 3, output: 'no such package\n', digest: '' })
      assert.equal((await subject.engine().layers()).length, 1)
    })

    it('refuses a layer that is not there, and can be updated again', async () => {
      const layers = [{ digest: `sha256-${'0'.repeat(64)}`, target: '/var/app/current' }]
      await assert.rejects(subject.engine().update(instanceId(2), software(3, { layers }), 1_000), {
        name: 'EngineError',
      })
      const after = (await seen(instanceId(2)))!
      assert.equal(after.revision, 3)
      assert.equal(after.state, 'stopped')
      await subject.engine().update(instanceId(2), software(4), 1_000)
      await running(instanceId(2))
    })

    it('forgets what is removed, and is quiet about what is not there', async () => {
      for (const number of [1, 2, 3]) await subject.engine().remove(instanceId(number))
      assert.deepEqual(await subject.engine().list(), [])
      const [layer] = await subject.engine().layers()
      await subject.engine().removeLayer(layer!.digest)
      assert.deepEqual(await subject.engine().layers(), [])
    })
  })
}
