import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Failure } from './failure.ts'
import { checkKernel, checkRights, judge, requireMachine, type Machine } from './requirements.ts'

const haproxy = { program: 'haproxy', package: 'haproxy', version: ['-v'], minimum: '2.6', why: 'it is so' }

describe('a program', () => {
  it('is too old, new enough, or not there', () => {
    const versions: [said: string, ok: boolean][] = [
      ['HAProxy version 2.6.12-1+deb12u4 2026/10/17', true],
      ['HAProxy version 2.10.0', true],
      ['HAProxy version 3.0', true],
      ['HA-Proxy version 2.2.9-2+deb11u6', false],
      ['HA-Proxy version 1.8.27', false],
      ['no number at all', false],
    ]
    for (const [said, ok] of versions) assert.equal(judge(haproxy, said).ok, ok, said)
    const patch = { ...haproxy, minimum: '0.9.4' }
    assert.equal(judge(patch, 'nftables v0.9.3 (Topsy)').ok, false)
    assert.equal(judge(patch, 'nftables v1.0.6 (Lester Gooch #5)').ok, true)
  })

  it('is named with what it is for and the command that brings it', () => {
    assert.deepEqual(judge(haproxy), {
      name: 'haproxy',
      ok: false,
      saw: 'not found (apt-get install haproxy)',
    })
    assert.equal(
      judge(haproxy, 'HA-Proxy version 2.2.9').saw,
      'HA-Proxy version 2.2.9: 2.6 or newer is needed, since it is so (apt-get install haproxy)',
    )
  })
})

const machine = (files: Record<string, string>, writable: string[] = []): Machine => ({
  read: (path) => files[path],
  writable: (path) => writable.includes(path),
})

describe('the kernel', () => {
  const lacking = (one: Machine) =>
    checkKernel(one)
      .filter(({ ok }) => !ok)
      .map(({ name, saw }) => `${name}: ${saw}`)
  const filesystems = 'nodev\tsysfs\nnodev\toverlay\n\text4\n'
  const v1 = ['cpu', 'memory', 'pids'].map((name) => `/sys/fs/cgroup/${name}`)

  it('has what is needed, built in or as a module', () => {
    const whole = machine({ '/proc/filesystems': filesystems }, [...v1, '/dev/loop-control'])
    assert.deepEqual(lacking(whole), [])
    const modules = machine(
      {
        '/proc/filesystems': '\text4\n',
        '/proc/sys/kernel/osrelease': '6.1.0\n',
        '/lib/modules/6.1.0/modules.dep': 'kernel/fs/overlayfs/overlay.ko.xz:\n',
        '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n',
      },
      ['/sys/fs/cgroup', '/dev/loop-control'],
    )
    assert.deepEqual(lacking(modules), [])
  })

  it('is told what it lacks', () => {
    assert.deepEqual(lacking(machine({ '/proc/filesystems': '' }, v1.slice(1))), [
      'cgroups: cpu cannot be used (mount /sys/fs/cgroup writable)',
      'overlay: not in this kernel (modprobe overlay)',
      'ext4: not in this kernel (modprobe ext4)',
      'loop devices: no /dev/loop-control (modprobe loop)',
    ])
    const readOnly = machine(
      { '/proc/filesystems': filesystems, '/sys/fs/cgroup/cgroup.controllers': 'cpu memory pids' },
      ['/dev/loop-control'],
    )
    assert.deepEqual(lacking(readOnly), [
      'cgroups: /sys/fs/cgroup cannot be used (mount /sys/fs/cgroup writable)',
    ])
  })
})

describe('rights', () => {
  const rights = (mask: string, map = '         0          0 4294967295\n') =>
    checkRights(machine({ '/proc/self/status': `Name:\tx\nCapEff:\t${mask}\n`, '/proc/self/uid_map': map }))

  it("are the real root's", () => {
    assert.equal(rights('000001ffffffffff').ok, true)
    // What Docker leaves by default.
    assert.match(rights('00000000a80425fb').saw, /^root without CAP_NET_ADMIN, CAP_SYS_ADMIN \(/)
    assert.match(rights('000001ffffffffff', '0 100000 65536\n').saw, /^root of a user namespace only/)
  })
})

describe('a machine that is not Linux', () => {
  it('is refused by name', async () => {
    const refused = requireMachine('darwin')
    await assert.rejects(
      refused,
      (error) => error instanceof Failure && /this is macOS[^]*contrib\/lima\.yaml/.test(error.message),
    )
  })
})
