import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BY_THEMSELVES, compare } from './compare.ts'

describe('two pictures of a machine', () => {
  it('differ by what came and what is gone, not by order', () => {
    const before = 'package a 1 ii\nunit b.service enabled\nuser root:x:0\n'
    const after = 'user root:x:0\nunit b.service masked\npackage a 1 ii\npackage c 2 ii\n'
    assert.deepEqual(compare(before, after), {
      gone: ['unit b.service enabled'],
      came: ['unit b.service masked', 'package c 2 ii'],
    })
    assert.deepEqual(compare(before, after, [/^unit /, / c 2 /]), { gone: [], came: [] })
  })

  it('never hide what Polebean makes', () => {
    const ours = [
      'package haproxy 2.6 ii',
      'package nginx-light 1.22 rc',
      'unit haproxy.service masked',
      'unit polebean.service enabled',
      'active polebean.service',
      'sysctl net.ipv4.ip_forward = 1',
      'firewall chain ufw-user-forward { iifname "poleabcdef" accept comment "polebean pb-abcdef" }',
      'namespace pb-abcdef',
      'link poleabcdef:',
      'cgroup /sys/fs/cgroup/polebean',
      'run polebean',
      'mount /run/polebean/abcdef/compute/i-0 overlay',
      'file d 755 root:root /var/lib/polebean ',
      'file d 755 root:root /var/lib/polebean-setup ',
      'file f 755 root:root /usr/sbin/policy-rc.d ',
      'content /etc/haproxy/haproxy.cfg 00',
      'content /etc/nsswitch.conf 00',
      'user _runit-log:x:101:1::/nonexistent:/usr/sbin/nologin',
    ]
    for (const line of ours)
      assert.deepEqual(
        BY_THEMSELVES.filter(([pattern]) => pattern.test(line)).map(([, reason]) => `${line}: ${reason}`),
        [],
      )
  })
})
