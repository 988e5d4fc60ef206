// What somebody writes by hand who has the same instances: HAProxy and nginx in the balancer's namespace, with the headers that any
// balancer in their place would tell.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { TestHome } from '../test/support/home.ts'

export type Addresses = { balancer: string; instances: string[] }

/** Of an environment, and of its load balancer. */
export async function addressesOf(home: TestHome, environment: string): Promise<Addresses> {
  const ask = async (words: string) => Object.values(await home.aws(words.split(' '))).map(String)
  const instances = await ask(
    `ec2 describe-instances --filters Name=instance-state-name,Values=running Name=tag:elasticbeanstalk:environment-name,Values=${environment} --query Reservations[].Instances[].PrivateIpAddress`,
  )
  const [arn = ''] = await ask(
    `elasticbeanstalk describe-environment-resources --environment-name ${environment} --query EnvironmentResources.LoadBalancers[].Name`,
  )
  const [balancer] = await ask(
    `ec2 describe-network-interfaces --query NetworkInterfaces[?contains(Description,'${arn.split('/').at(-1)}')].PrivateIpAddress`,
  )
  if (!balancer) throw new Error('the load balancer has no address')
  return { balancer, instances }
}

/** HAProxy and nginx with `haproxy.cfg` and `nginx.conf` of a folder, in the balancer's namespace. `inside`: how a client gets there. */
export function startPeers(homeId: string, folder: string) {
  const inside = ['ip', 'netns', 'exec', `pb-${homeId}-lb`]
  // Sessions of their own: the kernel shares the processors among sessions (sched(7), autogroup).
  const start = (argv: string[]) =>
    spawn(inside[0]!, [...inside.slice(1), ...argv], { stdio: 'ignore', detached: true })
  const peers = [
    start(['haproxy', '-db', '-f', join(folder, 'haproxy.cfg')]),
    start(['nginx', '-c', join(folder, 'nginx.conf'), '-g', 'daemon off;']),
  ]
  return {
    inside,
    stop() {
      for (const one of peers) process.kill(-one.pid!, 'SIGTERM')
    },
  }
}

/** `binds`: what HAProxy writes behind `bind`. */
export const handWrittenHaproxy = ({ balancer, instances }: Addresses, binds: string[]) => `
global
  nbthread ${availableParallelism()}
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend f
${binds.map((bind) => `  bind ${bind}`).join('\n')}
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

/** `listens`: what nginx writes behind `listen`; `more`: directives of its http; `upgrades`: to WebSockets. */
export const handWrittenNginx = (
  { balancer, instances }: Addresses,
  folder: string,
  listens: string[],
  more: string[] = [],
  upgrades = false,
) => `
worker_processes ${availableParallelism()};
pid ${folder}/nginx.pid;
error_log /dev/null;
events { worker_connections 4000; }
http {
  access_log off;
${more.map((one) => `  ${one};`).join('\n')}
  upstream b { ${instances.map((address) => `server ${address}:80;`).join(' ')} keepalive 128; }
  server {
${listens.map((one) => `    listen ${one};`).join('\n')}
    location / {
      proxy_pass http://b;
      proxy_bind ${balancer};
      proxy_http_version 1.1;
${upgrades ? '      proxy_set_header Upgrade $http_upgrade;' : ''}
      proxy_set_header Connection "${upgrades ? 'upgrade' : ''}";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Port 80;
      proxy_set_header X-Amzn-Trace-Id Root=1-$request_id;
    }
  }
}
`
