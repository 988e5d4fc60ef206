import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { environmentFileOf, isOurs, renderEnvironment, renderUnit, unitNameOf } from './unit.ts'

const home = { dir: '/var/lib/polebean', id: 'abc123' }
const PROGRAM = '/opt/polebean/current/bin/polebean'

describe('the unit of a home', () => {
  it('is named as the default home, others by their ids', () => {
    assert.equal(unitNameOf(home), 'polebean.service')
    assert.equal(unitNameOf({ ...home, dir: '/srv/polebean' }), 'polebean-abc123.service')
  })

  it('runs the server in the foreground, without the network, and ends nothing but the server', () => {
    assert.equal(
      renderUnit(home, PROGRAM),
      `# Written by \`polebean service install\`. It writes it again; what you want
# otherwise goes beside it: systemctl edit polebean.service
[Unit]
Description=Polebean (/var/lib/polebean)
# After what loads a firewall's rules, but not after the network: without one everything that runs here starts as well.
After=network-pre.target
RequiresMountsFor="/var/lib/polebean" "/opt/polebean/current/bin/polebean"
# It is never given up: what is in the way today (a full disk, a taken port) may be gone tomorrow.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=":/opt/polebean/current/bin/polebean" server --home "/var/lib/polebean"
EnvironmentFile=-/var/lib/polebean/service.env
Environment=LC_ALL=C.UTF-8
Restart=always
RestartSec=1s
RestartPreventExitStatus=2
# Instances, load balancer and resolver are in control groups of their own and outlive the server, however it ends.
KillMode=process
TimeoutStopSec=30s
OOMPolicy=continue
OOMScoreAdjust=-900

[Install]
WantedBy=multi-user.target
`,
    )
  })

  it('is known as ours by its first line', () => {
    assert.equal(isOurs(renderUnit(home, PROGRAM)), true)
    for (const text of ['', '[Unit]\n', `[Unit]\n${renderUnit(home, PROGRAM)}`])
      assert.equal(isOurs(text), false)
  })

  it('names no path that means something else to systemd', () => {
    for (const dir of ['/srv/a"b', "/srv/a'b", '/srv/a\\b', '/srv/a*', '/srv/[a]', '/srv/a\nb'])
      assert.throws(() => renderUnit({ ...home, dir }, PROGRAM), /a systemd unit cannot name/)
    assert.throws(() => renderUnit(home, '/opt/a?/bin/polebean'), /a systemd unit cannot name/)
  })

  it('is understood by systemd whole, also with a space, a dollar and a per cent sign in its paths', (t) => {
    if (!existsSync('/usr/bin/systemd-analyze')) return t.skip('there is no systemd-analyze here')
    const base = mkdtempSync(join(tmpdir(), 'pbt-'))
    try {
      const folder = join(base, 'a $b 50% c')
      mkdirSync(folder)
      const program = join(folder, 'polebean')
      writeFileSync(program, '#!/bin/sh\n')
      chmodSync(program, 0o755)
      const other = { dir: folder, id: 'abc123' }
      const file = join(base, unitNameOf(other))
      const verify = (text: string) => {
        writeFileSync(file, text)
        const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
          encoding: 'utf8',
        })
        return { status, ours: stderr.split('\n').filter((line) => line.includes(unitNameOf(other))) }
      }
      assert.deepEqual(verify(renderUnit(other, program)), { status: 0, ours: [] })
      const broken = verify(renderUnit(other, program).replace('KillMode', 'KilMode'))
      assert.match(broken.ours.join(), /Unknown key.* 'KilMode'/)
    } finally {
      rmSync(base, { recursive: true })
    }
  })
})

describe('the environment of the unit', () => {
  it('lies in the home', () => assert.equal(environmentFileOf(home), '/var/lib/polebean/service.env'))

  // As systemd.exec.5 has it, EnvironmentFile=: what is quoted is escaped by a backslash as in a shell, which reads it here.
  it('comes through whatever is in a value', () => {
    const environment = {
      PIP_INDEX_URL: 'http://user:p%40ss$word@pypi.example/simple',
      ODD: ' "a" \'b\' \\c\\n `d` $(e) #f ; g=h\ttab ',
      LINES: 'one\ntwo\\\nthree',
      EMPTY: '',
    }
    const script = `${renderEnvironment(environment)}\nfor name in ${Object.keys(environment).join(' ')}; do
      eval "printf '%s\\0' \\"\\$$name\\""; done`
    const { stdout } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' })
    assert.deepEqual(stdout.split('\0').slice(0, -1), Object.values(environment))
    assert.equal(renderEnvironment({}), '')
  })
})
