import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../kernel/clock.ts'
import { makeIds } from '../../kernel/ids.ts'
import { run, runOk } from '../../kernel/process.ts'
import { systemRandom } from '../../kernel/random.ts'
import { inNamespace } from './ip.ts'

// A network namespace plays the host, so that the real host's firewall is left alone.
const lacking =
  process.getuid?.() !== 0
    ? 'needs root'
    : existsSync('/usr/sbin/iptables-nft')
      ? false
      : 'needs iptables-nft (package iptables)'

describe('a host whose firewall drops what is forwarded, as with Docker', { skip: lacking }, () => {
  const id = makeIds(systemRandom).lower('', 6)
  const [host, outside] = [`pbt-${id}-h`, `pbt-${id}-o`]
  const dir = mkdtempSync('/tmp/pbt-')
  const children: ReturnType<typeof spawn>[] = []
  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    for (const name of [`pb-${id}-host`, `pb-${id}-lb`, `pb-${id}`, host, outside])
      await run(['ip', 'netns', 'del', name])
    rmSync(dir, { recursive: true, force: true })
    assert.equal((await runOk(['ip', 'netns'])).includes(id), false)
  })
  const start = (...argv: string[]) => {
    const [file = '', ...args] = argv
    const child = spawn(file, args, { stdio: 'ignore', cwd: dir })
    children.push(child)
    return child
  }

  it('lets instances out, after a flush of its rules too, and is as it was when the network is removed', async () => {
    for (const name of [host, outside]) await runOk(['ip', 'netns', 'add', name])
    await runOk([
      'ip',
      '-n',
      host,
      'link',
      'add',
      'wan0',
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      outside,
    ])
    for (const [name, link, address] of [
      [host, 'wan0', '198.18.9.1'],
      [outside, 'eth0', '198.18.9.2'],
    ] as const) {
      await runOk(['ip', '-n', name, 'link', 'set', 'lo', 'up'])
      await runOk(['ip', '-n', name, 'addr', 'add', `${address}/24`, 'dev', link])
      await runOk(['ip', '-n', name, 'link', 'set', link, 'up'])
    }
    await runOk(inNamespace(host, ['sysctl', '-q', '-w', 'net.ipv4.ip_forward=0']))
    for (const rule of [
      '-P FORWARD DROP',
      '-N DOCKER-USER',
      '-A DOCKER-USER -j RETURN',
      '-A FORWARD -j DOCKER-USER',
    ])
      await runOk(inNamespace(host, ['iptables-nft', ...rule.split(' ')]))
    start(...inNamespace(outside, ['/usr/bin/python3', '-m', 'http.server', '80']))
    const member = start('unshare', '--net', 'sleep', '300')
    // The child has the parent's namespace for a moment.
    while (readlinkSync(`/proc/${member.pid}/ns/net`) === readlinkSync('/proc/self/ns/net'))
      await systemClock.sleep(5)

    const home = {
      id,
      dir,
      runDir: `/run/polebean/${id}`,
      idBase: 0,
      cidr: '10.250.0.0/16',
      ports: { api: 0, http: 0, environments: 0 },
    }
    const child = fileURLToPath(new URL('./nested-host.ts', import.meta.url))
    const argv = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      child,
      JSON.stringify(home),
      String(member.pid),
      '198.18.9.2',
    ]
    const seen = JSON.parse(await runOk(inNamespace(host, argv), { timeoutMs: 60_000 })) as Record<
      string,
      unknown
    >
    assert.deepEqual(seen, {
      before: ['0', '0'],
      withDocker: true,
      during: ['0', '1'],
      accepts: [
        `-A DOCKER-USER -o pole${id} -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment "polebean pb-${id}" -j ACCEPT`,
        `-A DOCKER-USER -i pole${id} -m comment --comment "polebean pb-${id}" -j ACCEPT`,
      ],
      flushed: false,
      repaired: true,
      after: ['0', '0'],
      rules: '',
      links: [],
    })
  })
})
