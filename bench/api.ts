// DescribeEnvironments a second with the signature verified, against moto's server (which verifies none), both with one
// environment and asked by wrk: 8 keep-alive connections, the request signed beforehand.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clientPrograms } from '../tools/test/clients.mjs'
import { signRequest } from '../src/gateway/sigv4.ts'
import { readCredentials } from '../src/home.ts'
import type { TestHome } from '../test/support/home.ts'
import { must } from './by-hand.ts'
import { inTurns, median, ratioOf, wrk, type Figure } from './measure.ts'

const ROUNDS = 5
const CONNECTIONS = 8
const BODY = 'Action=DescribeEnvironments&Version=2010-12-01&IncludeDeleted=false'
const MOTO_PORT = 9005

export async function api(home: TestHome): Promise<Figure[]> {
  const { ports } = home.settings()
  const folder = mkdtempSync(join(tmpdir(), 'pbbench-'))
  const moto = spawn(join(clientPrograms(), 'moto_server'), ['-p', String(MOTO_PORT)], { stdio: 'ignore' })
  try {
    await makeMotoEnvironment()
    const ask = (port: number) => () => {
      const script = join(folder, `${port}.lua`)
      writeFileSync(script, wrkScript(signed(home, port)))
      return wrk([], `http://127.0.0.1:${port}/`, { connections: CONNECTIONS, script })
    }
    const values = await inTurns(ROUNDS, { polebean: ask(ports.api), moto: ask(MOTO_PORT) })
    const ratio = ratioOf(values.polebean!, values.moto!)
    return [
      {
        what: 'DescribeEnvironments, signature verified',
        value: `${median(values.polebean!).toFixed(0)} requests/s`,
        against: `moto_server: ${median(values.moto!).toFixed(0)}`,
        ratio: ratio.toFixed(1),
        budget: '≥ 10',
        met: ratio >= 10 ? 'yes' : 'no',
      },
    ]
  } finally {
    moto.kill('SIGTERM')
    rmSync(folder, { recursive: true, force: true })
  }
}

function signed(home: TestHome, port: number): Record<string, string> {
  return signRequest({
    method: 'POST',
    path: '/',
    headers: { host: `127.0.0.1:${port}`, 'content-type': 'application/x-www-form-urlencoded' },
    payloadHash: createHash('sha256').update(BODY).digest('hex'),
    service: 'elasticbeanstalk',
    region: home.settings().region,
    credentials: readCredentials(home.dir),
    at: Date.now(),
  })
}

const wrkScript = (headers: Record<string, string>) =>
  [
    'wrk.method = "POST"',
    `wrk.body = ${JSON.stringify(BODY)}`,
    // wrk writes Host itself.
    ...Object.entries(headers)
      .filter(([name]) => name.toLowerCase() !== 'host')
      .map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`),
  ].join('\n')

/** One application with one environment, as ours has. boto3 waits for nobody, so it is tried until moto answers. */
async function makeMotoEnvironment(): Promise<void> {
  const script = `
import boto3, botocore.config
config = botocore.config.Config(retries={"max_attempts": 20, "mode": "standard"})
client = boto3.client("elasticbeanstalk", endpoint_url="http://127.0.0.1:${MOTO_PORT}", region_name="us-west-2",
    aws_access_key_id="moto", aws_secret_access_key="moto", config=config)
client.create_application(ApplicationName="bench-flask")
client.create_environment(ApplicationName="bench-flask", EnvironmentName="bench-flask",
    SolutionStackName="64bit Amazon Linux 2023 v4.6.0 running Python 3.11")
`
  await must([join(clientPrograms(), 'python'), '-c', script])
}
