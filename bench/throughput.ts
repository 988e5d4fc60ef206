// Requests a second through the environment's balancer, against the same HAProxy with a hand-written file and against
// nginx. All three run in the balancer's namespace, dial the same instances from the same address, have as many threads,
// and tell the instances the same headers of the client, as any balancer in their place would. And the way users take:
// through the public listener on the host, found by Host, against the same HAProxy by hand on the host's loopback.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestHome } from '../test/support/home.ts'
import { inTurns, median, ratioOf, wrk, type Figure } from './measure.ts'
import { addressesOf, handWrittenHaproxy, handWrittenNginx, startPeers } from './peers.ts'

const ROUNDS = 7
const PEERS = [
  ['haproxy', 0.95],
  ['nginx', 1],
] as const
const WORKLOADS = [
  { name: 'static file (nginx in the instance)', path: '/static/style.css', connections: 64 },
  { name: 'Flask sample', path: '/', connections: 16 },
]

export async function throughput(home: TestHome): Promise<Figure[]> {
  const { id, region, domain, ports } = home.settings()
  const addresses = await addressesOf(home, 'bench-flask')
  const { balancer } = addresses
  const folder = mkdtempSync(join(tmpdir(), 'pbbench-'))
  const haproxy = join(folder, 'haproxy.cfg')
  const nginx = join(folder, 'nginx.conf')
  writeFileSync(
    haproxy,
    handWrittenHaproxy(addresses, ['127.0.0.1:9001', `127.0.0.1:9004 namespace pb-${id}-host`]),
  )
  writeFileSync(nginx, handWrittenNginx(addresses, folder, ['127.0.0.1:9002']))
  const peers = startPeers(id, folder)
  const { inside } = peers
  try {
    await sleep(1_000)
    const figures: Figure[] = []
    for (const { name, path, connections } of WORKLOADS) {
      const values = await inTurns(ROUNDS, {
        polebean: () => wrk(inside, `http://${balancer}${path}`, { connections }),
        haproxy: () => wrk(inside, `http://127.0.0.1:9001${path}`, { connections }),
        nginx: () => wrk(inside, `http://127.0.0.1:9002${path}`, { connections }),
      })
      for (const [peer, budget] of PEERS) figures.push(compared(name, values, peer, budget))
    }
    const { path, connections, name } = WORKLOADS[0]!
    const host = `bench-flask.${region}.${domain}`
    const values = await inTurns(ROUNDS, {
      polebean: () => wrk([], `http://127.0.0.1:${ports.http}${path}`, { connections, host }),
      haproxy: () => wrk([], `http://127.0.0.1:9004${path}`, { connections }),
    })
    figures.push(compared(`${name}, public listener`, values, 'haproxy', 0.95))
    return figures
  } finally {
    peers.stop()
    await sleep(300)
    rmSync(folder, { recursive: true, force: true })
  }
}

function compared(
  what: string,
  values: Record<string, number[]>,
  peer: (typeof PEERS)[number][0],
  budget: number,
): Figure {
  const ratio = ratioOf(values.polebean!, values[peer]!)
  return {
    what,
    value: `${median(values.polebean!).toFixed(0)} requests/s`,
    against: `${peer} by hand: ${median(values[peer]!).toFixed(0)}`,
    ratio: ratio.toFixed(2),
    budget: `≥ ${budget}`,
    met: ratio >= budget ? 'yes' : 'no',
  }
}
