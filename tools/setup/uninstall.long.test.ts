// Uninstall on a machine that the test makes up: apt-get, dpkg, systemctl written here; what they were asked is in `log`.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'

const base = mkdtempSync(join(tmpdir(), 'pbt-uninstall-'))
after(() => rmSync(base, { recursive: true }))
const MODULE = pathToFileURL(join(import.meta.dirname, 'uninstall.mjs')).href
let machines = 0

type Deed = { deed: string; [name: string]: unknown }

/** `packages`: name → those that need it. `auto`: brought along, gone when what needs them is. */
function makeMachine({ packages = {} as Record<string, string[]>, auto = [] as string[] } = {}) {
  const dir = join(base, String(++machines))
  const folder = join(dir, 'programs')
  for (const name of ['programs', 'systemd', 'there', 'masked', 'run', 'etc/x'])
    mkdirSync(join(dir, name), { recursive: true })
  const at = {
    folders: [folder],
    libraries: [],
    policy: join(dir, 'policy-rc.d'),
    ledger: join(dir, 'setup/ledger.jsonl'),
    systemd: join(dir, 'systemd'),
    claims: join(dir, 'ports'),
    run: join(dir, 'run'),
    ours: [join(dir, 'etc/release')],
    users: { user: join(dir, 'etc/passwd'), group: join(dir, 'etc/group') },
  }
  const log = join(dir, 'log')
  const program = (name: string, script: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  for (const name of ['sh', 'rm', 'head', 'touch']) symlinkSync(`/usr/bin/${name}`, join(folder, name))
  for (const name of [...Object.keys(packages), ...auto]) writeFileSync(join(dir, 'there', name), '')
  const needs = Object.entries(packages).map(
    ([name, by]) => `${name}) echo Purg ${name}; for n in ${by.join(' ')}; do echo Remv $n; done ;;`,
  )
  program(
    'apt-get',
    `case "$*" in
  *--simulate*)
    for word in "$@"; do case $word in ${needs.join('\n')} esac; done
    case "$*" in *--autoremove*) for n in ${[...auto, 'foreign-leftover'].join(' ')}; do echo "Remv $n"; done ;; esac
    exit 0 ;;
  *--assume-no*) echo 'After this operation, 7,000 kB disk space will be freed.'; exit 1 ;;
esac
echo "apt-get $*" >>'${log}'
test -e '${dir}/broken' && exit 100
shift 3; for name in "$@"; do rm -f '${dir}/there'/$name; done`,
  )
  program('dpkg-query', `for last in "$@"; do :; done; test -e '${dir}/there'/$last && printf 'ii '`)
  program('dpkg', `test -e '${dir}/changed-'$2 && echo '??5?????? c /etc/haproxy/haproxy.cfg'`)
  program(
    'systemctl',
    `case $1 in
  is-enabled) test -e '${dir}/masked'/$2 && echo masked || echo enabled ;;
  cat) test -e '${dir}/etc'/$2 ;;
  unmask) echo "systemctl $*" >>'${log}'; rm '${dir}/masked'/$3 ;;
  *) echo "systemctl $*" >>'${log}' ;;
esac`,
  )
  program('sudo', 'exec "$@"')
  for (const [kind, file] of [
    ['user', 'passwd'],
    ['group', 'group'],
  ])
    program(`${kind}del`, `echo "${kind}del $*" >>'${log}'; rm '${dir}/etc/${file}'`)
  return {
    at,
    dir,
    note(...deeds: Deed[]) {
      mkdirSync(join(dir, 'setup'), { recursive: true })
      for (const deed of deeds) {
        if (deed.deed === 'mask unit') writeFileSync(join(dir, 'masked', String(deed['unit'])), '')
        writeFileSync(at.ledger, `${JSON.stringify({ at: '2026-01-01T00:00:00Z', ...deed })}\n`, {
          flag: 'a',
        })
      }
    },
    did: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
    uninstall(homes: string[] = []) {
      const code = `
        const { uninstall } = await import(${JSON.stringify(MODULE)})
        const say = (text) => process.stderr.write(text + '\\n')
        await uninstall({ yes: true, homes: ${JSON.stringify(homes)}, machine: ${JSON.stringify(at)}, say }).then(
          (done) => process.stdout.write(JSON.stringify(done)),
          (error) => { say(error.message); process.exitCode = 1 })`
      const ran = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })
      const done =
        ran.stdout === '' ? undefined : (JSON.parse(ran.stdout) as { undone: string[]; kept: string[] })
      return { status: ran.status, said: ran.stderr, ...done }
    },
  }
}

const SETUP: Deed[] = [
  { deed: 'mask unit', unit: 'haproxy.service' },
  { deed: 'write file', path: join(base, 'policy-rc.d') },
  { deed: 'install packages', packages: ['haproxy', 'runc'], brought: ['haproxy', 'liblua5.3-0', 'runc'] },
  { deed: 'remove file', path: join(base, 'policy-rc.d') },
]

describe('uninstall', () => {
  it('says so where nothing was changed, and asks for nothing', () => {
    const machine = makeMachine()
    const { status, said, undone } = machine.uninstall()
    assert.deepEqual([status, undone, machine.did()], [0, [], []])
    assert.match(said, /changed nothing/)
  })

  it('undoes packages with what came along, then masks, and takes the ledger away', () => {
    const machine = makeMachine({ packages: { haproxy: [], runc: [] }, auto: ['liblua5.3-0'] })
    machine.note(...SETUP)
    const { status, said, undone, kept } = machine.uninstall()
    assert.equal(status, 0, said)
    assert.match(said, /\(7,000 kB on disk\):\n {2}haproxy runc liblua5\.3-0$/m)
    assert.deepEqual(machine.did(), [
      'apt-get purge -y -qq haproxy runc liblua5.3-0',
      'systemctl unmask --quiet haproxy.service',
      'systemctl daemon-reload',
    ])
    assert.deepEqual(undone, ['install packages haproxy runc', 'mask unit haproxy.service'])
    // Not ours, as far as anybody knows.
    assert.match(kept!.join(), /foreign-leftover: nothing needs them/)
    assert.equal(existsSync(join(machine.dir, 'setup')), false)
    assert.match(machine.uninstall().said, /changed nothing/)
  })

  it('leaves what something else needs, what is in use, and what was changed, with the reason', () => {
    const machine = makeMachine({ packages: { haproxy: [], runc: ['containerd'], 'nginx-light': [] } })
    machine.note(
      { deed: 'mask unit', unit: 'nginx.service' },
      { deed: 'install packages', packages: ['haproxy', 'runc', 'nginx-light'] },
    )
    rmSync(join(machine.dir, 'masked/nginx.service'))
    writeFileSync(join(machine.dir, 'changed-haproxy'), '')
    const { kept } = machine.uninstall()
    assert.deepEqual(
      machine.did().filter((line) => line.startsWith('apt-get')),
      [],
    )
    for (const reason of [
      /package runc: containerd of this machine needs it/,
      /package nginx-light: nginx\.service is not masked any more/,
      /package haproxy: \/etc\/haproxy\/haproxy\.cfg was changed/,
    ])
      assert.match(kept!.join('\n'), reason)
    assert.equal(existsSync(machine.at.ledger), true)
  })

  it('undoes folders, links, files, units and settings of the kernel', () => {
    const machine = makeMachine()
    const etc = (name: string) => join(machine.dir, 'etc', name)
    mkdirSync(etc('release/1.0'), { recursive: true })
    writeFileSync(etc('release/1.0/node'), '')
    symlinkSync(etc('release/1.0'), etc('current'))
    symlinkSync('/elsewhere', etc('theirs'))
    for (const name of ['polebean.service', 'file']) writeFileSync(etc(name), '')
    machine.note(
      { deed: 'make folder', path: etc('release') },
      { deed: 'make link', path: etc('current'), to: etc('release/1.0') },
      { deed: 'make link', path: etc('theirs'), to: etc('release/1.0') },
      { deed: 'write file', path: etc('file') },
      { deed: 'write file', path: etc('polebean.service') },
      { deed: 'enable unit', unit: 'polebean.service' },
      { deed: 'enable unit', unit: 'gone.service' },
    )
    const { said, kept } = machine.uninstall()
    const left = readdirSync(join(machine.dir, 'etc')).sort()
    assert.deepEqual(left, ['theirs', 'x'])
    assert.match(said, /theirs": it leads elsewhere by now/)
    assert.deepEqual(kept, [`make link ${etc('theirs')}: could not be undone`])
    assert.deepEqual(machine.did()[0], 'systemctl disable --quiet --now polebean.service')
  })

  it('removes users that came with packages, after these, and keeps them while one of these stays', () => {
    const [gone, kept] = [[], ['other']].map((needing) => {
      const machine = makeMachine({ packages: { haproxy: needing } })
      writeFileSync(join(machine.dir, 'etc/passwd'), 'root:x:0:\n_log:x:999:\n')
      writeFileSync(join(machine.dir, 'etc/group'), 'root:x:0:\n_log:x:999:\n')
      machine.note(
        { deed: 'install packages', packages: ['haproxy'] },
        { deed: 'make group', group: '_log' },
        { deed: 'make user', user: '_log' },
        { deed: 'make user', user: 'nobody-knows' },
      )
      return { ...machine.uninstall(), did: machine.did() }
    })
    assert.deepEqual(
      gone!.did.filter((line) => !line.startsWith('systemctl')),
      ['apt-get purge -y -qq haproxy', 'userdel _log', 'groupdel _log'],
    )
    assert.deepEqual(gone!.kept, [
      'the packages foreign-leftover: nothing needs them now, but it is not known who brought them (apt-get autoremove)',
    ])
    assert.deepEqual(
      kept!.did.filter((line) => /del /.test(line)),
      [],
    )
    assert.match(
      kept!.said,
      /cannot undo "make user _log": a package that was installed with it is still there/,
    )
  })

  it('goes on after a failure, and where it was ended', () => {
    const machine = makeMachine({ packages: { haproxy: [], runc: [] } })
    machine.note(...SETUP)
    writeFileSync(join(machine.dir, 'broken'), '')
    const { said, kept } = machine.uninstall()
    assert.match(said, /cannot undo "install packages ": apt-get purge failed \(exit 100\)/)
    assert.equal(existsSync(join(machine.dir, 'masked/haproxy.service')), false)
    rmSync(join(machine.dir, 'broken'))
    // The packages are gone, but a crash came before that was noted.
    for (const name of ['haproxy', 'runc']) rmSync(join(machine.dir, 'there', name))
    assert.deepEqual(machine.uninstall().undone, ['install packages haproxy runc'], `${kept}`)
    assert.equal(existsSync(machine.at.ledger), false)
  })

  it('keeps lines that it cannot read or does not know, and folders that are not Polebean’s', () => {
    const machine = makeMachine()
    // Never a path outside of this test: should the guard be broken, the test is all that it costs.
    const theirs = join(machine.dir, 'etc/x')
    machine.note({ deed: 'teach parrot', path: '/x/y' }, { deed: 'make folder', path: theirs })
    writeFileSync(machine.at.ledger, '{"deed":"make fol', { flag: 'a' })
    const { kept, said } = machine.uninstall()
    assert.equal(kept!.length, 3, said)
    assert.match(said, /x": it is none of the places of Polebean/)
    assert.equal(existsSync(theirs), true)
    assert.match(kept!.join('\n'), /unknown line: \{"deed":"make fol:[^]*unknown line: .*teach parrot/)
  })

  it('refuses while a home is there, or something runs of one whose folder is gone, and changes nothing', () => {
    const machine = makeMachine({ packages: { haproxy: [], runc: [] } })
    machine.note(...SETUP)
    const home = join(machine.dir, 'home')
    mkdirSync(home)
    writeFileSync(join(home, 'home.json'), '{}')
    mkdirSync(machine.at.claims)
    writeFileSync(join(machine.at.claims, '4777'), home)
    assert.match(
      machine.uninstall().said,
      new RegExp(`still a home; nothing was changed. First:\n  polebean --home ${home} down --purge`),
    )
    rmSync(machine.at.claims, { recursive: true })
    assert.match(machine.uninstall([home]).said, /down --purge/)
    rmSync(home, { recursive: true })
    mkdirSync(join(machine.at.run, 'abc123'))
    assert.match(
      machine.uninstall([home]).said,
      /\(abc123\); nothing was changed\. First: polebean down --orphans/,
    )
    assert.deepEqual(machine.did(), [])
    rmSync(join(machine.at.run, 'abc123'), { recursive: true })
    // A claim of a home that is gone is nobody's.
    mkdirSync(machine.at.claims)
    writeFileSync(join(machine.at.claims, '4777'), home)
    assert.equal(machine.uninstall([home]).status, 0)
    assert.equal(existsSync(machine.at.claims), false)
  })
})
