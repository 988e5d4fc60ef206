// The control plane is killed at many moments of its work, and once the machine is; so is everything else that a new
// environment needs. It ends what it began, by itself, and leaves nothing over (design §1.3).
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openApi, type Input } from '../src/cli/client.ts'
import type { HomeSettings } from '../src/home.ts'
import { makeTestHome } from './support/home.ts'
import { writeProbeApp } from './support/probe-app.ts'
import {
  childrenOf,
  daemonPid,
  environments,
  kill,
  reboot,
  sandboxes,
  sandboxProcesses,
  things,
  until,
  untilTold,
  untilWhole,
  type Instance,
} from './support/world.ts'

/** What a create, an update and a termination take is between one and three seconds. */
const CREATE_MS = [0, 30, 100, 250, 500, 800, 1_200, 1_800]
const UPDATE_MS = [0, 150, 500, 1_000]
const TERMINATE_MS = [0, 150, 500, 1_000]

describe('a control plane that dies in the middle', { concurrency: 1 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  const versions: string[] = []
  let stack = ''
  let quiet: string[] = []

  const call = (action: string, input: Input) => openApi(home.dir).call('elasticbeanstalk', action, input)
  const create = (name: string) =>
    call('CreateEnvironment', {
      ApplicationName: 'probe-app',
      EnvironmentName: name,
      CNAMEPrefix: name,
      VersionLabel: versions[0]!,
      SolutionStackName: stack,
    })
  const killServer = async () => {
    const pid = daemonPid(home.settings(), 'server')!
    kill(pid)
    await until(
      'another control plane',
      () => ![undefined, pid].includes(daemonPid(home.settings(), 'server')),
    )
  }
  const untilGone = async (name: string) => {
    await until(`${name} is gone`, async () => !(await environments(home)).some((one) => one.name === name))
    await untilTold(home)
    const left = async () => (await things(home.settings())).filter((line) => !quiet.includes(line))
    await until('nothing is left', async () => (await left()).length === 0).catch(async (error: unknown) => {
      assert.fail(`${String(error)}\n${(await left()).join('\n')}`)
    })
  }

  before(async () => {
    for (const version of ['v1', 'v2']) {
      await home.polebean([
        'up',
        writeProbeApp(join(home.dir, '../probe-app'), version),
        '--name',
        'probe-app',
      ])
      versions.push((await environments(home))[0]!.version)
    }
    const { stdout } = await home.polebean(['list', '--json'])
    stack = JSON.parse(stdout)[0].platform
    await untilTold(home)
    quiet = await things(home.settings())
  })

  // Every second moment in `npm test`.
  const moments = [...CREATE_MS.entries()].filter(([index]) => process.env.POLEBEAN_FULL || index % 2 === 1)
  for (const [index, afterMs] of moments) {
    it(`ends a creation ${afterMs} ms on, what came after it, and its termination`, async () => {
      const name = `crash-${index}`
      await create(name)
      await sleep(afterMs)
      await killServer()
      await untilWhole(home, name, /^v1 /)
      const updateMs = UPDATE_MS[index]
      if (updateMs !== undefined) {
        await call('UpdateEnvironment', { EnvironmentName: name, VersionLabel: versions[1]! })
        await sleep(updateMs)
        await killServer()
        await untilWhole(home, name, /^v2 /)
      }
      const terminateMs = TERMINATE_MS[index - UPDATE_MS.length]
      await call('TerminateEnvironment', { EnvironmentName: name })
      if (terminateMs !== undefined) {
        await sleep(terminateMs)
        await killServer()
      }
      await untilGone(name)
    })
  }

  /** Waits until there is such a process, kills it, and waits until there is another. */
  const strike = async (what: string, pidOf: () => number | undefined) => {
    const pid = await until(`a ${what}`, () => pidOf() || undefined)
    kill(pid)
    await until(`another ${what}`, () => ![undefined, 0, pid].includes(pidOf()))
  }
  const haproxy = () => daemonPid(home.settings(), 'haproxy')
  /** What is killed, of the new environment or of the home. */
  const VICTIMS: [what: string, pidOf: (instance: () => Instance | undefined) => number | undefined][] = [
    ['application', (instance) => instance() && applicationOf(home.settings(), instance()!.id)],
    ['first process of the instance', (instance) => instance()?.pid],
    ['worker of HAProxy', () => childrenOf(haproxy() ?? 0)[0]],
    ['master of HAProxy', haproxy],
  ]
  for (const [index, [what, pidOf]] of VICTIMS.entries())
    it(`ends a creation and an update in which the ${what} is killed`, async () => {
      const name = `struck-${index}`
      const before = sandboxes(home.settings()).map(({ id }) => id)
      const instance = () => sandboxes(home.settings()).find(({ id }) => !before.includes(id))
      await create(name)
      await until('its instance is launched', instance)
      await strike(what, () => pidOf(instance))
      await untilWhole(home, name, /^v1 /)
      await call('UpdateEnvironment', { EnvironmentName: name, VersionLabel: versions[1]! })
      await strike(what, () => pidOf(instance))
      await untilWhole(home, name, /^v2 /)
      await untilWhole(home, 'probe-app', /^v2 /)
      await call('TerminateEnvironment', { EnvironmentName: name })
      await untilGone(name)
    })

  it('has either not begun or ends what it was asked before it could answer', async () => {
    const asked = create('crash-ask').catch(() => undefined)
    await sleep(1)
    await killServer()
    await asked
    const there = await until('the API answers', () => environments(home))
    if (!there.some(({ name }) => name === 'crash-ask')) await create('crash-ask')
    await untilWhole(home, 'crash-ask', /^v1 /)
    await call('TerminateEnvironment', { EnvironmentName: 'crash-ask' })
    await untilGone('crash-ask')
  })

  it('ends a creation that a reboot cut short, also with a /run of the boot before', async () => {
    await create('crash-boot')
    await sleep(400)
    await reboot(home.settings(), { keepRun: true })
    await home.polebean(['start'])
    await untilWhole(home, 'crash-boot', /^v1 /)
    await untilWhole(home, 'probe-app', /^v2 /)
    await call('TerminateEnvironment', { EnvironmentName: 'crash-boot' })
    await until(
      'crash-boot is gone',
      async () => !(await environments(home)).some((one) => one.name === 'crash-boot'),
    )
    await untilTold(home)
  })
})

const applicationOf = (home: HomeSettings, id: string) =>
  sandboxProcesses(home, id).find(({ argv }) => argv.startsWith('node\0'))?.pid
