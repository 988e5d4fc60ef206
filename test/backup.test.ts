// A home is backed up while it is busy, destroyed, and restored: what was there is there again, under the same names.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeTestHome } from './support/home.ts'
import { writeProbeApp } from './support/probe-app.ts'
import { until, untilTold, untilWhole } from './support/world.ts'

const PASSPHRASE = 'correct horse battery staple'
const NAME = 'shop'

describe('a backup', { concurrency: 1 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  const base = dirname(home.dir)
  const at = (name: string) => join(base, name)
  const [app, file, passphrase, folder] = ['app', 'backup', 'passphrase', 'backups'].map(at) as [
    string,
    string,
    string,
    string,
  ]
  let host = ''
  let bucket = ''
  let was: object
  const left = () => readdirSync(base).filter((name) => /restoring|\.part-/.test(name))

  /** What must be the same afterwards. */
  const identity = async () => ({
    key: readFileSync(join(home.dir, 'credentials.json'), 'utf8'),
    settings: home.settings(),
    config: readFileSync(join(home.dir, 'config.yaml'), 'utf8'),
    environment: JSON.parse((await home.polebean(['list', '--json'])).stdout).map(
      ({ name, id, cname, localUrl, versionLabel }: Record<string, string>) =>
        [name, id, cname, localUrl, versionLabel].join(' '),
    ),
    instances: await home.aws([
      'ec2',
      'describe-instances',
      '--query',
      'sort(Reservations[].Instances[].join(` `, [InstanceId, PrivateIpAddress, State.Name, LaunchTime]))',
    ]),
    groups: await home.aws([
      'elbv2',
      'describe-target-groups',
      '--query',
      'TargetGroups[].[TargetGroupArn, LoadBalancerArns]',
    ]),
    property: (await home.polebean(['printenv', NAME])).stdout,
  })

  before(async () => {
    writeFileSync(passphrase, `${PASSPHRASE}\n`, { mode: 0o600 })
    const up = ['up', writeProbeApp(app, 'v1'), '--name', NAME, '--env', 'SECRET=sesame']
    host = new URL((await home.polebean(up)).stdout.trim()).hostname
    await home.polebean(['scale', '2'])
    await untilTold(home)
    const made = await home.aws(['elasticbeanstalk', 'create-storage-location'])
    bucket = String(made['S3Bucket'])
    was = await identity()
  })

  it('of a busy home is whole, and costs no request', async () => {
    const put = async (key: string) => {
      writeFileSync(at(key), `object ${key}`)
      await home.aws(['s3api', 'put-object', '--bucket', bucket, '--key', key, '--body', at(key)])
    }
    await put('before')
    let over = false
    const statuses: number[] = []
    const visits = async () => {
      while (!over) statuses.push((await home.get(host)).status)
    }
    const puts = async () => {
      for (let number = 0; !over; number++) {
        await put('same')
        await put(`during-${number}`)
      }
    }
    const work = [visits(), puts()]
    const made = await home.polebean(['backup', '--json', '--passphrase-file', passphrase, file])
    over = true
    await Promise.all(work)
    assert.deepEqual(JSON.parse(made.stdout), {
      file,
      bytes: statSync(file).size,
      home: home.settings().id,
      sealed: true,
    })
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.ok(statuses.length > 0 && statuses.every((status) => status === 200))
    const again = await home.polebean(['backup', file], { status: 1 })
    assert.match(again.stderr, /is there already; --force overwrites it/)
    // A reader that goes: no word about a server that ended.
    const cut = await home.client(['sh', '-c', 'bin/polebean backup - | head -c 1 >/dev/null'])
    assert.deepEqual(cut, { status: 0, stdout: '', stderr: '' })
    assert.doesNotMatch(
      made.stdout + made.stderr + readFileSync(join(home.dir, 'log/server/current'), 'utf8'),
      /correct horse/,
    )
  })

  it('never goes over a living home, nor beside it on the same machine', async () => {
    const living = await home.polebean(['restore', file], { status: 1 })
    assert.match(living.stderr, /is a home already, and restoring never overwrites one/)
    const twin = ['--home', at('twin'), 'restore', '--passphrase-file', passphrase, file]
    assert.match((await home.polebean(twin, { status: 1 })).stderr, /is this very home .*\bdown --purge/)
    assert.equal(existsSync(at('twin')), false)
    assert.deepEqual(left(), [])
  })

  it('is made by the server itself, which says when it cannot', async () => {
    mkdirSync(folder)
    await home.polebean(['backup', '--every', '24h', '--keep', '2', folder])
    await until('one is listed', async () => {
      const { files } = JSON.parse((await home.polebean(['backup', '--list', '--json'])).stdout)
      return files.length === 1
    })
    await home.polebean(['config', 'set', 'backup.folder', at('unmounted')])
    await until('the failure is an event', async () =>
      (await home.polebean(['events', NAME])).stdout.includes(
        'ERROR  The scheduled backup of this home failed',
      ),
    )
    assert.match((await home.polebean(['backup', '--list'], { status: 1 })).stderr, /no folder .*unmounted/)
    assert.match(
      (await home.polebean(['status', NAME])).stderr,
      /last scheduled backup .* failed: there is no/,
    )
    assert.match((await home.polebean(['doctor'], { status: 1 })).stdout, /^NO +backup +there is no folder/m)
    await home.polebean(['backup', '--every', 'off'])
  })

  it('that is not whole, or opened with a wrong passphrase, leaves nothing behind', async () => {
    await home.polebean(['down', '--purge', '--force'])
    writeFileSync(at('cut'), readFileSync(file).subarray(0, 9_000), { mode: 0o600 })
    writeFileSync(at('wrong'), 'incorrect horse\n', { mode: 0o600 })
    const refused = async (args: string[], sentence: RegExp) => {
      const { stderr } = await home.polebean(['restore', ...args], { status: 1 })
      assert.match(stderr, sentence)
      assert.equal(existsSync(home.dir), false)
      assert.deepEqual(left(), [])
    }
    await refused(['--passphrase-file', passphrase, at('cut')], /^polebean: \S+cut is damaged or cut off/)
    await refused(
      ['--passphrase-file', at('wrong'), file],
      /^polebean: the passphrase is not that of \S+backup$/m,
    )
    await refused([at('wrong')], /^polebean: \S+wrong is not a backup of Polebean$/m)
    const { settings } = was as Awaited<ReturnType<typeof identity>>
    const taken = createServer()
    await new Promise<void>((done) => taken.listen(settings.ports.api, '127.0.0.1', done))
    try {
      const holder = new RegExp(
        `API port: port ${settings.ports.api} is taken by \\S+ \\(pid ${process.pid}\\): .*--api-port`,
      )
      await refused(['--passphrase-file', passphrase, file], holder)
    } finally {
      taken.close()
    }
  })

  it('brings everything back: ids, names, keys, addresses, objects', async () => {
    const { stdout } = await home.polebean(['restore', '--json', '--passphrase-file', passphrase, file])
    assert.equal(JSON.parse(stdout).id, (was as { settings: { id: string } }).settings.id)
    assert.deepEqual(left(), [])
    rmSync(join(base, '.local'), { recursive: true, force: true })
    await home.polebean(['start'])
    await untilWhole(home, NAME, /^v1 /, 120_000)
    assert.deepEqual(await identity(), was)
    for (const key of ['before', 'same', 'during-0']) {
      const got = await home.client(['aws', 's3', 'cp', `s3://${bucket}/${key}`, '-'])
      if (key === 'before' || got.status === 0) assert.equal(got.stdout, `object ${key}`)
    }
    const events = (await home.polebean(['events', NAME])).stdout
    assert.doesNotMatch(events, /Removed instance|FATAL/)
  })
})
