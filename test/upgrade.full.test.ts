// A release without npm or clone: installed, upgraded under load, gone back from by itself and on request.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { answers } from '../src/cli/start-server.ts'
import { readHome } from '../src/home.ts'
import { makeTestHome, runProgram, type Ran } from './support/home.ts'
import { writeProbeApp } from './support/probe-app.ts'
import { addMigration, ARCH, makeReleases } from './support/releases.ts'
import { daemonPid, sandboxes, until, untilWhole } from './support/world.ts'

describe('a release', { concurrency: 1 }, () => {
  const home = makeTestHome()
  const scratch = join(home.dir, '..')
  const prefix = join(scratch, 'opt')
  const bin = join(scratch, 'bin')
  const other = join(scratch, 'other')
  const ledger = join(scratch, 'ledger.jsonl')
  const env = { POLEBEAN_HOME: home.dir, POLEBEAN_LEDGER: ledger, HOME: scratch, NO_COLOR: '1' }
  const app = writeProbeApp(join(scratch, 'probe-app'), 'v1')
  const files: Record<string, string> = {}
  let url = ''
  let load: ReturnType<typeof startLoad> | undefined

  const installed = async (args: string[], status = 0): Promise<Ran> => {
    // In another folder than the clone's: nothing of it is to be found by chance.
    const ran = await runProgram([join(bin, 'polebean'), ...args], { cwd: scratch, env })
    assert.equal(ran.status, status, `polebean ${args.join(' ')}\n${ran.stderr}\n${ran.stdout}`)
    return ran
  }
  const install = (file: string, options: string[] = []) =>
    runProgram(['sh', 'tools/release/install.sh', '--prefix', prefix, '--bin', bin, ...options, file], {
      env,
    })
  const versions = () =>
    readdirSync(prefix)
      .filter((name) => name !== 'previous')
      .sort()
  const current = () => readlinkSync(join(prefix, 'current'))
  const config = () => readFileSync(join(home.dir, 'config.yaml'), 'utf8')
  /** Where the program of the server that runs lies. */
  const serving = (dir = home.dir) =>
    readlinkSync(`/proc/${daemonPid(readHome(dir)!, 'server')}/exe`)
      .slice(prefix.length + 1)
      .split('/')[0]
  const deeds = () =>
    readFileSync(ledger, 'utf8')
      .trim()
      .split('\n')
      .map((line) => {
        const { deed, path } = JSON.parse(line) as { deed: string; path: string }
        return `${deed} ${path.slice(scratch.length + 1)}`
      })

  before(async () => {
    const build = makeReleases(join(scratch, 'dist'))
    files['7.0.0'] = await build('7.0.0')
    files['7.0.1'] = await build('7.0.1', (edit) => addMigration(edit, 'of_701'))
    files['7.0.2'] = await build('7.0.2', (edit) => {
      addMigration(edit, 'of_702')
      // It changes the database, and then does not come up.
      edit(
        'src/main.js',
        'const engines = makeEngines(home, log, config)',
        'throw new EngineError(`no engines today`)',
      )
    })
    files['7.0.3'] = await build('7.0.3', (edit) => {
      edit(
        'src/control-plane.js',
        ` { id: 'of_702', sql: 'create table of_702 (id integer primary key) strict' },`,
        '',
      )
      edit(
        'src/main.js',
        'throw new EngineError(`no engines today`)',
        'const engines = makeEngines(home, log, config)',
      )
    })
  })
  afterEach(() => load?.end())
  after(async () => {
    for (const dir of [other, home.dir])
      if (readHome(dir)) await installed(['down', '--purge', '--force', '--home', dir])
    assert.deepEqual(await home.remove(), [])
  })

  it('is installed once, noted in the ledger, and says what it is', async () => {
    for (let time = 0; time < 2; time++) {
      const { status, stderr } = await install(files['7.0.0']!)
      assert.equal(status, 0, stderr)
      assert.deepEqual(deeds(), [
        'make folder opt',
        'make folder opt/7.0.0',
        'make link opt/current',
        'make link bin/polebean',
      ])
    }
    assert.deepEqual(versions(), ['7.0.0', 'current'])
    const { stdout } = await installed(['--version'])
    assert.match(stdout, /^polebean 7\.0\.0 \(commit 0123456789ab, Node 26\.\d+\.\d+\)\n$/)
    assert.match((await installed(['completion', 'bash'])).stdout, /opt\/current\/bin\/polebean/)
    assert.equal((await installed(['setup', '--yes'])).status, 0)
    assert.match(
      (await install(files['7.0.1']!)).stderr,
      /7\.0\.0 is installed; from there: polebean upgrade/,
    )
    assert.deepEqual(versions(), ['7.0.0', 'current'])
  })

  it('deploys, from its own folder alone', async () => {
    const { stderr } = await installed(['start', '--home', join(prefix, 'home')], 1)
    assert.match(stderr, /a home cannot be in .*opt, where Polebean's own code lies/)
    await installed(['up', app, '--name', 'probe-app'])
    const [one] = JSON.parse((await installed(['list', '--json'])).stdout) as { localUrl: string }[]
    url = one!.localUrl
    await installed(['start', '--home', other])
    assert.deepEqual([serving(), serving(other)], ['7.0.0', '7.0.0'])
  })

  it('is upgraded without losing a request, keeping instances and their disks', async () => {
    const before = sandboxes(home.settings())
    load = startLoad(url)
    const { stderr } = await installed(['upgrade', files['7.0.1']!])
    assert.match(stderr, /Polebean is 7\.0\.1 now, and answers for /)
    assert.deepEqual(await load.end(), [])
    assert.deepEqual([current(), serving(), serving(other)], ['7.0.1', '7.0.1', '7.0.1'])
    assert.deepEqual(sandboxes(home.settings()), before)
    assert.equal(readFileSync(join(home.dir, 'before-7.0.1/version'), 'utf8'), '7.0.0\n')
    await untilWhole(home, 'probe-app', /^v1 /)
  })

  it('refuses what is damaged, older, of another machine, no release; nothing changes', async () => {
    const pid = daemonPid(home.settings(), 'server')
    const noted = deeds()
    const refused = async (file: string, why: RegExp, status = 1) =>
      assert.match((await installed(['upgrade', file], status)).stderr, why)
    await refused('7.0.3.tar.gz', /there is no file .*named by its file or its https URL/, 2)
    await refused('http://127.0.0.1:9/a.tar.gz', /over https only/, 2)
    await refused('https://127.0.0.1:9/a.tar.gz', /cannot be fetched: /)
    const other = ARCH === 'x64' ? 'arm64' : 'x64'
    for (const [name, make, why] of [
      ['cut', (text: Buffer) => text.subarray(0, 1_000_000), /is damaged: its sum is not the one/],
      ['text', () => Buffer.from('hello'), /is no \.tar\.gz/],
    ] as const) {
      const file = join(scratch, `${name}.tar.gz`)
      writeFileSync(file, make(readFileSync(files['7.0.2']!)))
      await refused(file, /text|cut/.test(name) ? /\.sha256 is missing/ : why)
      const sum = name === 'cut' ? readFileSync(`${files['7.0.2']}.sha256`, 'utf8') : sumOf(file)
      writeFileSync(`${file}.sha256`, sum)
      await refused(file, why)
    }
    const folder = join(scratch, 'foreign')
    mkdirSync(folder)
    const release = { version: '7.0.9', commit: 'c'.repeat(40), arch: other, node: '26.0.0' }
    for (const [text, why] of [
      [
        JSON.stringify({ ...release, arch: ARCH, version: '7.0.0' }),
        /7\.0\.0 is older than 7\.0\.1.*upgrade --rollback/,
      ],
      [JSON.stringify({ ...release, arch: ARCH, version: '7.0.1' }), /7\.0\.1 is what runs now/],
      [JSON.stringify(release), new RegExp(`this release is for ${other}`)],
      [JSON.stringify({ ...release, arch: ARCH }), /does not start here, so nothing was changed/],
      ['{}', /names no release/],
    ] as const) {
      writeFileSync(join(folder, 'release.json'), text)
      const file = join(scratch, 'foreign.tar.gz')
      assert.equal(spawnSync('tar', ['-czf', file, '-C', scratch, 'foreign']).status, 0)
      writeFileSync(`${file}.sha256`, sumOf(file))
      await refused(file, why)
    }
    await refused('--rollback', /this needs --force when nobody can be asked/, 2)
    assert.deepEqual([versions(), deeds()], [['7.0.0', '7.0.1', 'current'], noted])
    assert.equal(daemonPid(home.settings(), 'server'), pid, 'the server was left alone')
  })

  it('that does not come up is gone back from: version, database, requests', async () => {
    await installed(['setenv', 'KEPT=yes'])
    await installed(['config', 'set', 'limits.instances', '7'])
    const before = sandboxes(home.settings())
    load = startLoad(url)
    const { stderr } = await installed(['upgrade', files['7.0.2']!], 1)
    assert.match(stderr, /no engines today[^]*the upgrade failed; everything is as it was, on 7\.0\.1/)
    assert.deepEqual(await load.end(), [])
    assert.deepEqual([current(), serving(), versions()], ['7.0.1', '7.0.1', ['7.0.0', '7.0.1', 'current']])
    assert.ok(!existsSync(join(home.dir, 'before-7.0.2')))
    assert.ok(existsSync(join(home.dir, 'before-7.0.1')), 'the way back to 7.0.0 is still there')
    assert.deepEqual(sandboxes(home.settings()), before)
    assert.match((await installed(['printenv'])).stdout, /KEPT *= *yes/)
    assert.match(config(), /^limits\.instances: 7$/m)
  })

  it('goes back on request, to the data of that moment', async () => {
    await installed(['scale', '2'])
    await installed(['down', '--home', other])
    const { stderr } = await installed(['upgrade', '--rollback', '--force'])
    assert.match(stderr, /What was done since the upgrade is lost in .*\nPolebean is 7\.0\.0 again/)
    assert.deepEqual([current(), serving()], ['7.0.0', '7.0.0'])
    await untilWhole(home, 'probe-app', /^v1 /)
    assert.equal(sandboxes(home.settings()).length, 1, 'what was made since is gone')
    assert.doesNotMatch((await installed(['printenv'])).stdout, /KEPT/)
    assert.doesNotMatch(config(), /^limits\.instances/m)
    assert.match((await installed(['upgrade', '--rollback', '--force'], 1)).stderr, /nothing to go back to/)
  })

  it('leaves a server in a terminal alone, and says whose it is', async () => {
    // This home was stopped before the way back: it would be refused with the database that the newer version left.
    const server = spawn(join(bin, 'polebean'), ['server', '--home', other], {
      env: { ...process.env, ...env },
      stdio: 'ignore',
    })
    const ended = once(server, 'exit')
    try {
      await until('it answers', () => answers(other))
      const { stderr } = await installed(['upgrade', files['7.0.1']!], 1)
      assert.match(
        stderr,
        new RegExp(`a server runs in the foreground \\(polebean server\\) for ${other}; end it first`),
      )
      assert.equal(current(), '7.0.0')
    } finally {
      server.kill('SIGTERM')
      await ended
    }
  })

  it('is found by its version or as the newest; what nothing goes back to is deleted', async () => {
    const dist = join(scratch, 'dist')
    assert.match((await installed(['upgrade'], 1)).stderr, /config set releases\.source https:/)
    assert.match(
      (await installed(['config', 'set', 'releases.source', 'http://a'], 2)).stderr,
      /an https URL/,
    )
    await installed(['config', 'set', 'releases.source', dist])
    assert.match((await installed(['upgrade'], 1)).stderr, /dist\/latest cannot be read/)
    assert.match(
      (await installed(['upgrade', '7.0.9'], 2)).stderr,
      /there is no file .*polebean-7\.0\.9-linux/,
    )
    writeFileSync(join(dist, 'latest'), '7.0.3\n')
    load = startLoad(url)
    const { stderr } = await installed(['upgrade'])
    assert.match(stderr, /Deleted 7\.0\.1, [^]*Polebean is 7\.0\.3 now/)
    assert.deepEqual(await load.end(), [])
    assert.deepEqual([current(), serving(), versions()], ['7.0.3', '7.0.3', ['7.0.0', '7.0.3', 'current']])
    assert.equal(deeds().filter((deed) => deed === 'remove folder opt/7.0.1').length, 1)
    assert.match((await installed(['upgrade'])).stderr, /^Polebean is 7\.0\.3; .*dist has nothing newer/)
    assert.match((await installed(['upgrade', '7.0.3'], 1)).stderr, /7\.0\.3 is what runs now/)
    await untilWhole(home, 'probe-app', /^v1 /)
  })

  it('of a version that is older than the database says which migrations it has', async () => {
    await installed(['down'])
    const db = new DatabaseSync(join(home.dir, 'polebean.db'))
    db.exec(`insert into migration values ('of_704', 999)`)
    db.close()
    const { stderr } = await installed(['start'], 1)
    assert.match(stderr, /was written by a newer Polebean \(it has of_704\); nothing was changed/)
  })
})

function sumOf(file: string): string {
  return spawnSync('sha256sum', [file], { encoding: 'utf8' }).stdout
}

const EVERY_MS = 20

/** Asks every 20 ms, each time on a connection of its own, until `end`, which answers what went wrong. */
function startLoad(url: string) {
  const failures: string[] = []
  let asked = 0
  let going = true
  const ask = () =>
    new Promise<void>((done) => {
      const fail = (error: Error) => (failures.push(`request ${asked}: ${error.message}`), done())
      const call = get(url, { agent: false, timeout: 5_000 }, (response) => {
        response.resume()
        if (response.statusCode !== 200) failures.push(`request ${asked}: HTTP ${response.statusCode}`)
        response.on('end', done).on('error', fail)
      })
      call.on('timeout', () => call.destroy(new Error('no answer within 5 s'))).on('error', fail)
    })
  const loop = (async () => {
    const open: Promise<void>[] = []
    for (; going; await sleep(EVERY_MS)) {
      asked++
      open.push(ask())
    }
    await Promise.all(open)
  })()
  return {
    async end() {
      going = false
      await loop
      return asked > 20 ? failures : [`only ${asked} requests were made`]
    },
  }
}
