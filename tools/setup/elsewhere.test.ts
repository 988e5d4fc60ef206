import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isOlder, whyNotHere, withoutApt, type Facts } from './elsewhere.mjs'
import { elsewhereCalled } from './families.mjs'
import programs from '../../src/cli/programs.json' with { type: 'json' }

const debian: Facts = {
  platform: 'linux',
  arch: 'x64',
  kernel: '6.1.0-40-amd64',
  version: 'Linux version 6.1.0-40-amd64 (debian-kernel@lists.debian.org)',
  uidMap: '         0          0 4294967295\n',
  container: '',
  osRelease: 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
  distribution: '',
}
const SHIPPED = ['contrib/lima.yaml', 'contrib/Dockerfile']

describe('a machine on which Polebean cannot run', () => {
  const cases: [what: string, facts: Partial<Facts>, says: RegExp, leads: RegExp][] = [
    ['macOS', { platform: 'darwin', arch: 'arm64' }, /this is macOS/, /limactl start .*contrib\/lima\.yaml/],
    ['Windows', { platform: 'win32' }, /this is Windows/, /^ {2}wsl --install -d Debian$/m],
    ['FreeBSD', { platform: 'freebsd' }, /this is freebsd/, /virtual machine/],
    ['a Raspberry Pi of old', { arch: 'arm' }, /this is arm\./, /x86_64 and arm64/],
    [
      'WSL 1',
      {
        version: 'Linux version 4.4.0-19041-Microsoft',
        kernel: '4.4.0-19041-Microsoft',
        distribution: 'Ubuntu-22.04',
      },
      /WSL 1/,
      /^ {2}wsl --set-version Ubuntu-22\.04 2$/m,
    ],
    [
      'an old kernel',
      { kernel: '4.19.0-27-amd64' },
      /kernel is 4\.19\.0-27-amd64; 5\.2 or newer/,
      /Debian 11/,
    ],
    ['Alpine', { osRelease: 'NAME="Alpine Linux"\nID=alpine\n' }, /musl/, /contrib\/Dockerfile/],
    [
      'unprivileged LXC',
      { uidMap: '0 100000 65536\n', container: 'lxc' },
      /unprivileged LXC/,
      /lxc launch images:debian\/12 polebean --vm/,
    ],
    [
      'rootless Podman',
      { uidMap: '0 1000 1\n1 100000 65536\n', container: 'podman' },
      /\(podman, rootless\)/,
      /--privileged/,
    ],
    ['a user namespace', { uidMap: '0 0 65536\n' }, /without the machine’s own root\./, /--privileged/],
  ]
  for (const [what, facts, says, leads] of cases)
    it(`is told what it is, and where to go: ${what}`, () => {
      const said = whyNotHere({ ...debian, ...facts }) ?? ''
      assert.match(said, says)
      assert.match(said, leads)
      for (const file of said.match(/contrib\/\w+(?:\.\w+)?/g) ?? []) {
        assert.equal(SHIPPED.includes(file), true, file)
        assert.equal(existsSync(join(import.meta.dirname, '../..', file)), true, file)
      }
    })

  it('is none of those that will do', () => {
    for (const facts of [
      {},
      { arch: 'arm64' },
      {
        version: 'Linux version 5.15.153.1-microsoft-standard-WSL2',
        kernel: '5.15.153.1-microsoft-standard-WSL2',
      },
      { kernel: '5.10.0-28-amd64' },
      { container: 'docker' },
      { container: 'lxc' },
      { osRelease: 'ID="fedora"\n' },
      { osRelease: '', version: '', uidMap: '' },
    ])
      assert.equal(whyNotHere({ ...debian, ...facts }), undefined, JSON.stringify(facts))
  })

  it('without apt-get is named, with what is to be installed by hand', () => {
    const missing = [
      { program: 'haproxy', package: 'haproxy', minimum: '2.6' },
      { program: 'runsv', package: 'runit' },
    ]
    const packages = ['haproxy', 'runit', 'python3-venv', 'libatomic1']
    const on = (id: string) => withoutApt(`ID=${id}\nPRETTY_NAME="Odd 1"\n`, missing, packages)
    assert.match(on('fedora'), /^Fedora has no apt-get.*Nothing was changed/)
    assert.match(
      on('fedora'),
      /^ {2}haproxy 2\.6 or newer \(Debian: haproxy\)\n {2}runsv \(Debian: runit\)\n {2}what Debian has in python3-venv\n/m,
    )
    assert.match(on('fedora'), /^ {2}dnf install haproxy python3 libatomic$/m)
    assert.match(on('arch'), /^ {2}pacman -S --needed haproxy python gcc-libs$/m)
    assert.match(on('mine\nID_LIKE="rhel fedora"'), /^ {2}dnf install /m)
    assert.match(on('arch'), /without a package, to be built from source: runit \(https:/)
    assert.doesNotMatch(on('gentoo'), /called there|without a package/)
    assert.match(on('odd'), /^Odd 1 has no apt-get/)
    assert.match(withoutApt('', [], []), /^This machine has no apt-get/)
  })

  it('has a name elsewhere for each package that setup may want', () => {
    const packages = [...programs.map((one) => one.package), 'libatomic1', 'python3-venv']
    for (const id of ['fedora', 'arch'])
      assert.deepEqual(elsewhereCalled(`ID=${id}\n`, packages)?.without, [
        'runit (https://smarden.org/runit/)',
      ])
  })

  it('is told by numbers, not by letters', () => {
    const cases: [string, string, boolean][] = [
      ['5.10.0-28', '5.2', false],
      ['5.2', '5.2', false],
      ['5', '5.2', true],
      ['4.19.0', '5.2', true],
      ['2.2.9-2+deb11u6', '2.6', true],
      ['1:2.6.12', '2.6', true],
      ['none', '2.6', true],
    ]
    for (const [found, minimum, older] of cases)
      assert.equal(isOlder(found, minimum), older, `${found} < ${minimum}`)
  })
})
