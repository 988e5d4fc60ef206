import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeThings, thingsByHome, type Facts } from './find.ts'

const nothing: Facts = {
  ...{
    namespaces: [],
    interfaces: [],
    tables: [],
    runFolders: [],
    cgroups: [],
    mounts: [],
    loops: [],
    accepts: [],
    hosts: [],
  },
}
const disk = '/srv/home/instances/i-0123456789abcdef0/disk.img'
const rule = { tool: 'nft' as const, family: 'inet', table: 'mine', chain: 'forward', handle: 7 }

describe('what homes have on a machine', () => {
  it('is sorted by the id that it carries', () => {
    const things = thingsByHome({
      namespaces: ['pb-abcdef', 'pb-abcdef-lb', 'pb-abcdef-host', 'pb-zzzzzz'],
      interfaces: ['lo', 'eth0', 'poleabcdef'],
      tables: ['inet pb_abcdef', 'ip nat'],
      runFolders: [{ id: 'abcdef', home: '/srv/home' }],
      cgroups: ['cpu', 'pids'].flatMap((each) => [
        `/sys/fs/cgroup/${each}/polebean/abcdef/daemons`,
        `/sys/fs/cgroup/${each}/polebean/abcdef`,
      ]),
      mounts: ['/', '/run/polebean/abcdef/compute/i-0/m'],
      loops: [
        { device: '/dev/loop0', file: `${disk} (deleted)` },
        { device: '/dev/loop1', file: '/var/other.img' },
        { device: '/dev/loop2', file: disk.replace('/srv/', '/opt/') },
      ],
      accepts: [
        { comment: 'polebean pb-abcdef', where: rule },
        { comment: 'somebody else', where: { ...rule, handle: 8 } },
      ],
      hosts: ['abcdef'],
    })
    assert.deepEqual(
      things.map(({ id }) => id),
      ['abcdef', 'zzzzzz'],
    )
    assert.equal(
      describeThings(things[0]!),
      '3 namespaces, 1 interface, 1 nft table, 2 cgroups, 1 mount, 1 loop device, 1 firewall rule, 1 block of /etc/hosts',
    )
    assert.deepEqual(things[0]!.accepts, [rule])
    assert.equal(things[0]!.dir, '/srv/home')
    assert.equal(things[0]!.loops[0]!.device, '/dev/loop0')
  })

  it('is not what only looks like it', () => {
    const names = ['pb-', 'pb-abcde', 'pb-abcdefg', 'pb-abcdef-x', 'PB-abcdef', 'tests', 'cni-pb-abcdef']
    assert.deepEqual(
      thingsByHome({
        ...nothing,
        namespaces: names,
        interfaces: names.map((name) => name.replace('pb-', 'pole')).filter((name) => name !== 'poleabcdef'),
        runFolders: [{ id: 'tests', home: undefined }],
        tables: ['ip pb_abcdef', 'inet pb_abcdef2'],
        cgroups: ['/sys/fs/cgroup/polebean', '/sys/fs/cgroup/other/abcdef'],
        mounts: ['/run/polebean', '/mnt/run/polebean/abcdef/x'],
        accepts: [{ comment: 'not polebean pb-abcdef', where: rule }],
      }),
      [],
    )
  })

  it('may be a folder in /run alone', () => {
    const [things] = thingsByHome({ ...nothing, runFolders: [{ id: 'abcdef', home: undefined }] })
    assert.equal(describeThings(things!), '/run/polebean/abcdef')
  })
})
