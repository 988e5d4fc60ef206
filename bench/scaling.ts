// From a step of load to the answer of a new instance, with metrics of a second: an application of one thread that takes 30 ms a request, asked by one
// client and then by eight. The new instance is in service when it answers.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestHome } from '../test/support/home.ts'
import { startWrk } from '../test/support/load.ts'
import { median, type Figure } from './measure.ts'

const NAME = 'bench-scaling'
const ROUNDS = 5
const LIMIT_S = 60
/** Answers who it is. The pause is the work. */
const SERVER = `
let turn = Promise.resolve()
require('node:http').createServer((request, response) => {
  turn = turn.then(() => new Promise((done) => setTimeout(done, 30))).then(() => response.end(require('node:os').hostname()))
}).listen(process.env.PORT, '127.0.0.1')
`
const option = (namespace: string, name: string, value: string) =>
  `Namespace=${namespace},OptionName=${name},Value=${value}`

export async function scaling(home: TestHome): Promise<Figure[]> {
  const { region, domain, ports } = home.settings()
  const host = `${NAME}.${region}.${domain}`
  const folder = mkdtempSync(join(tmpdir(), 'pbbench-'))
  mkdirSync(join(folder, 'app'))
  writeFileSync(join(folder, 'app/server.js'), SERVER)
  writeFileSync(join(folder, 'app/package.json'), '{"name":"slow","scripts":{"start":"node server.js"}}')
  const status = async () => {
    const { Environments } = await home.aws([
      'elasticbeanstalk',
      'describe-environments',
      '--environment-names',
      NAME,
    ])
    return (Environments as [{ Status: string }])[0].Status
  }
  try {
    await home.polebean(['up', join(folder, 'app'), '--name', NAME])
    const tracking = 'polebean:autoscaling:targettracking'
    await home.aws([
      ...['elasticbeanstalk', 'update-environment', '--environment-name', NAME, '--option-settings'],
      option('aws:autoscaling:asg', 'MaxSize', '6'),
      option(tracking, 'Metric', 'RequestCountPerTarget'),
      option(tracking, 'TargetValue', '1200'),
      option(tracking, 'Seconds', '1'),
      option(tracking, 'ScaleInSeconds', '10'),
    ])
    while ((await status()) !== 'Ready') await sleep(500)
    const took: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const known = await onlyOne(ports.http, host)
      const startedAt = performance.now()
      const load = startWrk(ports.http, host, 8)
      while ((await ask(ports.http, host)) === known && performance.now() - startedAt < LIMIT_S * 1_000);
      took.push((performance.now() - startedAt) / 1_000)
      await load.stop()
    }
    await home.polebean(['terminate', NAME, '--force'])
    const seconds = median(took)
    return [
      {
        what: 'from a step of load (8 times) to the answer of a new instance',
        value: `${seconds.toFixed(1)} s (${took.map((one) => one.toFixed(1)).join(', ')})`,
        ...{ against: '', ratio: '', budget: '≤ 5 s', met: seconds <= 5 ? 'yes' : 'no' },
      },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Waits until one instance alone answers, and says who. */
async function onlyOne(port: number, host: string): Promise<string> {
  for (const end = performance.now() + LIMIT_S * 1_000; performance.now() < end; await sleep(1_000)) {
    const answers = new Set<string>()
    for (let n = 0; n < 12; n++) answers.add(await ask(port, host))
    if (answers.size === 1) return [...answers][0]!
  }
  throw new Error('more than one instance stayed')
}

const ask = (port: number, host: string) =>
  new Promise<string>((resolve, reject) => {
    const call = request(
      { host: '127.0.0.1', port, headers: { host }, agent: false, timeout: 5_000 },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () => resolve(text))
      },
    )
    call.on('timeout', () => call.destroy(new Error('no answer')))
    call.on('error', reject)
    call.end()
  })
