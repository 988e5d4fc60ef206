import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { groupingRoots } from './cgroup.ts'

describe('the cgroup hierarchies that processes are ended by', () => {
  it('are version 2 alone', () => {
    const line = '29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate'
    assert.deepEqual(groupingRoots(`22 1 0:20 / /sys rw - sysfs sysfs rw\n${line}\n`), ['/sys/fs/cgroup'])
  })

  it("are version 2 and systemd's own on a hybrid system, and no controller of version 1", () => {
    const lines = [
      '30 25 0:27 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory',
      '31 25 0:28 / /sys/fs/cgroup/systemd rw shared:10 - cgroup cgroup rw,xattr,name=systemd',
      '32 25 0:29 / /sys/fs/cgroup/unified rw shared:11 - cgroup2 cgroup2 rw',
    ]
    assert.deepEqual(groupingRoots(lines.join('\n')), ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'])
  })
})
