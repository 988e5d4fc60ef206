// Requests a second through the environment's balancer, against the same HAProxy with a hand-written file and against
// nginx, both in the balancer's namespace, dialling the same instances from the same address.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestHome } from '../test/support/home.ts'
import { inTurns, median, ratioOf, wrk, type Figure } from './measure.ts'

const ROUNDS = 5

export async function throughput(home: TestHome): Promise<Figure[]> {
  const { id } = home.settings()
  const inside = ['ip', 'netns', 'exec', `pb-${id}-lb`]
  const { balancer, instances } = await addressesOf(home)
  const folder = mkdtempSync(join(tmpdir(), 'pbbench-'))
  const haproxy = join(folder, 'haproxy.cfg')
  const nginx = join(folder, 'nginx.conf')
  writeFileSync(haproxy, handWrittenHaproxy(balancer, instances))
  writeFileSync(nginx, handWrittenNginx(balancer, instances, folder))
  const peers = [
    spawn('ip', ['netns', 'exec', `pb-${id}-lb`, 'haproxy', '-db', '-f', haproxy], { stdio: 'ignore' }),
    spawn('ip', ['netns', 'exec', `pb-${id}-lb`, 'nginx', '-c', nginx, '-g', 'daemon off;'], {
      stdio: 'ignore',
    }),
  ]
  try {
    await sleep(1_000)
    const figures: Figure[] = []
    for (const [name, path] of [
      ['static file (nginx in the instance)', '/static/style.css'],
      ['Flask sample', '/'],
    ] as const) {
      const connections = path === '/' ? 16 : 64
      const values = await inTurns(ROUNDS, {
        polebean: () => wrk(inside, `http://${balancer}${path}`, { connections }),
        haproxy: () => wrk(inside, `http://127.0.0.1:9001${path}`, { connections }),
        nginx: () => wrk(inside, `http://127.0.0.1:9002${path}`, { connections }),
      })
      const ours = values.polebean!
      const value = `${median(ours).toFixed(0)} requests/s`
      for (const [peer, budget] of [
        ['haproxy', 0.95],
        ['nginx', 1],
      ] as const) {
        const ratio = ratioOf(ours, values[peer]!)
        const against = `${peer} by hand: ${median(values[peer]!).toFixed(0)}`
        figures.push({
          what: name,
          value,
          against,
          ratio: ratio.toFixed(2),
          budget: `≥ ${budget}`,
          met: ratio >= budget ? 'yes' : 'no',
        })
      }
    }
    return figures
  } finally {
    for (const peer of peers) peer.kill('SIGTERM')
    await sleep(300)
    rmSync(folder, { recursive: true, force: true })
  }
}

async function addressesOf(home: TestHome): Promise<{ balancer: string; instances: string[] }> {
  const running = await home.aws([
    'ec2',
    'describe-instances',
    '--filters',
    'Name=instance-state-name,Values=running',
    '--query',
    'Reservations[].Instances[].PrivateIpAddress',
  ])
  const interfaces = await home.aws([
    'ec2',
    'describe-network-interfaces',
    '--query',
    "NetworkInterfaces[?starts_with(Description,'ELB')].PrivateIpAddress",
  ])
  const [balancer] = interfaces as unknown as string[]
  if (!balancer) throw new Error('the load balancer has no address')
  return { balancer, instances: running as unknown as string[] }
}

const handWrittenHaproxy = (source: string, instances: string[]) => `
global
  nbthread 2
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend f
  bind 127.0.0.1:9001
  default_backend b
backend b
  balance roundrobin
  source ${source}
  option forwardfor
${instances.map((address, index) => `  server s${index} ${address}:80 check`).join('\n')}
`

const handWrittenNginx = (source: string, instances: string[], folder: string) => `
worker_processes 2;
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
      proxy_bind ${source};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`
