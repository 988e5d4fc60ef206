// From CreateEnvironment to the first 200 through its URL, with dependencies cached, against starting the same gunicorn
// by hand.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root, runProgram, type TestHome } from '../test/support/home.ts'
import { median, type Figure } from './measure.ts'

const ROUNDS = 5

export async function launch(home: TestHome): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pbbench-'))
  try {
    const byHand = await preparedByHand(folder)
    const hand: number[] = []
    const ours: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      hand.push(await startedByHand(byHand, folder))
      ours.push(await firstAnswer(home, round))
      await home.polebean(['terminate', `bench-${round}`, '--force'])
    }
    const over = median(ours.map((value, round) => value - hand[round]!))
    const all = {
      what: 'create-environment to first 200, cached',
      value: `${median(ours).toFixed(0)} ms`,
      against: `the same gunicorn by hand: ${median(hand).toFixed(0)} ms`,
      ratio: `+${over.toFixed(0)} ms`,
      budget: '≤ +1500 ms',
      met: over <= 1_500 ? 'yes' : 'no',
    }
    return [all]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function preparedByHand(folder: string): Promise<string> {
  cpSync(join(root, 'samples/flask-guestbook'), join(folder, 'app'), { recursive: true })
  for (const argv of [
    ['/usr/bin/python3', '-m', 'venv', join(folder, 'venv')],
    [
      join(folder, 'venv/bin/pip'),
      'install',
      '-q',
      '--disable-pip-version-check',
      'gunicorn',
      '-r',
      join(folder, 'app/requirements.txt'),
    ],
  ]) {
    const { status, stderr } = await runProgram(argv)
    if (status !== 0) throw new Error(stderr)
  }
  return join(folder, 'venv/bin/gunicorn')
}

/** Milliseconds from the start of gunicorn to its first 200. */
async function startedByHand(gunicorn: string, folder: string): Promise<number> {
  const startedAt = performance.now()
  const child = spawn(gunicorn, ['--bind', '127.0.0.1:9003', '--workers=1', '--threads=15', 'app:app'], {
    cwd: join(folder, 'app'),
    stdio: 'ignore',
  })
  await answers({ port: 9003, host: 'localhost' })
  const took = performance.now() - startedAt
  child.kill('SIGTERM')
  await new Promise((resolve) => child.on('close', resolve))
  return took
}

async function firstAnswer(home: TestHome, round: number): Promise<number> {
  const described = await home.aws([
    'elasticbeanstalk',
    'describe-environments',
    '--environment-names',
    'bench-flask',
  ])
  const like = (
    described.Environments as { ApplicationName: string; VersionLabel: string; SolutionStackName: string }[]
  )[0]!
  const host = `bench-${round}.${home.settings().region}.${home.settings().domain}`
  const watching = answers({ port: home.settings().ports.http, host })
  const created = home.aws([
    'elasticbeanstalk',
    'create-environment',
    '--application-name',
    like.ApplicationName,
    '--environment-name',
    `bench-${round}`,
    '--cname-prefix',
    `bench-${round}`,
    '--version-label',
    like.VersionLabel,
    '--solution-stack-name',
    like.SolutionStackName,
    '--option-settings',
    'Namespace=aws:elasticbeanstalk:container:python,OptionName=WSGIPath,Value=app:app',
  ])
  const { DateCreated } = (await created) as { DateCreated: string }
  const answeredAt = await watching
  await home.client([
    'aws',
    'elasticbeanstalk',
    'wait',
    'environment-exists',
    '--environment-names',
    `bench-${round}`,
  ])
  return answeredAt - Date.parse(DateCreated)
}

/** Epoch milliseconds of the first 200; asks every 10 ms. */
async function answers({ port, host }: { port: number; host: string }): Promise<number> {
  for (;;) {
    const status = await new Promise<number>((resolve) => {
      const call = request(
        { host: '127.0.0.1', port, path: '/', headers: { host }, agent: false },
        (response) => {
          response.resume()
          resolve(response.statusCode ?? 0)
        },
      )
      call.on('error', () => resolve(0))
      call.end()
    })
    if (status === 200) return Date.now()
    await sleep(10)
  }
}
