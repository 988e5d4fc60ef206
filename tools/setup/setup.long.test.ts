// Setup on a machine that the test makes up: a folder of programs (the real ones linked, apt-get, systemctl and sudo
// written here), its own policy-rc.d, ledger and systemd. What these programs were asked and saw is in `log`.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { LIBRARIES } from './machine.mjs'
import programs from '../../src/cli/programs.json' with { type: 'json' }

const base = mkdtempSync(join(tmpdir(), 'pbt-setup-'))
after(() => rmSync(base, { recursive: true }))
const module = (name: string) => pathToFileURL(join(import.meta.dirname, name)).href
const ENGINES = programs.map(({ program }) => program)
const LINKED = ['sh', 'cat', 'mkdir', 'touch', 'rm', 'sleep', 'head']

type Machine = ReturnType<typeof makeMachine>
let machines = 0

function makeMachine({ without = [] as string[] } = {}) {
  const dir = join(base, String(++machines))
  const folder = join(dir, 'programs')
  mkdirSync(join(dir, 'systemd'), { recursive: true })
  mkdirSync(folder)
  const at = {
    folders: [folder],
    libraries: [join(dir, 'libraries')],
    policy: join(dir, 'policy-rc.d'),
    ledger: join(dir, 'ledger/ledger.jsonl'),
    systemd: join(dir, 'systemd'),
    users: { user: join(dir, 'passwd'), group: join(dir, 'group') },
  }
  mkdirSync(join(at.libraries[0]!, 'pdns'), { recursive: true })
  for (const name of Object.keys(LIBRARIES)) writeFileSync(join(at.libraries[0]!, name), '')
  const log = join(dir, 'log')
  const program = (name: string, script: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  for (const name of LINKED) symlinkSync(`/usr/bin/${name}`, join(folder, name))
  for (const name of ENGINES.filter((each) => !without.includes(each))) program(name, '')
  const units = join(dir, 'units')
  mkdirSync(units)
  program(
    'systemctl',
    `echo "systemctl $*" >>'${log}'
case $1 in
  cat) test -e '${units}'/$2 ;;
  mask) touch '${units}'/$3 ;;
  unmask) rm '${units}'/$3 ;;
esac`,
  )
  const aptGet = (install: string) =>
    program(
      'apt-get',
      `case "$*" in
  *--simulate*) test -e '${dir}/lists' || exit 100
    echo 'Inst libfoo1 (1 Debian:12 [amd64])'; echo 'Inst haproxy (2.6 Debian:12 [amd64])'; exit 0 ;;
  *--assume-no*) echo 'Need to get 2,048 kB of archives.'
    echo 'After this operation, 5 MB of additional disk space will be used.'; exit 1 ;;
  update*) touch '${dir}/lists' ;;
esac
echo "apt-get $*" >>'${log}'
case $1 in install)
  echo "policy $(sh '${at.policy}'; echo $?) noted $(cat '${at.ledger}' | tail -n1 | cut -c 34-)" >>'${log}'
  ${install}
esac`,
    )
  for (const name of ['tail', 'cut']) symlinkSync(`/usr/bin/${name}`, join(folder, name))
  aptGet(
    without.map((name) => `echo '#!/bin/sh' >'${folder}/${name}'; chmod 755 '${folder}/${name}'`).join('\n'),
  )
  symlinkSync('/usr/bin/chmod', join(folder, 'chmod'))
  program('sudo', `echo "sudo" >>'${log}'\nexec "$@"`)
  writeFileSync(join(dir, 'lists'), '')
  return {
    at,
    dir,
    aptGet,
    log: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
    did: (pattern: RegExp) =>
      (existsSync(log) ? readFileSync(log, 'utf8').split('\n') : []).filter((line) => pattern.test(line)),
    deeds: () =>
      (existsSync(at.ledger) ? readFileSync(at.ledger, 'utf8').trim().split('\n') : []).map((line) => {
        const { at: time, deed, ...what } = JSON.parse(line)
        assert.match(time, /^\d{4}-\d\d-\d\dT/)
        return `${deed} ${Object.values(what).flat().join(' ')}`
      }),
  }
}

/** Starts setup's installation on a made-up machine; answers its process and its end. */
function setUp({ at }: Machine) {
  const code = `
    const { ensurePackages } = await import(${JSON.stringify(module('packages.mjs'))})
    await ensurePackages({ yes: true, machine: ${JSON.stringify(at)} }).catch((error) => {
      console.error(error.message)
      process.exitCode = 1
    })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: { ...process.env, http_proxy: 'http://proxy.example:1' },
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const ended = new Promise<{ status: number | null; said: string }>((resolve) =>
    child.on('close', (status) => resolve({ status, said })),
  )
  return { child, ended }
}

async function until(done: () => boolean) {
  for (const end = performance.now() + 10_000; !done();) {
    assert.ok(performance.now() < end, 'it did not happen within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe('setup of packages', () => {
  it('does nothing, and asks for no root, where nothing is missing', async () => {
    const machine = makeMachine()
    assert.deepEqual(await setUp(machine).ended, { status: 0, said: '' })
    assert.deepEqual([machine.log(), machine.deeds()], [[], []])
  })

  it('brings the library without which the pinned Node does not start', async () => {
    const machine = makeMachine()
    rmSync(join(machine.at.libraries[0]!, 'libatomic.so.1'))
    assert.equal((await setUp(machine).ended).status, 0)
    assert.match(machine.did(/^apt-get install/).join(), / libatomic1$/)
  })

  it('says what and how much, masks, notes and installs what is missing without starting a service', async () => {
    const machine = makeMachine({ without: ['haproxy', 'runsv', 'runsvdir', 'ss'] })
    const { status, said } = await setUp(machine).ended
    assert.equal(status, 0, said)
    assert.match(said, /\(2,048 kB to fetch, 5 MB on disk, no recommended packages.*\n {2}libfoo1 haproxy$/m)
    assert.deepEqual(
      machine.log().filter((line) => line !== 'sudo'),
      [
        'systemctl cat haproxy.service',
        'systemctl cat runit.service',
        'systemctl mask --quiet haproxy.service',
        'systemctl mask --quiet runit.service',
        'apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold haproxy runit iproute2',
        'policy 101 noted "deed":"install packages","packages":["haproxy","runit","iproute2"],"brought":["libfoo1"]}',
      ],
    )
    assert.deepEqual(machine.deeds(), [
      'mask unit haproxy.service',
      'mask unit runit.service',
      `write file ${machine.at.policy}`,
      'install packages haproxy runit iproute2 libfoo1',
      `remove file ${machine.at.policy}`,
    ])
    assert.equal(existsSync(machine.at.policy), false)
    // Once more: nothing to do.
    const before = machine.log()
    assert.deepEqual(await setUp(machine).ended, { status: 0, said: '' })
    assert.deepEqual(machine.log(), before)
  })

  it('notes the users that come', async () => {
    const machine = makeMachine({ without: ['haproxy'] })
    for (const name of ['passwd', 'group'])
      writeFileSync(join(machine.dir, name), 'root:x:0:0::/root:/bin/sh\n')
    machine.aptGet(
      `echo '_log:x:999:' >>'${machine.at.users.user}'; echo '_log:x:999:' >>'${machine.at.users.group}'`,
    )
    await setUp(machine).ended
    assert.deepEqual(
      machine.deeds().filter((deed) => deed.startsWith('make')),
      ['make group _log', 'make user _log'],
    )
  })

  it('asks sudo once when it is not root, and never when it is', async () => {
    const machine = makeMachine({ without: ['haproxy'] })
    assert.equal((await setUp(machine).ended).status, 0)
    assert.equal(machine.did(/^sudo$/).length, process.getuid!() === 0 ? 0 : 1)
  })

  it('fetches the lists of packages first where there are none', async () => {
    const machine = makeMachine({ without: ['haproxy'] })
    rmSync(join(machine.dir, 'lists'))
    assert.equal((await setUp(machine).ended).status, 0)
    assert.equal(machine.did(/^apt-get update -qq$/).length, 1)
    assert.equal(machine.did(/^apt-get install .* haproxy$/).length, 1)
  })

  it('leaves a unit and a policy-rc.d of the machine as they are', async () => {
    const machine = makeMachine({ without: ['haproxy'] })
    writeFileSync(join(machine.dir, 'units/haproxy.service'), '')
    writeFileSync(machine.at.policy, 'exit 7\n')
    assert.equal((await setUp(machine).ended).status, 0)
    assert.deepEqual(machine.did(/mask/), [])
    assert.equal(machine.did(/^policy 7 /).length, 1)
    assert.equal(readFileSync(machine.at.policy, 'utf8'), 'exit 7\n')
    assert.deepEqual(machine.deeds(), ['install packages haproxy libfoo1'])
  })

  it('undoes what it did when apt-get fails, and says so', async () => {
    const machine = makeMachine({ without: ['haproxy'] })
    machine.aptGet('exit 100')
    const { status, said } = await setUp(machine).ended
    assert.equal(status, 1)
    assert.match(said, /^polebean: apt-get install failed \(exit 100\); its output is above\.$/m)
    assert.equal(existsSync(machine.at.policy), false)
    assert.equal(existsSync(join(machine.dir, 'units/haproxy.service')), false)
    assert.deepEqual(machine.deeds().slice(-2), [
      `remove file ${machine.at.policy}`,
      'unmask unit haproxy.service',
    ])
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    it(`undoes what it did when it is interrupted by ${signal}`, async () => {
      const machine = makeMachine({ without: ['haproxy'] })
      machine.aptGet('exec sleep 1000')
      const { child, ended } = setUp(machine)
      await until(() => machine.did(/^policy 101/).length === 1)
      child.kill(signal)
      const { status, said } = await ended
      assert.equal(status, 1)
      assert.match(said, /apt-get install was interrupted/)
      assert.equal(existsSync(machine.at.policy), false)
    })

  it('removes the policy-rc.d of a setup that was killed, also when nothing is missing', async () => {
    const machine = makeMachine({ without: ['haproxy'] })
    // It kills its parent, the process that wrote the file.
    machine.aptGet('kill -9 $PPID')
    assert.equal((await setUp(machine).ended).status, 1)
    assert.equal(existsSync(machine.at.policy), true)
    writeFileSync(join(machine.at.folders[0]!, 'haproxy'), '', { mode: 0o755 })
    assert.equal((await setUp(machine).ended).status, 0)
    assert.equal(existsSync(machine.at.policy), false)
    assert.equal(machine.deeds().at(-1), `remove file ${machine.at.policy}`)
  })

  it('refuses an engine that is too old, also before it comes, and changes nothing', async () => {
    const there = makeMachine()
    writeFileSync(
      join(there.at.folders[0]!, 'haproxy'),
      '#!/bin/sh\necho HA-Proxy version 2.2.9-2 2021/01/01\n',
    )
    const code = `
      const { checkMachine } = await import(${JSON.stringify(module('packages.mjs'))})
      checkMachine({ machine: ${JSON.stringify(there.at)} })`
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })
    assert.match(
      ran.stderr,
      /haproxy is too old \(HA-Proxy version 2\.2\.9-2 .*\): 2\.6 or newer is needed, since .* Nothing was/,
    )
    const coming = makeMachine({ without: ['haproxy'] })
    writeFileSync(
      join(coming.at.folders[0]!, 'apt-get'),
      "#!/bin/sh\necho 'Inst haproxy (2.2.9-2+deb11u6 Debian:11 [amd64])'\n",
    )
    const { status, said } = await setUp(coming).ended
    assert.equal(status, 1)
    assert.match(said, /apt-get would bring haproxy 2\.2\.9-2\+deb11u6; 2\.6 or newer is needed/)
    assert.deepEqual([coming.deeds(), there.deeds()], [[], []])
  })

  it('names what is missing where there is no apt-get, or no such package', async () => {
    const bare = makeMachine({ without: ['haproxy', 'nft'] })
    rmSync(join(bare.at.folders[0]!, 'apt-get'))
    assert.match(
      (await setUp(bare).ended).said,
      /has no apt-get.*Nothing was changed.*\n {2}haproxy 2\.6 or newer .*\n {2}nft 0\.9\.4 or newer \(Debian: nftables\)$/m,
    )
    const empty = makeMachine({ without: ['haproxy'] })
    rmSync(join(empty.dir, 'lists'))
    empty.aptGet('')
    writeFileSync(join(empty.at.folders[0]!, 'apt-get'), '#!/bin/sh\ncase $1 in install) exit 100 ;; esac\n')
    assert.match((await setUp(empty).ended).said, /apt-get cannot find these packages: haproxy\./)
  })
})

describe('setup of modules', () => {
  type Packages = Record<string, { version?: string; dev?: boolean; os?: string; cpu?: string }>
  /** What is missing in a folder whose lock file says `locked` and whose node_modules hold `there`. */
  const missing = async (locked: Packages, there: Packages) => {
    const dir = join(base, `modules-${++machines}`)
    mkdirSync(join(dir, 'node_modules'), { recursive: true })
    for (const path of Object.keys(there)) mkdirSync(join(dir, path), { recursive: true })
    const write = (name: string, packages: Packages) =>
      writeFileSync(join(dir, name), JSON.stringify({ packages }))
    write('package-lock.json', { '': {}, ...locked })
    write('node_modules/.package-lock.json', there)
    const { missingModules } = (await import(module('modules.mjs'))) as {
      missingModules(root: string): { missing: string[]; development: boolean }
    }
    return missingModules(dir)
  }
  const yaml = { 'node_modules/yaml': { version: '2.0.0' } }

  it('sees what is there, what is not, and what is of another version', async () => {
    assert.deepEqual(await missing(yaml, yaml), { missing: [], development: false })
    assert.deepEqual((await missing(yaml, {})).missing, ['yaml'])
    const older = { 'node_modules/yaml': { version: '1.9.9' } }
    assert.deepEqual((await missing(yaml, older)).missing, ['yaml'])
  })

  it('wants neither what is for development nor what is for another machine, and keeps the former', async () => {
    const locked = {
      ...yaml,
      'node_modules/oxlint': { version: '1.0.0', dev: true },
      'node_modules/node-other': { version: '1.0.0', os: 'linux', cpu: 'mips' },
    }
    assert.deepEqual(await missing(locked, yaml), { missing: [], development: false })
    const { 'node_modules/node-other': _, ...developer } = locked
    assert.deepEqual(await missing(locked, developer), { missing: [], development: true })
  })

  it('says how much there is to fetch, and keeps the tools of a developer', () => {
    const dir = join(base, `modules-${++machines}`)
    mkdirSync(join(dir, 'node_modules/oxlint'), { recursive: true })
    const npm = join(dir, 'npm')
    writeFileSync(npm, '#!/bin/sh\necho "npm $*" >&2\n', { mode: 0o755 })
    const packages = { ...yaml, 'node_modules/yazl': { version: '1.0.0' }, 'node_modules/node-linux-z': {} }
    writeFileSync(join(dir, 'package-lock.json'), JSON.stringify({ packages }))
    const code = `(await import(${JSON.stringify(module('modules.mjs'))})).ensureModules(${JSON.stringify(dir)})`
    const ensure = () =>
      spawnSync(process.execPath, ['--input-type=module', '-e', code], {
        encoding: 'utf8',
        env: { ...process.env, PATH: `${dir}:/usr/bin:/bin` },
      }).stderr.split('\n')
    const [user, userCall] = ensure()
    assert.match(
      user!,
      /^Installing the pinned Node \(57 MB to fetch\) and 2 libraries \(1 MB\) from the npm/,
    )
    assert.match(userCall!, /^npm ci --omit=dev /)
    const there = { 'node_modules/oxlint': { version: '1.0.0', dev: true } }
    writeFileSync(join(dir, 'node_modules/.package-lock.json'), JSON.stringify({ packages: there }))
    assert.match(ensure()[1]!, /^npm ci --no-audit /)
  })

  it('links the pinned Node where npm did not, and says so when npm could not bring it', () => {
    const dir = join(base, `modules-${++machines}`)
    mkdirSync(dir, { recursive: true })
    writeFileSync(join(dir, 'npm'), '#!/bin/sh\n', { mode: 0o755 })
    writeFileSync(join(dir, 'package-lock.json'), JSON.stringify({ packages: yaml }))
    const code = `(await import(${JSON.stringify(module('modules.mjs'))})).ensureModules(${JSON.stringify(dir)})`
    const ensure = () =>
      spawnSync(process.execPath, ['--input-type=module', '-e', code], {
        encoding: 'utf8',
        env: { ...process.env, PATH: `${dir}:/usr/bin:/bin` },
      })
    assert.match(ensure().stderr, /Error: npm ci did not bring the pinned Node/)
    const program = join(dir, 'node_modules', `node-linux-${process.arch}`, 'bin/node')
    mkdirSync(join(program, '..'), { recursive: true })
    writeFileSync(program, '')
    assert.equal(ensure().status, 0)
    assert.equal(realpathSync(join(dir, 'node_modules/.bin/node')), realpathSync(program))
  })
})
