// A network for tests of the real balancer: HAProxy's namespace, one for targets, and a name for the host's own.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type Agent, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TLSSocket } from 'node:tls'
import { systemClock as clock } from '../../kernel/clock.ts'
import { makeIds } from '../../kernel/ids.ts'
import { makeLog } from '../../kernel/log.ts'
import { run, runOk } from '../../kernel/process.ts'
import { systemRandom } from '../../kernel/random.ts'
import { makeRunit } from '../supervisor/runit.ts'
import { claim } from '../test-claims.ts'
import { makeHaproxy } from './haproxy.ts'
import type { TargetOrder } from './test-targets.ts'

export type TestNetwork = Awaited<ReturnType<typeof makeTestNetwork>>

/** Balancers get 10.213.1.x, targets 10.213.2.x. Close it, also when the test failed. */
export async function makeTestNetwork() {
  const id = makeIds(systemRandom).lower('', 6)
  const names = {
    router: `pb-${id}-t`,
    balancer: `pb-${id}-lb`,
    host: `pb-${id}-host`,
    targets: `pb-${id}-t`,
  }
  const dir = mkdtempSync('/tmp/pbt-')
  const unclaim = claim(dir, id)
  const runDir = `/run/polebean/${id}`
  mkdirSync(runDir, { recursive: true })
  const ports = freePorts(id)
  const home = { id, dir, runDir, ports }
  const execIn = (namespace: string, argv: string[]) => ['nsenter', `--net=/run/netns/${namespace}`, ...argv]

  await runOk(['ip', 'netns', 'add', names.targets])
  await runOk(['ip', 'netns', 'attach', names.host, String(process.pid)])
  const ip = (namespace: string, line: string) => runOk(['ip', '-n', namespace, ...line.split(' ')])
  let addresses: string[] = []
  const makeBalancerNamespace = async () => {
    await runOk(['ip', 'netns', 'add', names.balancer])
    await ip(names.balancer, `link add t0 type veth peer name eth0 netns ${names.targets}`)
    for (const [namespace, link] of [
      [names.balancer, 't0'],
      [names.targets, 'eth0'],
    ] as const) {
      await ip(namespace, 'link set lo up')
      await ip(namespace, `link set ${link} up`)
    }
    await ip(names.balancer, 'addr add 10.213.0.1/16 dev t0')
    await ip(names.targets, 'addr add 10.213.0.2/16 dev eth0')
    await ip(names.targets, 'route add local 10.213.2.0/24 dev lo')
    await ip(names.balancer, 'route add 10.213.2.0/24 via 10.213.0.2')
  }
  await makeBalancerNamespace()

  let held = ''
  const network = {
    names,
    execIn: (namespace: string, argv: string[]) => {
      const inside = execIn(namespace, argv)
      if (held === '' || !argv.includes('-c')) return inside
      const script = 'touch "$0/begun"; until [ -e "$0/go" ]; do sleep 0.01; done; exec "$@"'
      return ['/bin/sh', '-c', script, held, ...inside]
    },
    ensureBalancerAddresses: async (wanted: string[]) => {
      const lines = [
        ...addresses.filter((one) => !wanted.includes(one)).map((one) => `addr del ${one}/32 dev lo\n`),
        ...wanted.map((one) => `addr replace ${one}/32 dev lo\n`),
      ]
      await runOk(['ip', '-n', names.balancer, '-batch', '-'], { stdin: lines.join('') })
      addresses = wanted
    },
  }

  const [file = '', ...args] = execIn(names.targets, [
    process.execPath,
    join(import.meta.dirname, 'test-targets.ts'),
  ])
  const targets = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface({ input: targets.stdout })[Symbol.asyncIterator]()
  const tell = async (order: unknown): Promise<string> => {
    targets.stdin.write(`${JSON.stringify(order)}\n`)
    return String((await answers.next()).value)
  }

  const supervisor = makeRunit({ clock, home }, ['haproxy'])
  const logged: string[] = []
  let publicAddresses: string[] = []
  return {
    home,
    names,
    supervisor,
    logged,
    /** An engine as a control plane that starts now makes it. */
    engine: () =>
      makeHaproxy({
        clock,
        log: makeLog(clock, (line) => void logged.push(line)),
        home,
        supervisor,
        network,
        publicAddresses: () => publicAddresses,
      }),
    /** Engines listen there from their next `apply` on. */
    setPublicAddresses: (...addresses: string[]) => void (publicAddresses = addresses),
    order: async (order: TargetOrder) => void (await tell(order)),
    requestsAt: async (address: string, port: number) => Number(await tell({ count: `${address}:${port}` })),
    execIn,
    /** From now on HAProxy's judgement of a configuration takes until `go` is called; `begun` when it is awaited. */
    holdChecks() {
      const folder = mkdtempSync(join(dir, 'held-'))
      held = folder
      const begun = async () => {
        while (!existsSync(join(folder, 'begun'))) await clock.sleep(10)
      }
      return {
        begun: begun(),
        go() {
          held = ''
          writeFileSync(join(folder, 'go'), '')
        },
      }
    },
    /** Another namespace takes the name; who lives in the former one is cut off. */
    async renewBalancerNamespace() {
      await ip(names.balancer, 'link del t0')
      await runOk(['ip', 'netns', 'del', names.balancer])
      await run(['ip', '-n', names.targets, 'route', 'del', 'local', '10.213.2.0/24'])
      addresses = []
      await makeBalancerNamespace()
    },
    async close() {
      await supervisor.shutdown()
      targets.kill('SIGKILL')
      for (const name of [names.host, names.balancer, names.targets]) await run(['ip', 'netns', 'del', name])
      rmSync(dir, { recursive: true, force: true })
      rmSync(runDir, { recursive: true, force: true })
      unclaim()
    },
  }
}

export type Answer = {
  status: number
  by: string | null
  body: string
  headers: Record<string, string | string[] | undefined>
  /** The name in the certificate that was shown. */
  certificate?: string
}

/** One request, on a connection of its own unless an agent is given; rejects when the connection is refused or cut. */
export function get(
  port: number,
  host: string,
  headers: Record<string, string> = {},
  path = '/',
  agent: Agent | false = false,
  from = '127.0.0.1',
  to = from === '::1' ? from : '127.0.0.1',
  method = 'GET',
  tls = false,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const name = host.replace(/:\d+$/, '').toLowerCase()
    const request = (tls ? httpsRequest : httpRequest)({
      // Who vouches for a certificate is not what these tests ask.
      ...(tls ? { rejectUnauthorized: false, servername: name } : {}),
      host: to,
      localAddress: from,
      port,
      path,
      method,
      headers: { host, ...headers },
      agent,
    })
    request.on('error', reject)
    request.on('response', (response) => {
      const shown = tls ? (response.socket as TLSSocket).getPeerCertificate().subject.CN : undefined
      let body = ''
      response.on('error', reject)
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          by: (response.headers['x-served-by'] as string | undefined) ?? null,
          body,
          headers: response.headers,
          ...(typeof shown === 'string' ? { certificate: shown } : {}),
        }),
      )
    })
    request.end()
  })
}

// Three ranges of a home's own, so that tests run side by side.
function freePorts(id: string) {
  const base = 20_000 + (Number.parseInt(id, 36) % 1_000) * 10 // below the ports of outgoing connections
  return {
    api: base,
    http: base + 1,
    environments: 10_000 + (Number.parseInt(id, 36) % 50) * 200,
    dns: base + 2,
  }
}
