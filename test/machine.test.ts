// What the machine must have, who may start Polebean on it, and what doctor finds.
import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { leftOvers, makeTestHome, root, runProgram } from './support/home.ts'
import { writeProbeApp } from './support/probe-app.ts'
import { daemonPid, kill, tellDaemon, things, until, untilTold } from './support/world.ts'

const BIN = join(root, 'bin/polebean')

describe('a machine that lacks something', () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  const refused = async (argv: string[], sentence: RegExp) => {
    const ran = await runProgram(argv, { env: { POLEBEAN_HOME: home.dir }, timeoutMs: 30_000 })
    assert.equal(ran.status, 1, ran.stderr)
    assert.match(ran.stderr, /^polebean: this machine lacks what Polebean needs; nothing was changed$/m)
    assert.match(ran.stderr, sentence)
    assert.doesNotMatch(ran.stderr, /bug in Polebean|\n {4}at /)
    assert.equal(existsSync(home.dir), false)
  }

  it('is refused before anything is made: an engine that is missing or too old, a right that root has not', async () => {
    for (const verb of ['server', 'start']) {
      const gone = 'mount --bind /dev/null /usr/sbin/haproxy && exec "$@"'
      await refused(
        ['unshare', '-m', 'sh', '-c', gone, 'sh', BIN, verb],
        /^ {2}haproxy: not found \(apt-get install haproxy\)$/m,
      )
    }
    const old = join(home.dir, '../runc')
    writeFileSync(old, '#!/bin/sh\necho runc version 1.0.0-rc93\n', { mode: 0o755 })
    await refused(
      ['unshare', '-m', 'sh', '-c', 'mount --bind "$0" /usr/sbin/runc && exec "$@"', old, BIN, 'start'],
      /^ {2}runc: runc version 1\.0\.0-rc93: 1\.1 or newer is needed, since .* \(apt-get install runc\)$/m,
    )
    await refused(
      ['setpriv', '--bounding-set=-sys_admin,-net_admin', '--', BIN, 'start'],
      /^ {2}rights: root without CAP_NET_ADMIN, CAP_SYS_ADMIN/m,
    )
  })
})

describe('a server that cannot start', () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))

  it('is told with its reason at once, and is not tried for ever', async () => {
    await home.polebean(['start'])
    await home.polebean(['down'])
    // Of the control plane's own, so that nothing notices before it runs.
    const layers = join(home.dir, 'layers')
    rmSync(layers, { recursive: true, force: true })
    writeFileSync(layers, 'in the way')
    const startedAt = performance.now()
    const { stderr } = await home.polebean(['start'], { status: 1 })
    assert.match(stderr, /^polebean: Polebean does not start: .*layers/m)
    assert.ok(performance.now() - startedAt < 30_000)
    assert.equal(daemonPid(home.settings(), 'server'), undefined)
    assert.ok(existsSync(join(home.dir, 'supervise/server/down')), 'nor after a reboot')
    rmSync(layers)
    await home.polebean(['start'])
  })
})

describe('a normal user with sudo', { concurrency: 1 }, () => {
  const UID = 54_321
  const home = makeTestHome()
  const base = dirname(home.dir)
  after(async () => assert.deepEqual(await home.remove(), []))
  const [clone, folder, programs] = ['clone', 'user', 'programs'].map((name) => join(base, name)) as [
    string,
    string,
    string,
  ]
  const asked = join(base, 'asked')
  const environment = {
    POLEBEAN_HOME: home.dir,
    HOME: folder,
    PATH: `${programs}:/usr/bin:/bin`,
    XDG_STATE_HOME: join(folder, '.local/state'),
    REQUESTS_CA_BUNDLE: '/nowhere/ca.pem',
    PIP_INDEX_URL: 'http://user:password@127.0.0.1:9/simple',
  }
  const asUser = (argv: string[], options: { cwd?: string } = {}) =>
    runProgram(['setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups', ...argv], {
      cwd: clone,
      ...options,
      env: environment,
    })

  it('starts it with one question, and owns everything in the clone and in the own folder', async (t) => {
    makeClone()
    makeSudo()
    const can = await asUser(['sudo', 'id', '-u'])
    if (can.stdout.trim() !== '0') return t.skip(`no setuid program works in ${base}: ${can.stderr}`)
    writeFileSync(asked, '')
    const app = writeProbeApp(join(folder, 'probe-app'), 'v1')
    own(folder)

    const up = await asUser(['npm', 'run', '--silent', 'up', '--', app])
    assert.equal(up.status, 0, up.stderr)
    assert.match(up.stdout, /^http:\S+\n$/)
    assert.equal((await home.get(new URL(up.stdout.trim()).hostname)).status, 200)
    const questions = () => readFileSync(asked, 'utf8').trim().split('\n').filter(Boolean)
    assert.equal(questions().length, 1, questions().join('\n'))

    // What builds need has come along, and none of it was in an argv.
    const server = readFileSync(`/proc/${daemonPid(home.settings(), 'server')}/environ`, 'utf8').split('\0')
    for (const name of ['REQUESTS_CA_BUNDLE', 'PIP_INDEX_URL', 'HOME'] as const)
      assert.ok(server.includes(`${name}=${environment[name]}`), name)
    assert.doesNotMatch(readFileSync(asked, 'utf8'), /password/)

    const again = await asUser(['npm', 'run', '--silent', 'up', '--', app])
    assert.equal(again.status, 0, again.stderr)
    assert.equal(questions().length, 1, 'nothing to do needs no root')

    const owned = await runProgram(['find', clone, folder, '-not', '-uid', String(UID)])
    assert.equal(owned.stdout, '')
    const profile = await asUser([join(clone, 'bin/polebean'), 'env', '--profile'])
    assert.equal(profile.status, 0, profile.stderr)

    // Root writes the settings, and runs no editor.
    const polebean = join(clone, 'bin/polebean')
    const set = await asUser([polebean, 'config', 'set', 'limits.instances', '3', '--json'])
    assert.deepEqual(
      JSON.parse(set.stdout),
      { key: 'limits.instances', value: 3, source: 'file' },
      set.stderr,
    )
    const editor = join(folder, 'editor')
    writeFileSync(
      editor,
      `#!/bin/sh\nid -u > ${folder}/editor-ran-as\necho 'limits.environments: 7' >> "$1"\n`,
    )
    chmodSync(editor, 0o755)
    const edit = await asUser(['env', `VISUAL=${editor}`, polebean, 'config', 'edit'])
    assert.match(edit.stderr, /^limits\.environments is 7 now\.$/m)
    assert.equal(readFileSync(join(folder, 'editor-ran-as'), 'utf8'), `${UID}\n`)
    assert.equal(statSync(join(home.dir, 'config.yaml')).uid, 0)

    const down = await asUser([join(clone, 'bin/polebean'), 'down', '--purge', '--force'])
    assert.equal(down.status, 0, down.stderr)
    assert.equal(existsSync(home.dir), false)
    assert.doesNotMatch(readFileSync(join(folder, '.aws/config'), 'utf8'), /polebean/)
    const state = join(folder, '.local/state/polebean')
    assert.deepEqual(existsSync(state) ? readdirSync(state) : [], [])
  })

  /** What a clone has after `npm run setup`, at a place that the user can read. */
  function makeClone() {
    chmodSync(base, 0o755)
    for (const path of [clone, folder, programs]) mkdirSync(path)
    for (const name of ['package.json', 'package-lock.json', 'bin', 'src', 'tools', 'samples'])
      cpSync(join(root, name), join(clone, name), { recursive: true })
    const modules = join(root, 'node_modules')
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean }>
    }
    for (const [path, { dev }] of Object.entries(packages))
      if (path !== '' && !dev && existsSync(join(root, path)))
        cpSync(join(root, path), join(clone, path), { recursive: true })
    for (const name of ['.package-lock.json', '.bin/node'])
      cpSync(join(modules, name), join(clone, 'node_modules', name), { verbatimSymlinks: true })
    own(clone)
  }

  /** As sudo: root, a poor environment, who asked. It writes down what it was asked instead of asking for a password. */
  function makeSudo() {
    const door = join(programs, 'door')
    mkdirSync(door)
    copyFileSync('/usr/bin/setpriv', join(door, 'setpriv'))
    chmodSync(join(door, 'setpriv'), 0o4755)
    // Nobody else may come through it.
    chownSync(door, 0, UID)
    chmodSync(door, 0o750)
    writeFileSync(asked, '')
    chmodSync(asked, 0o666)
    writeFileSync(
      join(programs, 'sudo'),
      `#!/bin/sh
echo "$@" >>${asked}
exec ${door}/setpriv --reuid=0 --regid=0 --clear-groups \\
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root SUDO_USER=ada SUDO_UID=${UID} SUDO_GID=${UID} "$@"
`,
      { mode: 0o755 },
    )
  }

  function own(path: string) {
    chownSync(path, UID, UID)
    for (const name of readdirSync(path, { recursive: true })) lchownSync(join(path, String(name)), UID, UID)
  }
})

describe('doctor', { concurrency: 1 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  const look = async (status: number) => {
    const { stdout } = await home.polebean(['doctor', '--json'], { status })
    const checks = JSON.parse(stdout) as { name: string; ok: boolean; saw: string }[]
    return new Map(checks.map((one) => [one.name, one]))
  }

  it('sends a packet and a request through everything, and changes nothing', async () => {
    await home.polebean(['up', writeProbeApp(join(home.dir, '../probe-app'), 'v1'), '--name', 'probe-app'])
    await untilTold(home)
    const before = await things(home.settings())
    const checks = await look(0)
    const { id, dir, ports } = home.settings()
    const expected: [name: string, saw: RegExp][] = [
      ['haproxy', /HAProxy version \d/],
      ['API request', /^DescribeEnvironments: 1 environment$/],
      [
        'public request',
        new RegExp(`^probe-app at http://127\\.0\\.0\\.1:${ports.http}/ \\(Host .*HTTP 200$`),
      ],
      ['local request', /^probe-app at http:\/\/127\.0\.0\.1:\d+\/: HTTP 200$/],
      ['DNS packet', /^resolver 169\.254\.169\.253: answers \(code \d\)$/],
      ['target packet', /^balancer to i-[0-9a-f]{17} \(10\.[\d.]+:80\): open$/],
      ['balancer', /^1 of 1 targets are healthy$/],
      ['boto3', /botocore\/\d/],
      ['eb', /EB CLI .*botocore\/\d/],
    ]
    for (const [name, saw] of expected) assert.match(checks.get(name)?.saw ?? 'not there', saw)
    assert.deepEqual(await things(home.settings()), before)
    assert.notDeepEqual(await leftOvers(id, dir), [])
  })

  it('says what does not work', async () => {
    const settings = home.settings()
    const pid = daemonPid(settings, 'resolver')!
    // Stopped, not dead: it is there and does not answer.
    process.kill(pid, 'SIGSTOP')
    try {
      const checks = await look(1)
      assert.match(checks.get('DNS packet')?.saw ?? '', /^resolver 169\.254\.169\.253: no answer within 2 s$/)
      assert.equal(checks.get('daemons')?.ok, true)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    tellDaemon(settings, 'server', 'd')
    kill(daemonPid(settings, 'server')!)
    await until('the server is dead', () => daemonPid(settings, 'server') === undefined)
    assert.match((await look(1)).get('server')?.saw ?? '', /does not answer/)
    tellDaemon(settings, 'server', 'u')
    await untilTold(home)
  })
})
