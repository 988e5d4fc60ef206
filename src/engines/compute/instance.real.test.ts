import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../kernel/clock.ts'
import { run, runOk } from '../../kernel/process.ts'
import { instanceId, software } from './conformance.ts'
import type { InstanceSpec } from './engine.ts'
import { makeTestHome, traces } from './test-home.ts'

if (process.getuid?.() !== 0) {
  it('a real instance', { skip: 'needs root: namespaces, mounts and cgroups' })
} else {
  await suite()
}

async function suite() {
  const test = await makeTestHome()
  const { home, router } = test
  let compute = test.open()
  const address = (number: number) => home.cidr.replace(/0\.0\/16$/, `1.${number}`)
  const outside = `pbt-${home.id}`
  const MEBIBYTES = 1 << 20

  const web = `#!/bin/sh
exec 2>&1
mkdir -p /tmp/www
echo "$(cat /etc/polebean/revision) from $(hostname)" >/tmp/www/index.html
exec chpst -u webapp -e /etc/polebean/env /usr/bin/python3 -m http.server -d /tmp/www 80
`
  const spec = (number: number, revision = 1): InstanceSpec => ({
    id: instanceId(number),
    platform: { name: 'python-3.11', version: '1' },
    software: software(revision, {
      files: [
        { path: '/etc/service/web/run', content: web, mode: 0o755, owner: 'root' },
        { path: '/etc/polebean/revision', content: `${revision}\n`, mode: 0o644, owner: 'root' },
      ],
    }),
    diskBytes: 128 * MEBIBYTES,
    cpu: 1,
    memoryBytes: 256 * MEBIBYTES,
    pids: 64,
    zone: 'a',
    requestedAddress: address(number),
    tags: {},
  })
  const inside = async (number: number, ...argv: string[]) =>
    compute.exec(instanceId(number), argv, { timeoutMs: 15_000, outputBytesMax: 10_000 })
  const letIn = (...ports: number[]) =>
    test.letIn([1, 2, 3, 4, 5, 20, 21, 22, 23, 24].map(address), [address(200)], ports)
  const fromBalancer = async (number: number, port = 80) =>
    (
      await run(router.execIn(router.names.balancer, curl(`http://${address(number)}:${port}/`)))
    ).stdout.toString()
  const until = async (probe: () => Promise<boolean>) => {
    for (const startedAt = systemClock.monotonic(); !(await probe()); await systemClock.sleep(20))
      assert.ok(systemClock.monotonic() - startedAt < 10_000, 'not within 10 s')
  }
  const answers = (number: number) => until(async () => (await fromBalancer(number)) !== '')
  const children: { kill(signal: 'SIGKILL'): boolean }[] = []

  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await run(['ip', 'netns', 'del', outside])
    await test.destroy(compute)
    assert.deepEqual(await traces(test), [])
  })

  describe('an instance on the real engine', { timeout: 300_000 }, () => {
    it('answers on port 80 to the balancer', async (t) => {
      await compute.ensure()
      await router.ensureBalancerAddresses([address(200)])
      await letIn(80)
      const tookMs: number[] = []
      for (const number of [1, 2, 3, 4, 5]) {
        const startedAt = systemClock.monotonic()
        await compute.launch(spec(number))
        tookMs.push(Math.round(systemClock.monotonic() - startedAt))
      }
      t.diagnostic(`launches took ${tookMs.join(', ')} ms`)
      for (const number of [3, 4, 5]) await compute.remove(instanceId(number))
      for (const number of [1, 2]) {
        await answers(number)
        assert.equal(await fromBalancer(number), `1 from ip-${address(number).replaceAll('.', '-')}\n`)
      }
    })

    it('tells of a process that the kernel ended for want of memory, over all boots, and of a build', async () => {
      const hungry = ['/usr/bin/python3', '-c', 'b = bytearray(400 * 1024 * 1024)']
      const oom = async () => {
        const { oomKills, oomProcess, oomOfMachine, limitBytes } = (await compute.memory())[0]!
        return { oomKills, oomProcess, oomOfMachine, limitBytes }
      }
      const none = { oomKills: 0, oomProcess: '', oomOfMachine: false, limitBytes: 256 * MEBIBYTES }
      assert.deepEqual(await oom(), none)
      assert.equal((await inside(1, ...hungry)).exit, 137)
      const once = { ...none, oomKills: 1, oomProcess: 'python3' }
      assert.deepEqual(await oom(), once)
      assert.equal(
        await fromBalancer(1),
        `1 from ip-${address(1).replaceAll('.', '-')}\n`,
        'the others run on',
      )
      await compute.stop(instanceId(1), 1_000)
      assert.deepEqual(await oom(), once)
      await compute.start(instanceId(1))
      compute = test.open()
      assert.deepEqual(await oom(), once, 'a control plane that comes later knows it too')
      await inside(1, ...hungry)
      assert.deepEqual(await oom(), { ...once, oomKills: 2 })
      await answers(1)

      const build = await compute.build({
        key: 'hungry',
        platform: { name: 'python-3.11', version: '1' },
        ...{ inputs: [], layers: [], files: [], target: '/var/app/current', env: {} },
        argv: hungry,
        timeoutMs: 20_000,
        outputBytesMax: 4 * MEBIBYTES,
        memoryBytesMax: 128 * MEBIBYTES,
      })
      assert.equal(build.exit, 137)
      assert.deepEqual(build.oom, { process: 'python3', limitBytes: 128 * MEBIBYTES })
    })

    it('is ended before anything of the host when memory is short', async () => {
      const scores = (await inside(1, 'sh', '-c', 'cat /proc/[0-9]*/oom_score_adj')).output.split('\n')
      assert.deepEqual([...new Set(scores.filter(Boolean))], ['300'])
    })

    it('hands out the ends of its logs, also when it is stopped', async () => {
      await inside(
        2,
        'sh',
        '-c',
        'mkdir -p /var/log/web; seq 1000 >/var/log/web/current; ln -s /etc/passwd /var/log/link',
      )
      const limits = { tailBytes: 9, bytesMax: 10_000 }
      const running = await compute.logs(instanceId(2), limits)
      assert.match(running, /==> \/var\/log\/web\/current <==\n999\n1000\n/)
      assert.doesNotMatch(running, /root:|998/)
      await compute.stop(instanceId(2), 1_000)
      assert.match(await compute.logs(instanceId(2), limits), /999\n1000\n/)
      assert.equal((await compute.logs(instanceId(2), { ...limits, bytesMax: 20 })).length, 20)
      await compute.start(instanceId(2))
      await answers(2)
    })

    it('is open to the balancer on the ports of its group only', async () => {
      const server = ['/usr/bin/python3', '-m', 'http.server', '8080']
      const serving = inside(1, 'timeout', '4', ...server)
      await until(async () => (await inside(1, 'curl', '-s', 'http://127.0.0.1:8080/')).exit === 0)
      assert.equal(await fromBalancer(1, 8080), '')
      await letIn(80, 8080)
      assert.notEqual(await fromBalancer(1, 8080), '')
      await letIn(80)
      await serving
    })

    it('reaches no other instance, no balancer, and nothing of the host', async () => {
      const server = createServer((_request, response) => response.end('the host'))
      await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
      const { port } = server.address() as { port: number }
      try {
        const hosts = (await runOk(['hostname', '-I'])).split(/\s+/).filter((one) => /^[\d.]+$/.test(one))
        const targets = [
          ...[...hosts, home.cidr.replace('0.0/16', '255.253')].map((host) => `http://${host}:${port}/`),
          `http://${address(2)}/`,
          `http://${address(200)}:81/`,
        ]
        assert.ok(targets.length > 3)
        const exits = await Promise.all(
          targets.map(async (target) => (await inside(1, ...curl(target))).exit),
        )
        assert.deepEqual(
          exits,
          targets.map(() => 28),
          targets.join(' '),
        )
      } finally {
        server.close()
      }
    })

    it('reaches the outside as the host does, and not the other way round', async () => {
      await runOk(['ip', 'netns', 'add', outside])
      await runOk([
        'ip',
        'link',
        'add',
        `pbt${home.id}`,
        'type',
        'veth',
        'peer',
        'name',
        'eth0',
        'netns',
        outside,
      ])
      await runOk(['ip', 'addr', 'add', '198.18.77.1/30', 'dev', `pbt${home.id}`])
      await runOk(['ip', 'link', 'set', `pbt${home.id}`, 'up'])
      await runOk(['ip', '-n', outside, 'addr', 'add', '198.18.77.2/30', 'dev', 'eth0'])
      await runOk(['ip', '-n', outside, 'link', 'set', 'eth0', 'up'])
      await runOk(['ip', '-n', outside, 'route', 'add', home.cidr, 'via', '198.18.77.1'])
      await compute.ensure()
      const argv = router.execIn(outside, ['/usr/bin/python3', '-c', WHO_ASKS])
      const [file = '', ...args] = argv
      children.push(spawn(file, args, { stdio: 'ignore' }))
      await until(async () => (await inside(1, ...curl('http://198.18.77.2:8000/'))).exit === 0)
      assert.equal((await inside(1, ...curl('http://198.18.77.2:8000/'))).output, '198.18.77.1')
      const back = await run(router.execIn(outside, curl(`http://${address(1)}/`)))
      assert.equal(back.stdout.toString(), '')
    })

    it('asks the resolver of the router, and cannot speak with the address of another', async () => {
      const [file = '', ...args] = router.execIn(router.names.router, [
        ...[
          '/usr/bin/python3',
          '-m',
          'http.server',
          '53',
          '--bind',
          router.resolverAddress,
          '-d',
          '/var/empty',
        ],
      ])
      children.push(spawn(file, args, { stdio: 'ignore', cwd: '/' }))
      await until(async () => [0, 22].includes((await inside(1, ...curl('http://169.254.169.253:53/'))).exit))
      const forged = await inside(1, ...curl('http://169.254.169.253:53/'), '--interface', address(2))
      assert.notEqual(forged.exit, 0)
      assert.equal((await inside(1, 'ip', 'addr', 'add', `${address(2)}/32`, 'dev', 'eth0')).exit, 2)
    })

    it('sees nothing of the host but its programs', async () => {
      const listing = await inside(
        1,
        'sh',
        '-c',
        'ls /root /opt /srv /usr/local /var/lib; ls /home; cat /etc/shadow; ls /etc/ssl',
      )
      assert.equal(listing.output.includes('private'), false)
      assert.match(listing.output, /^root:\*:19000/m)
      assert.equal(listing.output.includes('$'), false)
      const status = (await inside(1, 'cat', '/proc/self/status')).output
      assert.match(status, /^CapEff:\t00000000000000eb$/m)
      assert.match(status, /^NoNewPrivs:\t1$/m)
      assert.match(status, /^Seccomp:\t2$/m)
      for (const argv of [
        ['unshare', '-U', 'true'],
        ['mount', '-t', 'tmpfs', 'x', '/mnt'],
        ['touch', '/usr/bin/x'],
      ])
        assert.notEqual((await inside(1, ...argv)).exit, 0, argv.join(' '))
    })

    it('shows the reader of a log only what is inside, whatever the log is linked to', async () => {
      await inside(1, 'ln', '-sf', '/etc/hostname', '/var/log/evil')
      const expected = `ip-${address(1).replaceAll('.', '-')}\n`
      assert.equal(
        (await compute.read(instanceId(1), '/var/log/evil', { tailBytes: 100 })).toString(),
        expected,
      )
      await compute.stop(instanceId(1), 5_000)
      assert.equal(
        (await compute.read(instanceId(1), '/var/log/evil', { tailBytes: 100 })).toString(),
        expected,
      )
      await compute.start(instanceId(1))
      await answers(1)
    })

    it('keeps a full disk to itself', async () => {
      const full = await inside(1, 'dd', 'if=/dev/zero', 'of=/var/full', 'bs=1M', 'count=300')
      assert.match(full.output, /No space left on device/)
      const { blocks } = statSync(join(home.dir, 'instances', instanceId(1), 'disk.img'))
      assert.ok(blocks * 512 <= 140 * MEBIBYTES)
      assert.equal((await inside(2, 'sh', '-c', 'echo fits >/var/log/x && cat /var/log/x')).output, 'fits\n')
      await compute.update(instanceId(1), spec(1, 2).software, 5_000)
      await answers(1)
      assert.match(await fromBalancer(1), /^2 from/)
      await inside(1, 'rm', '/var/full')
    })

    it('keeps a fork bomb to itself', async () => {
      const bomb = await inside(2, '/usr/bin/python3', '-c', FORK_BOMB)
      assert.match(bomb.output, /stopped by BlockingIOError/)
      assert.ok((await compute.stats()).every((one) => (one.processes ?? 0) <= 64))
      assert.notEqual(await fromBalancer(2), '')
    })

    it('has its environment as files that webapp can read, and nobody else', async () => {
      const read = ['cat', '/etc/polebean/env/GREETING']
      const options = { timeoutMs: 5_000, outputBytesMax: 100 }
      assert.equal(
        (await compute.exec(instanceId(1), read, { ...options, user: 'webapp' })).output,
        'hello\n',
      )
      assert.notEqual((await inside(1, 'chpst', '-u', 'nobody', ...read)).exit, 0)
      assert.equal(
        (await inside(1, 'cat', '/opt/elasticbeanstalk/deployment/env')).output,
        'GREETING=hello\n',
      )
    })

    it('ends a program that takes too long, and what it started', async () => {
      const late = compute.exec(instanceId(1), ['sleep', '4242'], { timeoutMs: 1_000, outputBytesMax: 100 })
      await assert.rejects(late, { name: 'EngineError', message: /not within 1 seconds/ })
      assert.notEqual((await inside(1, 'pgrep', '-f', 'sleep 4242$')).exit, 0)
    })

    it('is told to end with TERM and has time to finish', async () => {
      const slow = `#!/bin/sh\ntrap 'sleep 0.5; echo finished >/var/log/finished; exit 0' TERM\nwhile :; do sleep 0.1; done\n`
      const files = [{ path: '/etc/service/slow/run', content: slow, mode: 0o755, owner: 'root' as const }]
      await compute.update(instanceId(2), software(3, { files }), 5_000)
      await until(async () => (await inside(2, 'sv', 'status', '/etc/service/slow')).output.startsWith('run'))
      await compute.stop(instanceId(2), 5_000)
      assert.equal(
        (await compute.read(instanceId(2), '/var/log/finished', { tailBytes: 100 })).toString(),
        'finished\n',
      )
    })

    it('is reachable again after the router namespace and the rules on the host were taken away', async () => {
      await runOk(['nft', 'delete', 'table', 'inet', `pb_${home.id}`])
      await runOk(['ip', 'netns', 'del', router.names.router])
      await compute.ensure()
      await router.ensureBalancerAddresses([address(200)])
      await letIn(80)
      await answers(1)
      assert.notEqual((await inside(1, ...curl(`http://${address(2)}/`))).exit, 0)
    })

    it('is built with passwords in the environment that nobody else on the machine can read', async () => {
      const secret = 'http://somebody:password-4711@proxy.example'
      const building = compute.build({
        key: 'secret-1',
        platform: { name: 'python-3.11', version: '1' },
        ...{ inputs: [], layers: [], files: [], target: '/var/app/current' },
        argv: ['sh', '-c', 'echo "$http_proxy"; exec sleep 1.4711'],
        env: { http_proxy: secret },
        timeoutMs: 20_000,
        outputBytesMax: 4 * MEBIBYTES,
      })
      const commands = async () => (await runOk(['ps', '-eww', '-o', 'args='])).split('\n')
      await until(async () => (await commands()).includes('sleep 1.4711'))
      assert.deepEqual(
        (await commands()).filter((line) => line.includes('password-4711')),
        [],
      )
      assert.equal((await building).output, `${secret}\n`)
    })

    it('is launched whole by the next control plane when one died at any moment of a launch', async (t) => {
      const child = fileURLToPath(new URL('./launch-child.ts', import.meta.url))
      const died: string[] = []
      for (const [index, afterMs] of [5, 40, 75, 110, 145].entries()) {
        const one = spec(20 + index)
        const args = ['--disable-warning=ExperimentalWarning', child, JSON.stringify({ home, spec: one })]
        const life = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
        const begun = await new Promise((resolve) => {
          life.stdout.once('data', () => resolve(true))
          life.once('close', () => resolve(false))
        })
        assert.ok(begun, 'the control plane did not come up')
        await systemClock.sleep(afterMs)
        life.kill('SIGKILL')
        if (life.exitCode === null && life.signalCode === null)
          await new Promise((resolve) => life.once('close', resolve))
        compute = test.open()
        died.push((await compute.list()).find(({ id }) => id === one.id)?.state ?? 'no row')
        await compute.launch(one)
        if ((await compute.list()).find(({ id }) => id === one.id)?.state !== 'running')
          await compute.start(one.id)
        await answers(20 + index)
        await compute.remove(one.id)
      }
      t.diagnostic(`found after the death: ${died.join(', ')}`)
    })
  })
}

const curl = (url: string) => ['curl', '-s', '-m', '2', url]

const WHO_ASKS = `
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.client_address[0].encode())
http.server.HTTPServer(("198.18.77.2", 8000), Handler).serve_forever()
`

const FORK_BOMB = `
import os, signal, time
children = []
try:
    while True:
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        children.append(pid)
except OSError as error:
    print("stopped by", type(error).__name__)
for pid in children:
    os.kill(pid, signal.SIGKILL)
`
