// The ways that clients come, on the host, by name: HTTP/1.1 kept and new, HTTPS kept and new, HTTP/2; and what a request takes longer
// than at the instance itself. Beside them HAProxy and nginx by hand, in the balancer's namespace, with the same certificate,
// dialling the same instances from the same address. HAProxy by hand listens on the host, as ours does; nginx cannot, and has its
// clients inside, where no firewall of the host sees their packets. Clients and contestants share this machine.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeCertificate } from '../src/kernel/test-certificate.ts'
import { runProgram, type TestHome } from '../test/support/home.ts'
import { inTurns, median, ratioOf, wrk, type Figure } from './measure.ts'
import { addressesOf, handWrittenHaproxy, handWrittenNginx, startPeers } from './peers.ts'

const ROUNDS = 5
const CONNECTIONS = 32
const PATH = '/static/style.css'
const PEER_PORTS = { haproxy: [9_011, 9_012], nginx: [9_013, 9_014] } as const

type Contestant = { http: number; https: number; where: string[]; host: string }

export async function protocols(home: TestHome): Promise<Figure[]> {
  const { id, region, domain, ports } = home.settings()
  const host = `bench-flask.${region}.${domain}`
  const folder = mkdtempSync(join(tmpdir(), 'pbbench-'))
  const { certificate, key } = makeCertificate([host])
  for (const [name, text] of Object.entries({
    'a.crt': certificate,
    'a.key': key,
    'a.pem': certificate + key,
  }))
    writeFileSync(join(folder, name), text, { mode: 0o600 })
  await listenSecurely(home, folder)
  const addresses = await addressesOf(home, 'bench-flask')
  writeFileSync(
    join(folder, 'haproxy.cfg'),
    handWrittenHaproxy(addresses, [
      `127.0.0.1:${PEER_PORTS.haproxy[0]} namespace pb-${id}-host`,
      `127.0.0.1:${PEER_PORTS.haproxy[1]} namespace pb-${id}-host ssl crt ${folder}/a.pem alpn h2,http/1.1`,
    ]),
  )
  writeFileSync(
    join(folder, 'nginx.conf'),
    handWrittenNginx(
      addresses,
      folder,
      [`127.0.0.1:${PEER_PORTS.nginx[0]}`, `127.0.0.1:${PEER_PORTS.nginx[1]} ssl http2`],
      [
        `ssl_certificate ${folder}/a.crt`,
        `ssl_certificate_key ${folder}/a.key`,
        'keepalive_requests 1000000',
      ],
    ),
  )
  const peers = startPeers(id, folder)
  const https = ports.http === 80 ? 443 : ports.http + 363
  const peer = (name: keyof typeof PEER_PORTS): Contestant => ({
    ...{ http: PEER_PORTS[name][0], https: PEER_PORTS[name][1], host },
    where: name === 'haproxy' ? [] : peers.inside,
  })
  const contestants = {
    polebean: { http: ports.http, https, where: [], host },
    haproxy: peer('haproxy'),
    nginx: peer('nginx'),
  }
  try {
    await sleep(1_000)
    const figures: Figure[] = []
    for (const [what, measure] of Object.entries(WORKLOADS)) {
      const values = await inTurns(
        ROUNDS,
        Object.fromEntries(Object.entries(contestants).map(([name, one]) => [name, () => measure(one)])),
      )
      for (const name of ['haproxy', 'nginx'] as const) {
        const unit = what.startsWith('p99') ? 'ms' : 'requests/s'
        const shown = (list: number[]) => median(list).toFixed(unit === 'ms' ? 2 : 0)
        figures.push({
          what,
          value: `${shown(values.polebean!)} ${unit}`,
          against: `${name} by hand: ${shown(values[name]!)}`,
          ratio: ratioOf(values.polebean!, values[name]!).toFixed(2),
          ...{ budget: '', met: '' },
        })
      }
    }
    return figures
  } finally {
    peers.stop()
    await sleep(300)
    rmSync(folder, { recursive: true, force: true })
  }
}

const url = (scheme: 'http' | 'https', one: Contestant) => `${scheme}://127.0.0.1:${one[scheme]}${PATH}`
const options = ({ host }: Contestant) => ({ host, connections: CONNECTIONS })

const WORKLOADS: Record<string, (one: Contestant) => Promise<number>> = {
  'HTTP/1.1, kept connections': (one) => wrk(one.where, url('http', one), options(one)),
  'HTTP/1.1, a connection each': (one) =>
    wrk(one.where, url('http', one), { ...options(one), headers: ['Connection: close'] }),
  'HTTPS, kept connections': (one) => wrk(one.where, url('https', one), options(one)),
  'HTTPS, a connection each': (one) =>
    wrk(one.where, url('https', one), { ...options(one), headers: ['Connection: close'] }),
  'HTTP/2': (one) => h2load(one),
  'p99 of a request, 4 kept connections': (one) =>
    wrk(one.where, url('http', one), { host: one.host, connections: 4, percentile: 99 }),
}

/** Requests a second; 8 streams on each of 8 connections. */
async function h2load(one: Contestant): Promise<number> {
  const load = ['-t1', '-c8', '-m8', '-D4', '--warm-up-time=0']
  // By its name, which the certificate and the Host are chosen by.
  const argv = [
    ...one.where,
    'h2load',
    ...load,
    `--connect-to=127.0.0.1:${one.https}`,
    `https://${one.host}${PATH}`,
  ]
  const { status, stdout, stderr } = await runProgram(argv)
  const perSecond = /finished in .*, ([\d.]+) req\/s/.exec(stdout)?.[1]
  const failed = /(\d+) failed, (\d+) errored/.exec(stdout)
  if (status !== 0 || !perSecond || !failed || Number(failed[1]) + Number(failed[2]) > 0)
    throw new Error(`${argv.join(' ')}: ${stderr}${stdout}`)
  return Number(perSecond)
}

async function listenSecurely(home: TestHome, folder: string): Promise<void> {
  const given = ['--certificate', `fileb://${folder}/a.crt`, '--private-key', `fileb://${folder}/a.key`]
  const { CertificateArn } = await home.aws(['acm', 'import-certificate', ...given])
  const option = (name: string, value: string) =>
    `Namespace=aws:elbv2:listener:443,OptionName=${name},Value=${value}`
  const settings = [option('Protocol', 'HTTPS'), option('SSLCertificateArns', String(CertificateArn))]
  const environment = ['--environment-name', 'bench-flask']
  await home.aws(['elasticbeanstalk', 'update-environment', ...environment, '--option-settings', ...settings])
  await home.aws(['elasticbeanstalk', 'wait', 'environment-updated', '--environment-names', 'bench-flask'])
}
