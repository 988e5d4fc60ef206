// A home on a small disk that another program fills at random moments, and an application that takes too much memory:
// what runs keeps running, what is refused says why, and nothing is lost.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../src/kernel/random.ts'
import { makeTestHome, runProgram } from './support/home.ts'
import { writeProbeApp } from './support/probe-app.ts'
import {
  daemonPid,
  environments,
  sandboxes,
  sandboxProcesses,
  supervisors,
  until,
  untilWhole,
} from './support/world.ts'

const MIB = 2 ** 20

/** The probe application, which at /eat takes memory until there is none. */
function writeHungryApp(folder: string, version: string): string {
  writeProbeApp(folder, version)
  const server = readFileSync(join(folder, 'server.js'), 'utf8')
  const eat = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(64 << 20, 1)), 5)'
  const first = "if (pathname === '/note')"
  assert.ok(server.includes(first))
  writeFileSync(
    join(folder, 'server.js'),
    server.replace(first, `if (pathname === '/eat') { ${eat} }\n  ${first}`),
  )
  return folder
}

describe('a home on a small machine', { concurrency: 1, timeout: 240_000 }, () => {
  const home = makeTestHome('disk/home')
  const disk = join(home.dir, '..')
  const base = join(disk, '..')
  const filler = join(disk, 'of-another-program')
  const app = join(base, 'probe-app')
  let host = ''
  let watching = true
  let watched: Promise<string[]> = Promise.resolve([])

  const must = async (argv: string[]) => {
    const { status, stderr } = await runProgram(argv)
    assert.equal(status, 0, `${argv.join(' ')}: ${stderr}`)
  }
  const freeBytes = () => {
    const { bavail, bsize } = statfsSync(disk)
    return bavail * bsize
  }
  const fill = () =>
    must([
      'sh',
      '-c',
      'fallocate -l "$1" "$2" || dd if=/dev/zero of="$2" bs=1M status=none || :',
      'fill',
      String(freeBytes()),
      filler,
    ])
  const free = () => rmSync(filler, { force: true })
  const events = async () => (await home.polebean(['events', 'probe-app'])).stdout
  const status = async () =>
    JSON.parse((await home.polebean(['status', 'probe-app', '--json'])).stdout) as {
      healthStatus: string
      causes: string[]
    }
  /** Whatever comes of it: it says so in a sentence, and it ends. */
  const tried = async (args: string[]) => {
    const ran = await runProgram([join(import.meta.dirname, '../bin/polebean'), ...args], {
      env: { POLEBEAN_HOME: home.dir, NO_COLOR: '1', HOME: base },
      timeoutMs: 60_000,
    })
    assert.ok([0, 1, 4].includes(ran.status), `${args.join(' ')}: ${ran.status}: ${ran.stderr}`)
    assert.doesNotMatch(ran.stderr, /bug in Polebean/)
    return ran
  }

  before(async () => {
    mkdirSync(disk, { recursive: true })
    await must(['truncate', '-s', String(1200 * MIB), join(base, 'image')])
    await must(['mkfs.ext4', '-q', '-F', '-m', '0', join(base, 'image')])
    await must(['mount', '-o', 'loop', join(base, 'image'), disk])
    const { stdout } = await home.polebean(['up', writeHungryApp(app, 'v1'), '--name', 'probe-app'])
    host = new URL(stdout.trim()).hostname
    watched = watch()
  })
  after(async () => {
    watching = false
    await watched
    free()
    await home.polebean(['down', '--purge', '--force']).catch(() => undefined)
    await runProgram(['umount', '-l', disk])
    assert.deepEqual(await home.remove(), [])
    rmSync(base, { recursive: true, force: true })
  })

  /** Asks all the time; answers what went wrong. */
  async function watch(): Promise<string[]> {
    const wrong: string[] = []
    while (watching) {
      const answer = await home.get(host).catch((error: unknown) => ({ status: 0, body: String(error) }))
      if (answer.status !== 200) wrong.push(`${answer.status} ${answer.body.slice(0, 100)}`)
      await sleep(20)
    }
    return wrong
  }

  it('has its daemons ended last, and its instances first, when memory is short', () => {
    const settings = home.settings()
    const score = (pid: number | undefined) => readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim()
    // CAP_SYS_RESOURCE (24), which a container may not have: instances go first all the same.
    const capabilities = /^CapEff:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
    const mayLower = ((BigInt(`0x${capabilities}`) >> 24n) & 1n) === 1n
    const daemons = ['server', 'haproxy', 'resolver'].map((name) => daemonPid(settings, name))
    for (const pid of [...daemons, ...supervisors(settings)])
      assert.equal(score(pid), mayLower ? '-900' : score(process.pid))
    const inside = sandboxProcesses(settings)
    assert.ok(inside.length > 3)
    for (const { pid } of inside) assert.equal(score(pid), '300')
  })

  it('goes on while its disk is full, and converges when it has room', async (t) => {
    const random = seededRandom(Number(process.env.POLEBEAN_SEED ?? 1))
    const large = join(base, 'upload.bin')
    writeFileSync(large, Buffer.alloc(24 * MIB, 7))
    let version = 1
    const upload = async () =>
      void (await home.client(['aws', 's3', 'cp', large, `s3://${bucket}/upload-${version}`]))
    const build = async () => tried(['up', writeHungryApp(app, `v${++version}`), '--name', 'probe-app'])
    const update = async () => tried(['setenv', '-e', 'probe-app', `NUMBER=${++version}`])
    const deeds: Record<string, () => Promise<unknown>> = {
      'upload and build': () => Promise.all([upload(), build()]),
      update,
    }
    const made = await home.aws(['elasticbeanstalk', 'create-storage-location'])
    const bucket = String(made.S3Bucket)
    for (const [name, deed] of Object.entries(deeds)) {
      const doing = deed()
      await sleep(random.next() * 1_500)
      await fill()
      t.diagnostic(`${name}: ${Math.round(freeBytes() / MIB)} MiB left`)
      await until('the environment is Warning, and says why', async () => {
        const { healthStatus, causes } = await status()
        return (
          healthStatus === 'Warning' && /^The disk of the home has less than 5\d MiB/.test(causes[0] ?? '')
        )
      })
      await doing
      const refused = await home.client(['aws', 's3', 'cp', large, `s3://${bucket}/refused`])
      assert.notEqual(refused.status, 0)
      assert.match(
        refused.stderr,
        /InsufficientStorage.*The upload was refused: the disk of the home has less than/,
      )
      await home.get(host, '/note').catch(() => undefined)
      free()
      // Its disk is a file on that disk.
      await until(
        'the application can write again',
        async () => (await home.get(host, '/note')).status === 200,
        60_000,
      )
      await until('the environment is Ok again', async () => (await status()).healthStatus === 'Ok', 60_000)
    }
    await home.polebean(['up', writeHungryApp(app, 'last'), '--name', 'probe-app'])
    await untilWhole(home, 'probe-app', /^last /)
  })

  it('tells of a process that the kernel ended, as one event', async () => {
    watching = false
    // In-place deployments restart the one instance that there is: what is counted is only what a full disk would break.
    const wrong = (await watched).filter((line) => !/^50[234] /.test(line))
    assert.deepEqual(wrong, [])
    const [instance] = sandboxes(home.settings())
    await home.get(host, '/eat').catch(() => undefined)
    const told = async () => (await events()).match(/The kernel ended .*/g) ?? []
    await until('it is told', async () => (await told()).length > 0)
    await untilWhole(home, 'probe-app', /^last /)
    assert.deepEqual(await told(), [
      'The kernel ended the process node-MainThread for want of memory: an instance of type t3.micro may hold 1024 MiB. Let the application use less, or choose a larger instance type; the next larger one is t3.small with 2048 MiB.',
    ])
    assert.equal(sandboxes(home.settings())[0]?.id, instance?.id)
  })

  it('keeps its database whole, and the logs of an instance that is gone', async () => {
    const [instance] = sandboxes(home.settings())
    await home.polebean(['terminate', 'probe-app', '--force'])
    const { stdout } = await home.polebean(['logs', '--instance', instance!.id])
    assert.match(stdout, /==> \/var\/log\//)
    assert.deepEqual(await environments(home), [])
    await home.polebean(['down'])
    const database = new DatabaseSync(join(home.dir, 'polebean.db'))
    assert.deepEqual(
      database
        .prepare('pragma integrity_check')
        .all()
        .map((row) => row.integrity_check),
      ['ok'],
    )
    database.close()
    assert.ok(!existsSync(filler))
  })
})
