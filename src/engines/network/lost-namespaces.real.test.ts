// Somebody deletes the namespaces of a home under its instances, its HAProxies and its resolver. Upkeep brings all back.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, describe, it } from 'node:test'
import { systemClock as clock } from '../../kernel/clock.ts'
import { silentLog } from '../../kernel/log.ts'
import { run } from '../../kernel/process.ts'
import { makeHaproxy } from '../balancer/haproxy.ts'
import { type BalancerModel, listenerTo } from '../balancer/engine.ts'
import { instanceId, software } from '../compute/conformance.ts'
import { makeTestHome, traces } from '../compute/test-home.ts'
import { makeMetadataDoor } from '../metadata/door.ts'
import { ensureResolver } from '../resolver/dnsmasq.ts'
import { makeRunit } from '../supervisor/runit.ts'

const HOST = 'shop.localhost'
const WEB = `#!/bin/sh
exec 2>&1
exec chpst -u webapp /usr/bin/python3 -m http.server -d /etc/polebean 80
`
// One question for a name below localhost, which the resolver answers by itself: NXDOMAIN, or no answer at all.
const ASK = `
import socket
question = bytes.fromhex('00010100000100000000000001780' + '96c6f63616c686f73740000010001')
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(1)
client.sendto(question, ('169.254.169.253', 53))
print('code', client.recv(512)[3] & 15)
`

if (process.getuid?.() !== 0) it('lost namespaces', { skip: 'needs root: namespaces, mounts and cgroups' })
else await suite()

async function suite() {
  const test = await makeTestHome()
  const { router } = test
  const base = 20_000 + (Number.parseInt(test.home.id, 36) % 1_000) * 10
  const home = { ...test.home, ports: { api: base, http: base + 1, environments: base + 2, dns: base + 3 } }
  const supervisor = makeRunit({ clock, home })
  const compute = test.open()
  const balancer = makeHaproxy({ clock, log: silentLog, home, supervisor, network: router })
  const metadata = makeMetadataDoor({ clock, log: silentLog, home, supervisor, network: router })
  const listening = await metadata.open(({ source }) => ({ status: 200, body: source }))
  const address = (number: number) => home.cidr.replace(/0\.0\/16$/, `1.${number}`)
  const model: BalancerModel = {
    loadBalancers: [
      {
        id: 'app/shop/1',
        address: address(200),
        elasticAddress: null,
        internetFacing: true,
        hosts: [HOST],
        loopbackPort: null,
        idleTimeoutSeconds: 60,
        listeners: [listenerTo(80, 'group', ['0.0.0.0/0'])],
        cutsOnRevoke: false,
      },
    ],
    targetGroups: [
      {
        id: 'group',
        healthCheck: {
          ...{ protocol: 'HTTP', port: null, path: '/', intervalSeconds: 1, timeoutSeconds: 1 },
          ...{ healthyThreshold: 2, unhealthyThreshold: 2, matcher: '200' },
        },
        targets: [{ id: instanceId(1), address: address(1), port: 80, draining: false }],
      },
    ],
  }
  after(async () => {
    await listening.close()
    await supervisor.shutdown()
    await test.destroy(compute)
    assert.deepEqual(await traces(test), [])
  })

  /** What the server does every few seconds; each may fail while the others are not yet done. */
  const pass = async () => {
    await compute.ensure()
    await test.letIn([address(1)], [address(200)])
    await ensureResolver(supervisor, router, { region: 'us-west-2', zonesFile: `${home.runDir}/zones.conf` })
    await metadata.ensure()
    await balancer.apply(model)
    await balancer.observe()
  }
  const isAnswered = () =>
    new Promise<boolean>((resolve) => {
      const asking = request(
        { port: home.ports.http, host: '127.0.0.1', headers: { host: HOST }, agent: false, timeout: 2_000 },
        (response) => resolve(response.resume().statusCode === 200),
      )
      asking.on('error', () => resolve(false)).on('timeout', () => asking.destroy())
      asking.end()
    })
  const resolves = async () => {
    const options = { timeoutMs: 5_000, outputBytesMax: 4_096 }
    return (await compute.exec(instanceId(1), ['/usr/bin/python3', '-c', ASK], options)).output === 'code 3\n'
  }
  const isTold = async () => {
    const options = { timeoutMs: 5_000, outputBytesMax: 4_096 }
    const argv = ['/usr/bin/curl', '-s', '-m', '2', 'http://169.254.169.254/']
    return (await compute.exec(instanceId(1), argv, options)).output === address(1)
  }
  const passesUntilWell = async () => {
    const failures: string[] = []
    for (let passes = 1; passes <= PASSES_MAX; passes++) {
      await pass().catch((error: Error) => failures.push(error.message))
      for (let looks = 0; looks < 10; looks++) {
        if ((await isAnswered()) && (await resolves()) && (await isTold())) return passes
        await clock.sleep(100) // a health check has to come round, a daemon to start
      }
    }
    return assert.fail(`not well after ${PASSES_MAX} passes: ${failures.join('; ')}`)
  }

  describe('a home whose namespaces are deleted', { timeout: 120_000 }, () => {
    it('is well at first', async () => {
      await compute.ensure()
      await compute.launch({
        id: instanceId(1),
        platform: { name: 'python-3.11', version: '1' },
        software: software(1, {
          files: [
            { path: '/etc/service/web/run', content: WEB, mode: 0o755, owner: 'root' },
            { path: '/etc/polebean/index.html', content: 'here', mode: 0o644, owner: 'root' },
          ],
        }),
        ...{ diskBytes: 128 << 20, cpu: 1, memoryBytes: 256 << 20, pids: 64, zone: 'a' },
        requestedAddress: address(1),
        tags: {},
      })
      await passesUntilWell()
    })

    const { router: own, balancer: ofBalancer, host } = router.names
    for (const lost of [[own], [ofBalancer], [own, ofBalancer, host]])
      it(`is well again after a few looks: ${lost.map((name) => name.replace(home.id, 'ID')).join(', ')}`, async (t) => {
        for (const name of lost) assert.equal((await run(['ip', 'netns', 'del', name])).exit, 0)
        t.diagnostic(`${await passesUntilWell()} passes`)
      })
  })
}

const PASSES_MAX = 6
