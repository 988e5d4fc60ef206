// The service on a machine that the test makes up: folders of its own, and a systemctl that knows units as files.
import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { programPath } from '../cli/release.ts'
import { makeService, type ServiceMachine } from './service.ts'

const base = mkdtempSync(join(tmpdir(), 'pbt-service-'))
after(() => rmSync(base, { recursive: true }))
const PROGRAM = '/opt/polebean/current/bin/polebean'
let machines = 0

function makeMachine() {
  const dir = join(base, String(++machines))
  const [programs, units, home] = ['programs', 'units', 'home'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ]
  for (const folder of [programs, units, home, join(dir, 'booted')]) mkdirSync(folder, { recursive: true })
  const log = join(dir, 'log')
  // What it was asked, and what it has done so far: enabled, active.
  writeFileSync(
    join(programs, 'systemctl'),
    `#!/bin/sh
PATH=/usr/bin:/bin
[ "$1" = show ] || echo "$*" >>'${log}'
for last in "$@"; do :; done
case $1 in
  show)
    unit='${units}'/$2
    if [ -e "$unit" ] || [ -h "$unit" ]; then
      printf 'LoadState=loaded\\nFragmentPath=%s\\n' "$unit"
    elif [ -e '${dir}/vendor' ]; then
      printf 'LoadState=loaded\\nFragmentPath=/usr/lib/systemd/system/%s\\n' "$2"
    else
      printf 'LoadState=not-found\\nFragmentPath=\\n'
    fi
    if [ -e '${dir}/enabled' ]; then echo UnitFileState=enabled; else echo UnitFileState=disabled; fi
    if [ -e '${dir}/active' ]; then echo ActiveState=active; echo MainPID=42
    else echo ActiveState=inactive; echo MainPID=0; fi ;;
  enable) tail -n1 '${dir}/ledger' | grep -q '"enable unit"' && touch '${dir}/enabled' ;;
  disable) rm -f '${dir}/enabled' ;;
  start) touch '${dir}/active' ;;
  stop) rm -f '${dir}/active' ;;
  reset-failed) exit 1 ;;
esac
`,
  )
  chmodSync(join(programs, 'systemctl'), 0o755)
  const machine: ServiceMachine = {
    booted: join(dir, 'booted'),
    units,
    ledger: join(dir, 'ledger'),
    path: programs,
  }
  const lines = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [])
  return {
    dir,
    home: { dir: home, id: 'abc123' },
    service: makeService({ dir: home, id: 'abc123' }, machine),
    asked: () => lines(log),
    ledger: () =>
      lines(machine.ledger).map((line) => {
        const { at, deed, path, unit } = JSON.parse(line) as Record<string, string>
        assert.ok(Date.parse(at!) > 0)
        return `${deed} ${path ?? unit}`
      }),
  }
}

const UNIT = 'polebean-abc123.service'

describe('a service', () => {
  it('is written, enabled and started, each deed noted before it is done, and twice is once', async () => {
    const { home, service, asked, ledger } = makeMachine()
    assert.equal(service.isInstalled(), false)
    assert.deepEqual(await service.state(), { unit: 'none', enabled: false, active: 'inactive', pid: null })
    const environment = { PIP_INDEX_URL: 'http://user:secret@127.0.0.1/' }
    for (const changed of [true, false]) {
      assert.equal(await service.write(PROGRAM, environment), changed)
      await service.enable()
      await service.start()
    }
    assert.deepEqual(await service.state(), { unit: 'ours', enabled: true, active: 'active', pid: 42 })
    assert.equal(service.isInstalled(), true)
    assert.deepEqual(asked(), ['daemon-reload', `enable --quiet ${UNIT}`, `start ${UNIT}`, `start ${UNIT}`])
    assert.deepEqual(ledger(), [`write file ${service.path}`, `enable unit ${UNIT}`])
    assert.equal(statSync(service.path).mode & 0o777, 0o644)
    assert.equal(statSync(join(home.dir, 'service.env')).mode & 0o777, 0o600)
    assert.doesNotMatch(readFileSync(service.path, 'utf8'), /secret/)

    assert.equal(await service.write(PROGRAM, { ...environment, HOME: '/root' }), true)
    assert.equal(
      await service.write('/opt/polebean/2.0/bin/polebean', { ...environment, HOME: '/root' }),
      true,
    )
    assert.deepEqual(asked().slice(4), ['daemon-reload'], 'a changed environment needs none')
  })

  it('is taken away with all that was written', async () => {
    const { home, service, asked, ledger } = makeMachine()
    await service.remove()
    assert.deepEqual(asked(), [])
    await service.write(PROGRAM, {})
    await service.enable()
    await service.start()
    const before = asked().length
    await service.remove()
    assert.deepEqual(asked().slice(before), [
      ...[`stop ${UNIT}`, `disable --quiet ${UNIT}`],
      ...['daemon-reload', `reset-failed ${UNIT}`],
    ])
    assert.deepEqual(ledger().slice(2), [`disable unit ${UNIT}`, `remove file ${service.path}`])
    for (const path of [service.path, join(home.dir, 'service.env')]) assert.equal(existsSync(path), false)
    assert.deepEqual(await service.state(), { unit: 'none', enabled: false, active: 'inactive', pid: null })
  })

  it('never takes the place of a unit that is not ours, be it masked or from elsewhere', async () => {
    const makers: ((path: string, dir: string) => void)[] = [
      (path) => writeFileSync(path, '[Service]\nExecStart=/usr/bin/true\n'),
      (path) => symlinkSync('/dev/null', path),
      (_, dir) => writeFileSync(join(dir, 'vendor'), ''),
    ]
    for (const make of makers) {
      const { dir, home, service, asked, ledger } = makeMachine()
      make(service.path, dir)
      assert.equal((await service.state()).unit, 'foreign')
      assert.equal(service.isInstalled(), false)
      await assert.rejects(
        service.write(PROGRAM, {}),
        /^EngineError: there is a unit polebean-abc123\.service that Polebean did not write; it stays as it is/,
      )
      await service.remove()
      assert.deepEqual([asked(), ledger()], [[], []])
      assert.equal(existsSync(join(home.dir, 'service.env')), false)
    }
  })

  it('is not there without systemd, whatever files say', async () => {
    const { dir, service } = makeMachine()
    await service.write(PROGRAM, {})
    rmSync(join(dir, 'booted'), { recursive: true })
    assert.deepEqual([service.hasSystemd(), service.isInstalled()], [false, false])
  })

  it('tells what systemctl said when it fails', async () => {
    const { dir, service } = makeMachine()
    writeFileSync(join(dir, 'programs/systemctl'), '#!/bin/sh\necho Access denied >&2\nexit 4\n')
    await assert.rejects(service.start(), /EngineError: systemctl start .*: exit 4: Access denied/)
  })
})

describe('the program that a unit names', () => {
  it("is the clone's, or of a release the one that is current", () => {
    const clone = join(base, 'clone')
    mkdirSync(join(clone, 'bin'), { recursive: true })
    assert.equal(programPath(`${clone}/`), join(clone, 'bin/polebean'))
    const releases = join(base, 'opt')
    const facts = { commit: '0'.repeat(40), arch: 'x64', node: '26.0.0' }
    for (const version of ['1.0.0', '2.0.0']) {
      mkdirSync(join(releases, version, 'bin'), { recursive: true })
      writeFileSync(join(releases, version, 'bin/polebean'), '')
      writeFileSync(join(releases, version, 'release.json'), JSON.stringify({ version, ...facts }))
    }
    assert.equal(programPath(`${releases}/1.0.0/`), join(releases, '1.0.0/bin/polebean'))
    symlinkSync('2.0.0', join(releases, 'current'))
    assert.equal(programPath(`${releases}/1.0.0/`), join(releases, 'current/bin/polebean'))
  })
})
