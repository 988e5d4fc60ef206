// Each release's home, as tools/release/record.ts kept it, under today's code: migrated, described, served.
import assert from 'node:assert/strict'
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { Environment } from '../src/cli/environments.ts'
import { migrations } from '../src/control-plane.ts'
import { choosePorts, rangesOfHomes } from '../src/home-ports.ts'
import type { HomeSettings } from '../src/home.ts'
import { openStore } from '../src/store/store.ts'
import { makeTestHome, root, type TestHome } from './support/home.ts'
import { until, untilWhole } from './support/world.ts'

const RECORDINGS = join(root, 'test/recordings')
const KEPT = ['name', 'id', 'application', 'versionLabel', 'platform', 'cname', 'status'] as const

for (const version of readdirSync(RECORDINGS).sort())
  describe(`a home of ${version}`, { concurrency: 1 }, () => {
    const home = makeTestHome()
    const recorded = JSON.parse(
      readFileSync(join(RECORDINGS, version, 'environments.json'), 'utf8'),
    ) as Environment[]
    after(async () => assert.deepEqual(await home.remove(), []))

    it('is migrated, with rows that are whole', async () => {
      await layDown(version, home)
      const store = openStore(join(home.dir, 'polebean.db'), migrations)
      try {
        assert.deepEqual(store.all('pragma integrity_check'), [{ integrityCheck: 'ok' }])
        assert.deepEqual(store.all('pragma foreign_key_check'), [])
        const applied = store.all<{ id: string }>('select id from migration').map(({ id }) => id)
        assert.deepEqual(applied.sort(), migrations.map(({ id }) => id).sort())
      } finally {
        store.close()
      }
    })

    it('describes its environments, and serves them', async () => {
      // Its range is the recorded one; a home of another test may have drawn it, and gives it back.
      const { cidr } = home.settings()
      await until('the range is free', () => !rangesOfHomes(undefined, home.dir).includes(cidr), 4 * 60_000)
      await home.polebean(['start'])
      const shown = (row: Environment) => Object.fromEntries(KEPT.map((name) => [name, row[name]]))
      const list = JSON.parse((await home.polebean(['list', '--json'])).stdout) as Environment[]
      assert.deepEqual(list.map(shown), recorded.map(shown))
      assert.ok(recorded.length > 1)
      assert.match((await home.polebean(['printenv', 'first'])).stdout, /GREETING *= *hello/)
      assert.match(
        (await home.polebean(['events', 'first'])).stdout,
        /Successfully launched environment: first/,
      )
      // A platform of then may not be offered any more: instances that were made with it are gone with their machine.
      const { SolutionStacks } = await home.aws(['elasticbeanstalk', 'list-available-solution-stacks'])
      for (const { name, platform } of recorded)
        if ((SolutionStacks as string[]).includes(platform)) await untilWhole(home, name, /^v2 /)
    })
  })

/** The recording as a home of its own; only its ports are drawn anew, since another program may have those. */
async function layDown(version: string, { dir }: TestHome): Promise<void> {
  const from = join(RECORDINGS, version)
  mkdirSync(dir)
  cpSync(join(from, 'objects'), join(dir, 'objects'), { recursive: true })
  writeFileSync(join(dir, 'polebean.db'), gunzipSync(readFileSync(join(from, 'polebean.db.gz'))))
  const settings = JSON.parse(readFileSync(join(from, 'home.json'), 'utf8')) as HomeSettings
  const moved = { ...settings, dir, ports: await choosePorts(dir, 0.5) }
  writeFileSync(join(dir, 'home.json'), JSON.stringify(moved))
  const key = { accessKeyId: 'PBLNOFARECORDEDHOME1', secretAccessKey: 'not-a-secret-in-a-test' }
  writeFileSync(join(dir, 'credentials.json'), JSON.stringify(key), { mode: 0o600 })
  chmodSync(dir, 0o755)
}
