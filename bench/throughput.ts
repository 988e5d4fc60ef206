// Requests a second through the environment's balancer, against the same HAProxy with a hand-written file and against
// nginx. All three run in the balancer's namespace, dial the same instances from the same address, have as many threads,
// and tell the instances the same headers of the client, as any balancer in their place would. And the way users take:
// through the public listener on the host, found by Host, against the same HAProxy by hand on the host's loopback.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestHome } from '../test/support/home.ts'
import { inTurns, median, ratioOf, wrk, type Figure } from './measure.ts'

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
  const inside = ['ip', 'netns', 'exec', `pb-${id}-lb`]
  const addresses = await addressesOf(home)
  const { balancer } = addresses
  const folder = mkdtempSync(join(tmpdir(), 'pbbench-'))
  const haproxy = join(folder, 'haproxy.cfg')
  const nginx = join(folder, 'nginx.conf')
  writeFileSync(haproxy, handWrittenHaproxy(addresses, `pb-${id}-host`))
  writeFileSync(nginx, handWrittenNginx(addresses, folder))
  // Sessions of their own: the kernel shares the processors among sessions (sched(7), autogroup).
  const start = (argv: string[]) =>
    spawn(inside[0]!, [...inside.slice(1), ...argv], { stdio: 'ignore', detached: true })
  const peers = [start(['haproxy', '-db', '-f', haproxy]), start(['nginx', '-c', nginx, '-g', 'daemon off;'])]
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
    for (const peer of peers) process.kill(-peer.pid!, 'SIGTERM')
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

export type Addresses = { balancer: string; instances: string[] }

export async function addressesOf(home: TestHome): Promise<Addresses> {
  const ask = async (words: string) => Object.values(await home.aws(words.split(' '))).map(String)
  const instances = await ask(
    'ec2 describe-instances --filters Name=instance-state-name,Values=running --query Reservations[].Instances[].PrivateIpAddress',
  )
  const [balancer] = await ask(
    "ec2 describe-network-interfaces --query NetworkInterfaces[?starts_with(Description,'ELB')].PrivateIpAddress",
  )
  if (!balancer) throw new Error('the load balancer has no address')
  return { balancer, instances }
}

const handWrittenHaproxy = ({ balancer, instances }: Addresses, host: string) => `
global
  nbthread ${availableParallelism()}
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend f
  bind 127.0.0.1:9001
  bind 127.0.0.1:9004 namespace ${host}
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port 80
  http-request set-header X-Amzn-Trace-Id Root=1-%[date,hex]-%[uuid()] unless { req.hdr(x-amzn-trace-id) -m found }
  default_backend b
backend b
  balance roundrobin
  source ${balancer}
${instances.map((address, index) => `  server s${index} ${address}:80 check`).join('\n')}
`

const handWrittenNginx = ({ balancer, instances }: Addresses, folder: string) => `
worker_processes ${availableParallelism()};
pid ${folder}/nginx.pid;
error_log /dev/null;
events { worker_connections 4000; }
http {
  access_log off;
  upstream b { ${instances.map((address) => `server ${address}:80;`).join(' ')} keepalive 128; }
  server {
    listen 127.0.0.1:9002;
    location / {
      proxy_pass http://b;
      proxy_bind ${balancer};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Port 80;
      proxy_set_header X-Amzn-Trace-Id Root=1-$request_id;
    }
  }
}
`
