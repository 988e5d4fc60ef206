// Records a small home of this version in test/recordings/<version>, made with the command line and the real engines. Run
// it once for each release (as root); later versions must be able to go on with every recording (test/recordings.test.ts).
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gzipSync } from 'node:zlib'
import { DEFAULT_HOME } from '../../src/home.ts'
import { makeTestHome, root, type TestHome } from '../../test/support/home.ts'
import { writeProbeApp } from '../../test/support/probe-app.ts'

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
const target = join(root, 'test/recordings', version)
if (existsSync(target)) {
  console.error(`polebean: ${target} is there; a recording of a release is never made again`)
  process.exit(1)
}
const home = makeTestHome()
try {
  await live(home)
  const { stdout } = await home.polebean(['list', '--json'])
  await home.polebean(['down'])
  keep(home.dir, stdout)
  console.log(`recorded ${target}`)
} catch (error) {
  rmSync(target, { recursive: true, force: true })
  throw error
} finally {
  const left = await home.remove()
  if (left.length > 0) console.error(left.join('\n'))
}

/** Two versions, two environments and one that is terminated, properties, events: some rows of each kind. */
async function live({ dir, polebean }: TestHome): Promise<void> {
  const app = writeProbeApp(join(dir, '../probe-app'), 'v1')
  await polebean(['up', app, '--name', 'first', '--env', 'GREETING=hello'])
  writeProbeApp(app, 'v2')
  await polebean(['up', app, '--name', 'first'])
  await polebean(['up', app, '--name', 'second'])
  await polebean(['up', app, '--name', 'ended'])
  await polebean(['terminate', 'ended', '--force'])
  await polebean(['setenv', '-e', 'second', 'COLOUR=green'])
  await polebean(['scale', '2', 'second'])
}

function keep(dir: string, list: string): void {
  mkdirSync(target, { recursive: true })
  const compact = join(dir, 'compact.db')
  const db = new DatabaseSync(join(dir, 'polebean.db'))
  db.exec(`vacuum into '${compact.replaceAll("'", "''")}'`)
  db.close()
  movePaths(compact, [
    [dir, DEFAULT_HOME],
    [root.replace(/\/$/, ''), `/opt/polebean/${version}`],
  ])
  writeFileSync(join(target, 'polebean.db.gz'), gzipSync(readFileSync(compact), { level: 9 }))
  const settings = JSON.parse(readFileSync(join(dir, 'home.json'), 'utf8')) as { id: string }
  const moved = { ...settings, dir: DEFAULT_HOME, runDir: `/run/polebean/${settings.id}` }
  writeFileSync(join(target, 'home.json'), `${JSON.stringify(moved, null, 2)}\n`)
  writeFileSync(join(target, 'environments.json'), list)
  cpSync(join(dir, 'objects'), join(target, 'objects'), { recursive: true })
}

/** Where this machine has it says nothing to others, and is not there when the recording is used: as after an upgrade. */
function movePaths(file: string, moves: [from: string, to: string][]): void {
  const db = new DatabaseSync(file)
  for (const [from, to] of moves) db.prepare('update layer set build = replace(build, ?, ?)').run(from, to)
  db.exec('vacuum')
  db.close()
}
