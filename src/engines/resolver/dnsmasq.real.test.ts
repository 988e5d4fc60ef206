import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemClock as clock } from '../../kernel/clock.ts'
import { makeIds } from '../../kernel/ids.ts'
import { run, runOk } from '../../kernel/process.ts'
import { systemRandom } from '../../kernel/random.ts'
import { makeRunit } from '../supervisor/runit.ts'
import { leadZones, resolverService } from './dnsmasq.ts'
import { readResolverHost } from './host.ts'

const RESOLVER = '169.254.169.253'
const UPSTREAM = '192.0.2.53'
const NAMES = '192.0.2.54'

describe('dnsmasq in a namespace', () => {
  it("forwards to the resolvers of the host's file, follows its changes, and is not root", async () => {
    const id = makeIds(systemRandom).lower('', 6)
    const router = `pb-${id}`
    const dir = mkdtempSync(join(tmpdir(), 'pbt-'))
    const supervisor = makeRunit({ clock, home: { dir, id } }, ['resolver'])
    const execIn = (namespace: string, argv: string[]) => [
      'nsenter',
      `--net=/run/netns/${namespace}`,
      ...argv,
    ]
    const dns = (...args: string[]) =>
      execIn(router, [process.execPath, join(import.meta.dirname, 'test-dns.ts'), ...args])
    let stopUpstream = () => {}
    let stopNames = () => {}
    try {
      await runOk(['ip', 'netns', 'add', router])
      await runOk(['ip', '-n', router, 'link', 'set', 'lo', 'up'])
      for (const address of [RESOLVER, UPSTREAM, NAMES])
        await runOk(['ip', '-n', router, 'addr', 'add', `${address}/32`, 'dev', 'lo'])
      const resolvFile = join(dir, 'resolv.conf')
      chmodSync(dir, 0o755) // it is read by another user
      writeFileSync(resolvFile, '')
      const relay = { address: NAMES, port: 5300, namesPort: 53, privateNamesPort: 54 }
      const zonesFile = join(dir, 'zones.conf')
      writeFileSync(zonesFile, '')
      const vpc = { cidr: '10.9.0.0/16', resolverAddresses: [RESOLVER] }
      const network = { names: { router }, ...vpc, relay, execIn }
      await supervisor.ensure(
        resolverService(
          network,
          { region: 'us-west-2', zonesFile },
          {
            ...readResolverHost(),
            resolvFile,
            upstreams: [UPSTREAM],
          },
        ),
      )
      const ask = async (name: string) => (await run(dns('ask', RESOLVER, name))).stdout.toString().trim()
      const untilSaid = async (wanted: string) => {
        let said = ''
        for (const end = clock.monotonic() + 10_000; clock.monotonic() < end && said !== wanted;)
          said = await ask('www.example')
        assert.equal(said, wanted)
      }
      await untilSaid('5') // REFUSED: there is nobody to ask

      const [file = '', ...args] = dns('serve', UPSTREAM)
      const upstream = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      stopUpstream = () => void upstream.kill()
      await once(upstream.stdout, 'data')
      writeFileSync(resolvFile, `nameserver ${UPSTREAM}\n`)
      await untilSaid('0 192.0.2.99')
      // Names of the VPC are answered here, and nobody outside is asked for one that is none.
      assert.equal(await ask('ip-10-9-0-5.us-west-2.compute.internal'), '0 10.9.0.5')
      assert.equal(await ask('ip-10-8-0-5.us-west-2.compute.internal'), '3')

      // Of zones that our own name server has it is asked, also below localhost.
      const [program = '', ...options] = dns('serve', NAMES)
      const names = spawn(program, options, { stdio: ['ignore', 'pipe', 'inherit'] })
      stopNames = () => void names.kill()
      await once(names.stdout, 'data')
      const inZone = () => ask('www.shop.localhost')
      assert.equal(await inZone(), '3')
      for (const [zones, answer] of [
        [['shop.localhost', 'example.org'], '0 192.0.2.99'],
        [['example.org'], '3'],
      ] as const) {
        await leadZones(supervisor, network, zonesFile, { public: zones, private: [] })
        for (const end = clock.monotonic() + 10_000; (await inZone()) !== answer;)
          assert.ok(clock.monotonic() < end, `${zones.join(', ')}: not ${answer}`)
      }

      const [service] = await supervisor.list()
      assert.doesNotMatch(await runOk(['ps', '-o', 'user=', '-p', String(service?.pid)]), /root/)
    } finally {
      stopUpstream()
      stopNames()
      await supervisor.shutdown()
      await run(['ip', 'netns', 'del', router])
      rmSync(dir, { recursive: true, force: true })
    }
  })
})
