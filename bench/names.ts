// Names: questions a second beside a PowerDNS by hand with the same zone, from a change to its answer, and ten thousand zones.
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as route53 from '@aws-sdk/client-route-53'
import { askServer } from '../src/engines/dns/ask.ts'
import { readCredentials } from '../src/home.ts'
import { systemClock as clock } from '../src/kernel/clock.ts'
import type { TestHome } from '../test/support/home.ts'
import { must } from './by-hand.ts'
import { inTurns, median, ratioOf, type Figure } from './measure.ts'

const ROUNDS = 5
const SECONDS = 4
const HOST = '127.0.0.1'
const PEER = { port: 9_053 }
const ZONE = 'bench.example'
const SMALL_ZONE = 'small.example'
const RECORDS = 1_000
const CHANGES = 200
const ZONES = 10_000
const RECORDS_EACH = 10
const AT_ONCE = 8

export async function names(home: TestHome): Promise<Figure[]> {
  const { region, ports } = home.settings()
  const client = new route53.Route53Client({
    ...{
      region,
      endpoint: `http://${HOST}:${ports.api}`,
      credentials: readCredentials(home.dir),
      maxAttempts: 3,
    },
  })
  const folder = mkdtempSync(join(tmpdir(), 'pbbench-'))
  const makeZone = async (Name: string) =>
    (await client.send(new route53.CreateHostedZoneCommand({ Name, CallerReference: Name }))).HostedZone!.Id!
  const change = (HostedZoneId: string, sets: [name: string, value: string][]) =>
    client.send(
      new route53.ChangeResourceRecordSetsCommand({
        HostedZoneId,
        ChangeBatch: {
          Changes: sets.map(([Name, Value]) => ({
            Action: 'UPSERT',
            ResourceRecordSet: { Name, Type: 'A', TTL: 60, ResourceRecords: [{ Value }] },
          })),
        },
      }),
    )
  const answers = async (name: string) =>
    (await askServer(clock, { address: HOST, port: ports.dns }, name, 'A')).answers[0]?.split(' ')[2]
  const until = async (name: string, value: string) => {
    while ((await answers(name).catch(() => '')) !== value);
  }
  try {
    const id = await makeZone(ZONE)
    const all = Array.from(
      { length: RECORDS },
      (_unused, n) => [`h${n}.${ZONE}`, `10.1.${n >> 8}.${n & 255}`] as [string, string],
    )
    for (let from = 0; from < RECORDS; from += 500) await change(id, all.slice(from, from + 500))
    await until(...all.at(-1)!)
    const figures = await speed(folder, all, ports.dns)

    const small = await makeZone(SMALL_ZONE)
    for (const [zoneId, zone, records] of [
      [small, SMALL_ZONE, 1],
      [id, ZONE, RECORDS],
    ] as const) {
      const took: number[] = []
      for (let n = 0; n < CHANGES; n++) {
        const value = `10.2.${n >> 8}.${n & 255}`
        await change(zoneId, [[`changing.${zone}`, value]])
        const startedAt = clock.monotonic()
        await until(`changing.${zone}`, value)
        took.push(clock.monotonic() - startedAt)
      }
      took.sort((a, b) => a - b)
      const p99 = took[Math.floor(took.length * 0.99)]!
      figures.push({
        what: `from the answer to a change until it is visible, zone of ${records} records`,
        value: `p50 ${median(took).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
        ...{ against: '', ratio: '', budget: '≤ 50 ms', met: p99 <= 50 ? 'yes' : 'no' },
      })
    }
    figures.push(...(await manyZones(home, { makeZone, change, until })))
    return figures
  } finally {
    client.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A PowerDNS as its package and a page of documentation make it: defaults, the same database, the same records. */
async function speed(folder: string, all: [string, string][], port: number): Promise<Figure[]> {
  const questions = join(folder, 'questions')
  writeFileSync(questions, all.map(([name]) => `${name} A\n`).join(''))
  const zone = [
    `$ORIGIN ${ZONE}.`,
    '@ 900 IN SOA ns1 hostmaster 1 7200 900 1209600 60',
    '@ 900 IN NS ns1',
    ...all.map(([name, value]) => `${name}. 60 IN A ${value}`),
  ]
  writeFileSync(join(folder, 'zone'), `${zone.join('\n')}\n`)
  const database = join(folder, 'peer.sqlite3')
  writeFileSync(
    join(folder, 'pdns.conf'),
    `launch=gsqlite3\ngsqlite3-database=${database}\nlocal-address=${HOST}:${PEER.port}\nsocket-dir=${folder}\nmodule-dir=/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/pdns\n`,
  )
  const schema = readFileSync('/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql', 'utf8')
  await must([
    'python3',
    '-c',
    `import sqlite3,sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])`,
    database,
    schema,
  ])
  await must(['pdnsutil', `--config-dir=${folder}`, 'load-zone', ZONE, join(folder, 'zone')])
  const peer = spawn('pdns_server', [`--config-dir=${folder}`, '--daemon=no', '--guardian=no'], {
    stdio: 'ignore',
  })
  try {
    await sleep(1_500)
    const ask = (at: number) => async () => {
      const { stdout: said } = await must([
        'dnsperf',
        '-s',
        HOST,
        '-p',
        String(at),
        '-d',
        questions,
        '-l',
        String(SECONDS),
        '-c',
        '8',
        '-q',
        '200',
      ])
      if (!/NOERROR \d+ \(100\.00%\)/.test(said)) throw new Error(said)
      return Number(/Queries per second:\s+([\d.]+)/.exec(said)![1])
    }
    const values = await inTurns(ROUNDS, { polebean: ask(port), peer: ask(PEER.port) })
    const ratio = ratioOf(values.polebean!, values.peer!)
    return [
      {
        what: 'questions of a zone of 1000 records (dnsperf)',
        value: `${median(values.polebean!).toFixed(0)} a second`,
        against: `PowerDNS by hand: ${median(values.peer!).toFixed(0)}`,
        ...{ ratio: ratio.toFixed(2), budget: '≥ 0.95', met: ratio >= 0.95 ? 'yes' : 'no' },
      },
    ]
  } finally {
    peer.kill()
  }
}

type Calls = {
  makeZone(name: string): Promise<string>
  change(id: string, sets: [string, string][]): Promise<unknown>
  until(name: string, value: string): Promise<void>
}

async function manyZones(home: TestHome, { makeZone, change, until }: Calls): Promise<Figure[]> {
  const before = memoryOf(home)
  const startedAt = clock.monotonic()
  let next = 0
  const work = async () => {
    for (let n = next++; n < ZONES; n = next++) {
      const name = `z${n}.many.example`
      const id = await makeZone(name)
      await change(
        id,
        Array.from({ length: RECORDS_EACH }, (_unused, index) => [`h${index}.${name}`, `10.3.${index}.1`]),
      )
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  for (const n of [0, ZONES >> 1, ZONES - 1]) await until(`h9.z${n}.many.example`, '10.3.9.1')
  const madeMs = clock.monotonic() - startedAt
  const after = memoryOf(home)
  process.kill(after.pid, 'SIGKILL')
  const killedAt = clock.monotonic()
  await until(`h9.z${ZONES - 1}.many.example`, '10.3.9.1')
  const backMs = clock.monotonic() - killedAt
  const restartedAt = clock.monotonic()
  await home.polebean(['restart'])
  const restartMs = clock.monotonic() - restartedAt
  const figure = (what: string, value: string, against = ''): Figure => ({
    ...{ what: `${what}, ${ZONES} zones, ${ZONES * RECORDS_EACH} records`, value, against },
    ...{ ratio: '', budget: '', met: '' },
  })
  return [
    figure('made by the API and answered', `${(madeMs / 1000).toFixed(0)} s`),
    figure('name server (PSS)', `${after.mb.toFixed(0)} MB`, `few zones: ${before.mb.toFixed(0)}`),
    figure('the name server, killed, answers again', `${(backMs / 1000).toFixed(1)} s`),
    figure('the control plane is restarted', `${(restartMs / 1000).toFixed(1)} s`),
  ]
}

function memoryOf(home: TestHome): { pid: number; mb: number } {
  const { id, ports } = home.settings()
  const isOurs = (one: string) => {
    const line = readFileSync(`/proc/${one}/cmdline`, 'utf8')
    return line.startsWith('pdns_server') && line.includes(`/${id}/`)
  }
  const pid = Number(readdirSync('/proc').find((one) => /^\d+$/.test(one) && isOurs(one)))
  if (Number.isNaN(pid)) throw new Error(`no name server at ${ports.dns}`)
  const kb = Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1])
  return { pid, mb: kb / 1024 }
}
