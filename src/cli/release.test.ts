import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import {
  checkPlace,
  compareVersions,
  describeVersion,
  isVersion,
  programPath,
  readRelease,
} from './release.ts'
import { findInstallation, pointTo } from './upgrade/installation.ts'
import { unitOf } from './upgrade/servers.ts'

const scratch = mkdtempSync(join(tmpdir(), 'polebean-release-'))
after(() => rmSync(scratch, { recursive: true }))
const clone = join(scratch, 'clone')
mkdirSync(clone)
const prefix = join(scratch, 'opt')
const RELEASE = { version: '1.2.3', commit: 'abcdef0123456789', arch: 'x64', node: '26.0.0' }
const root = join(prefix, '1.2.3')
mkdirSync(root, { recursive: true })
for (const name of ['release.json', 'package.json']) writeFileSync(join(root, name), JSON.stringify(RELEASE))
writeFileSync(join(clone, 'package.json'), '{"version":"0.9.0"}')

describe('versions', () => {
  it('are compared by their numbers', () => {
    assert.ok(compareVersions('0.10.0', '0.9.9') > 0)
    assert.ok(compareVersions('1.0.0', '2.0.0') < 0)
    assert.equal(compareVersions('1.2.3', '1.2.3'), 0)
  })
  it('are three numbers, so that none leads to another folder', () => {
    assert.ok(isVersion('0.1.0'))
    for (const bad of ['', '1', '1.2', '1.2.3-rc', '../1.2.3', '1.2.3/..', '1.2.3\n'])
      assert.ok(!isVersion(bad), bad)
  })
})

describe('a copy of Polebean', () => {
  it('says what it is', () => {
    assert.match(describeVersion(root), /^polebean 1\.2\.3 \(commit abcdef012345, Node 26\.\d+\.\d+\)$/)
    assert.match(describeVersion(clone), /^polebean 0\.9\.0 \(a clone, Node /)
  })
  it('that is damaged is named', () => {
    const damaged = join(scratch, 'damaged')
    mkdirSync(damaged)
    writeFileSync(join(damaged, 'release.json'), JSON.stringify({ ...RELEASE, version: '../x' }))
    assert.throws(() => readRelease(damaged), /damaged\/release\.json names no release/)
  })
  it('is called by the link that stays, once there is one', () => {
    assert.equal(programPath(root), join(root, 'bin/polebean'))
    assert.throws(() => findInstallation(root), /current does not lead to a release/)
    symlinkSync('1.2.3', join(prefix, 'current'))
    assert.equal(programPath(root), join(prefix, 'current/bin/polebean'))
    assert.equal(programPath(clone), join(clone, 'bin/polebean'))
  })
  it('is found with the version before it', () => {
    assert.throws(() => findInstallation(clone), /is a clone, not a release; upgrade it with: git pull/)
    assert.deepEqual(findInstallation(root), { prefix, current: RELEASE, previous: undefined })
    process.env['POLEBEAN_LEDGER'] = join(scratch, 'ledger.jsonl')
    pointTo(prefix, 'previous', '1.2.2')
    assert.equal(findInstallation(root).previous, '1.2.2')
    pointTo(prefix, 'previous', undefined)
    assert.equal(findInstallation(root).previous, undefined)
  })
})

describe('a home', () => {
  it('is refused in a clone, and in the folder of all releases, through links as well', () => {
    symlinkSync(clone, join(scratch, 'link'))
    for (const [home, of] of [
      [clone, clone],
      [join(clone, 'a/b'), clone],
      [join(scratch, 'link/home'), clone],
      [join(prefix, 'home'), root],
      [join(prefix, 'current/home'), root],
    ] as const)
      assert.throws(() => checkPlace(home, of), /a home cannot be in/, home)
  })
  it('is fine beside them', () => {
    checkPlace('/var/lib/polebean', root)
    checkPlace(`${clone}-home`, clone)
    checkPlace(join(scratch, 'home'), clone)
  })
})

describe('the unit of a server', () => {
  it('is read from its control groups', () => {
    assert.equal(unitOf('0::/system.slice/polebean.service\n'), 'polebean.service')
    assert.equal(
      unitOf('2:cpu:/\n1:name=systemd:/system.slice/polebean-ab12cd.service\n'),
      'polebean-ab12cd.service',
    )
    assert.equal(unitOf('0::/system.slice/polebean.service/server\n'), 'polebean.service')
  })
  it("is none in a session, in the daemons' own group, or in another's unit", () => {
    for (const cgroup of [
      '0::/user.slice/user-0.slice/session-1.scope\n',
      '0::/polebean/ab12cd/daemons\n',
      '0::/system.slice/ssh.service\n',
      '0::/system.slice/my-polebean.service\n',
    ])
      assert.equal(unitOf(cgroup), undefined, cgroup)
  })
})
