import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { checkPath, guestTree, type TreeInput } from './guest-tree.ts'
import { guestMounts } from './guest-mounts.ts'
import { initScript } from './init-script.ts'
import { digestOf } from './layers.ts'
import { ociConfig } from './oci-config.ts'
import { seccompProfile } from './seccomp.ts'

const tree = (more: Partial<TreeInput> = {}) =>
  guestTree({ address: '10.77.1.1', env: {}, files: [], extra: [], ...more })
const entry = (entries: ReturnType<typeof tree>, path: string) => entries.find((one) => one.path === path)
const text = (entries: ReturnType<typeof tree>, path: string) => {
  const found = entry(entries, path)
  return found?.kind === 'file' ? found.content : undefined
}

describe('the files of an instance', () => {
  it('come parents first', () => {
    const paths = tree({ files: [{ path: '/a/b/c', content: '', mode: 0o644, owner: 'webapp' }] }).map(
      (one) => one.path,
    )
    for (const path of paths) {
      const parent = path.slice(0, path.lastIndexOf('/'))
      if (parent) assert.ok(paths.indexOf(parent) < paths.indexOf(path) && paths.includes(parent), path)
    }
  })

  it('hold one file for each variable in the form of chpst, where a NUL is a line break', () => {
    const entries = tree({ env: { PLAIN: 'a b', EMPTY: '', LINES: 'one\ntwo' } })
    assert.equal(text(entries, '/etc/polebean/env/PLAIN'), 'a b\n')
    assert.equal(text(entries, '/etc/polebean/env/EMPTY'), '\n')
    assert.equal(text(entries, '/etc/polebean/env/LINES'), 'one\0two\n')
    assert.equal(text(entries, '/opt/elasticbeanstalk/deployment/env'), 'PLAIN=a b\nEMPTY=\nLINES=one\ntwo\n')
  })

  it('refuse variables and paths that lead elsewhere', () => {
    for (const name of ['../x', 'a/b', '', '1A', 'A B'])
      assert.throws(() => tree({ env: { [name]: 'x' } }), { name: 'EngineError' }, name)
    for (const path of ['/etc/../root', 'etc/x', '/etc//x', '/etc/.', '/a\nb', '/'])
      assert.throws(() => checkPath(path), { name: 'EngineError' }, path)
  })

  it('know the instance by its address', () => {
    assert.equal(text(tree(), '/etc/hosts'), '127.0.0.1 localhost\n10.77.1.1 ip-10-77-1-1\n')
    assert.equal(text(tree({ address: null }), '/etc/hosts'), '127.0.0.1 localhost\n')
  })
})

describe('the mounts of a sandbox', () => {
  const input = {
    dir: '/run/polebean/abc123/compute/i-1',
    layersDir: '/run/polebean/abc123/compute/home/layers',
    revision: 3,
    layers: [{ digest: 'sha256-00', target: '/var/app/current' }],
    readonlyLayers: false,
    readonlyBinds: [],
    output: null,
  }

  it('never let the host walk a path that an instance can write: targets are bound by the runtime', () => {
    for (const line of guestMounts(input).fstab.trim().split('\n'))
      assert.ok(line.split(' ')[1]?.startsWith(`${input.dir}/m/`), line)
  })

  it('give each layer a writable part of its own, another one with each deployment', () => {
    const names = (revision: number) => guestMounts({ ...input, revision }).uppers.map((upper) => upper.name)
    assert.equal(
      names(3)
        .filter((name) => names(4).includes(name))
        .join(),
      'root',
    )
    assert.deepEqual(guestMounts({ ...input, readonlyLayers: true }).uppers.length, names(3).length - 1)
  })

  it('are read-only where they are the host’s, and never let a device or a setuid bit work', () => {
    for (const line of guestMounts({
      ...input,
      readonlyBinds: [{ source: '/usr/share', target: '/build/in' }],
    })
      .fstab.trim()
      .split('\n')) {
      const [, , type, options = ''] = line.split(' ')
      assert.ok(options.includes('nodev,nosuid'), line)
      assert.ok(type === 'overlay' || options.startsWith('bind,ro,'), line)
    }
  })
})

describe('the OCI configuration', () => {
  const config = ociConfig({
    rootfs: '/r',
    argv: ['/init'],
    hostname: 'h',
    idBase: 1_000_000,
    cgroupsPath: '/polebean/a/i',
    cpu: 0.25,
    memoryBytes: 1 << 29,
    pids: 100,
    limitSwap: false,
    filesMax: 1024,
    binds: [],
    tmpBytes: null,
  }) as {
    linux: { namespaces: { type: string }[]; resources: object }
    process: { capabilities: { effective: string[] } }
  }

  it('has every namespace of its own, and limits', () => {
    assert.deepEqual(config.linux.namespaces.map(({ type }) => type).sort(), [
      'cgroup',
      'ipc',
      'mount',
      'network',
      'pid',
      'user',
      'uts',
    ])
    assert.deepEqual(config.linux.resources, {
      devices: [{ allow: false, access: 'rwm' }],
      memory: { limit: 1 << 29 },
      cpu: { shares: 256, quota: 25_000, period: 100_000 },
      pids: { limit: 100 },
    })
  })

  it('leaves root six capabilities', () => {
    assert.deepEqual(config.process.capabilities.effective.map((name) => name.replace('CAP_', '')).sort(), [
      'CHOWN',
      'DAC_OVERRIDE',
      'FOWNER',
      'KILL',
      'SETGID',
      'SETUID',
    ])
  })

  it('allows no system call that mounts, makes namespaces or loads code', () => {
    const allowed = seccompProfile.syscalls
      .filter(({ action }) => action === 'SCMP_ACT_ALLOW')
      .flatMap(({ names }) => names)
    for (const name of [
      'mount',
      'umount2',
      'unshare',
      'setns',
      'bpf',
      'init_module',
      'kexec_load',
      'reboot',
      'keyctl',
      'userfaultfd',
      'pivot_root',
      'io_uring_setup',
      'open_by_handle_at',
    ])
      assert.ok(!allowed.includes(name), name)
    assert.ok(allowed.every((name) => /^[a-z0-9_]+$/.test(name)))
  })

  it('allows sockets of files, of the internet, and of the list of interfaces, whoever else the kernel could speak with', () => {
    const families = (call: string) =>
      seccompProfile.syscalls
        .filter(({ names }) => names.includes(call))
        .flatMap((rule) => ('args' in rule && rule.args ? rule.args.map(({ value }) => value) : [-1]))
    assert.deepEqual(families('socket'), [1, 2, 10, 16])
    assert.deepEqual(families('socketpair'), [1])
  })
})

describe('PID 1', () => {
  it('is a script that the shell understands', () => {
    const { status, stderr } = spawnSync('/bin/sh', ['-n'], { input: initScript })
    assert.equal(status, 0, stderr.toString())
  })
})

describe('a layer', () => {
  it('is named by its key', () => {
    assert.match(digestOf('python-3-abc'), /^sha256-[0-9a-f]{64}$/)
    for (const key of ['', '../x', 'A', 'x'.repeat(81)])
      assert.throws(() => digestOf(key), { name: 'EngineError' })
  })
})
