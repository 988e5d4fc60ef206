import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeLanes } from '../control/lanes.ts'
import { systemClock } from '../kernel/clock.ts'
import { makeLog } from '../kernel/log.ts'
import { seededRandom } from '../kernel/random.ts'
import type { Schedule } from './schedule.ts'
import { checkFolder, makeScheduledBackups } from './scheduled.ts'
import { AT, HOME_ID, makeHomeFolder, refusal } from './test-backup.ts'

const DAY_MS = 24 * 3_600_000
const HOUR_MS = 3_600_000

describe('backups by the server', () => {
  let home: ReturnType<typeof makeHomeFolder>
  let folder: string
  let wanted: Schedule | null
  let now: number
  let told: string[]
  let look: () => Promise<void>
  let status: ReturnType<typeof makeScheduledBackups>['status']

  beforeEach(() => {
    home = makeHomeFolder()
    folder = join(home.base, 'backups')
    mkdirSync(folder)
    wanted = { folder, everyMs: DAY_MS, keep: 2, passphraseFile: null }
    now = AT
    told = []
    const { store, dir } = home
    const clock = { ...systemClock, now: () => now }
    const log = makeLog(clock, () => undefined)
    let done = Promise.withResolvers<void>()
    const signal = new AbortController().signal
    const lanes = makeLanes({ clock, log, store, signal }, 1, () => done.resolve())
    const scheduled = makeScheduledBackups({
      home: { id: HOME_ID, dir },
      store,
      clock,
      random: seededRandom(1),
      log,
      lanes,
      schedule: () => wanted,
      tell: (severity, message) => void told.push(`${severity} ${message}`),
    })
    status = scheduled.status
    look = async () => {
      await scheduled.reconciler.reconcile(signal)
      while (lanes.busy('backup/scheduled')) {
        done = Promise.withResolvers<void>()
        await done.promise
      }
    }
  })
  afterEach(() => home.remove())

  it('come by time, and the oldest go; what others keep there stays', async () => {
    writeFileSync(join(folder, 'letters'), '')
    writeFileSync(join(folder, '.polebean-abc123-20261101T000000Z.tar.zst.part-7'), 'of a dead server')
    for (let day = 0; day < 4; day++) {
      await look()
      await look()
      now += DAY_MS
    }
    assert.deepEqual(readdirSync(folder).sort(), [
      'letters',
      'polebean-abc123-20261128T151500Z.tar.zst',
      'polebean-abc123-20261129T151500Z.tar.zst',
    ])
    const { last, files } = status()
    assert.equal(last?.file, join(folder, 'polebean-abc123-20261129T151500Z.tar.zst'))
    assert.deepEqual(files.map(({ at }) => at).sort(), [AT + 2 * DAY_MS, AT + 3 * DAY_MS])
    assert.equal(await refusal(readFileSync(last.file)), 'accepted')
    assert.deepEqual(told, [])
  })

  it('that fail are told once, tried each hour, and told when they work again', async () => {
    await look()
    wanted = { ...wanted!, folder: join(home.base, 'unmounted') }
    for (let hour = 0; hour < 3; hour++) {
      await look()
      now += HOUR_MS
    }
    const failure = `there is no folder ${wanted.folder} (is its disk mounted?)`
    assert.deepEqual(told, [
      `ERROR The scheduled backup of this home failed: ${failure}. ` +
        `The last one is of 2026-11-26 15:15 UTC: ${folder}/polebean-abc123-20261126T151500Z.tar.zst`,
    ])
    assert.equal(status().last?.failure, failure)
    mkdirSync(wanted.folder)
    await look()
    assert.match(told[1] ?? '', /^INFO The scheduled backup of this home works again: /)
    assert.equal(status().last?.failure, null)
    assert.equal(readdirSync(wanted.folder).length, 1)
  })

  it('are sealed by a file that only root can read', async () => {
    const passphraseFile = join(home.base, 'passphrase')
    writeFileSync(passphraseFile, 'correct horse\n', { mode: 0o644 })
    wanted = { ...wanted!, passphraseFile }
    await look()
    assert.match(told[0] ?? '', /others may read it; chmod 600/)
    assert.deepEqual(readdirSync(folder), [])
    chmodSync(passphraseFile, 0o600)
    now += HOUR_MS
    await look()
    const [name = ''] = readdirSync(folder)
    assert.match(name, /\.tar\.zst\.sealed$/)
    const backup = readFileSync(join(folder, name))
    assert.equal(await refusal(backup, 'correct horse'), 'accepted')
    assert.equal(await refusal(backup, 'another horse'), 'the passphrase is not that of FILE')
    assert.doesNotMatch(JSON.stringify([told, status()]), /correct horse/)
  })

  it('are not made when nobody wants them', async () => {
    wanted = null
    await look()
    assert.deepEqual([readdirSync(folder), status()], [[], { schedule: null, last: null, files: [] }])
  })

  it('go into a folder outside of the home', () => {
    for (const inside of [home.dir, join(home.dir, 'backups')])
      assert.throws(() => checkFolder(inside, home.dir), /is in the home itself/)
    assert.throws(() => checkFolder(join(home.dir, '../home/config.yaml'), home.dir), /in the home itself/)
    writeFileSync(join(home.base, 'file'), '')
    assert.throws(() => checkFolder(join(home.base, 'file'), home.dir), /is not a folder/)
    checkFolder(folder, home.dir)
  })
})
