// The instance metadata service as programs inside of instances see it, in a whole home: one instance that its user tells
// nothing (tokens are wanted), one that answers without, and those of an environment.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as ec2 from '@aws-sdk/client-ec2'
import { clientPrograms } from '../tools/test/clients.mjs'
import { openApi } from '../src/cli/client.ts'
import { readCredentials } from '../src/home.ts'
import { makeEngines } from '../src/real-engines.ts'
import { makeTestHome, runProgram } from './support/home.ts'
import { writeProbeApp } from './support/probe-app.ts'
import { daemonPid, kill, sandboxes, tellDaemon, until } from './support/world.ts'

const SERVICE = 'http://169.254.169.254'
const TTL = 'X-aws-ec2-metadata-token-ttl-seconds: 60'
const SCRIPT = '#!/bin/sh\necho "told ü"\n'
/** Of what is in nobody's way, on a machine that may be busy; HAProxy gives up after 5 s. */
const SOON_MS = 3_000

type Answer = { status: number; body: string; ms: number }

describe('the metadata of instances', { concurrency: 1, timeout: 600_000 }, () => {
  const home = makeTestHome()
  let client: ec2.EC2Client
  let strict = ''
  let lenient = ''

  /** By an engine of now: one knows the instances that there were when it first looked. */
  const exec = (id: string, argv: string[]) =>
    makeEngines(home.settings()).compute.exec(id, argv, { timeoutMs: 60_000, outputBytesMax: 65_536 })
  /** A question of an instance, as curl asks it. */
  const ask = async (id: string, path: string, ...more: string[]): Promise<Answer> => {
    const form = '\n%{http_code} %{time_total}'
    const { output } = await exec(id, ['curl', '-s', '-m', '20', '-w', form, ...more, SERVICE + path])
    const [, body = '', status = '0', seconds = '0'] =
      /^([^]*)\n(\d{3}) ([\d.]+)$/.exec(output.toString()) ?? []
    return { status: Number(status), body, ms: Number(seconds) * 1000 }
  }
  const put = (id: string, ...more: string[]) => ask(id, '/latest/api/token', '-X', 'PUT', ...more)
  const token = async (id: string) => `X-aws-ec2-metadata-token: ${(await put(id, '-H', TTL)).body}`
  const read = async (id: string, path: string) => {
    const { status, body } = await ask(id, `/latest/${path}`, '-H', await token(id))
    assert.equal(status, 200, `${path}: ${body}`)
    return body
  }
  const instances = async (Filters: ec2.Filter[]) => {
    const { Reservations = [] } = await client.send(new ec2.DescribeInstancesCommand({ Filters }))
    return Reservations.flatMap(({ Instances = [] }) => Instances)
  }
  const find = async (id: string) => (await instances([{ Name: 'instance-id', Values: [id] }]))[0]!
  const modify = (
    InstanceId: string,
    options: Omit<ec2.ModifyInstanceMetadataOptionsRequest, 'InstanceId'>,
  ) => client.send(new ec2.ModifyInstanceMetadataOptionsCommand({ InstanceId, ...options }))

  before(async () => {
    await home.polebean(['start'])
    const { region, ports } = home.settings()
    const endpoint = `http://127.0.0.1:${ports.api}`
    client = new ec2.EC2Client({ region, endpoint, credentials: readCredentials(home.dir), maxAttempts: 1 })
    const { Images = [] } = await client.send(new ec2.DescribeImagesCommand({}))
    await client.send(new ec2.CreateKeyPairCommand({ KeyName: 'mine', KeyType: 'ed25519' }))
    const launch = async (more: Partial<ec2.RunInstancesRequest>) => {
      const { ImageId } = Images[0]!
      const { Instances = [] } = await client.send(
        new ec2.RunInstancesCommand({ ImageId, MinCount: 1, MaxCount: 1, ...more }),
      )
      return Instances[0]!.InstanceId!
    }
    strict = await launch({
      KeyName: 'mine',
      UserData: Buffer.from(SCRIPT).toString('base64'),
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Team', Value: 'web ü' }] }],
    })
    lenient = await launch({ MetadataOptions: { HttpTokens: 'optional' } })
    for (const id of [strict, lenient])
      await until('it runs', async () => (await find(id)).State!.Name === 'running', 60_000)
    await until('the service answers', async () => (await ask(lenient, '/latest')).status === 200)
  })
  after(async () => {
    client?.destroy()
    assert.deepEqual(await home.remove(), [])
  })

  it('is what AWS’s API and the machine say of them', async () => {
    const seen = await find(strict)
    const [link] = seen.NetworkInterfaces!
    assert.equal(await read(strict, 'meta-data/instance-id'), strict)
    assert.equal(await read(strict, 'meta-data/local-ipv4'), seen.PrivateIpAddress)
    assert.equal(await read(strict, 'user-data'), SCRIPT)
    assert.equal(
      await read(strict, `meta-data/network/interfaces/macs/${link!.MacAddress}/security-group-ids`),
      link!.Groups!.map(({ GroupId }) => GroupId).join('\n'),
    )
    const { output } = await exec(strict, ['cat', '/sys/class/net/eth0/address'])
    assert.equal(output.toString().trim(), await read(strict, 'meta-data/mac'))
    assert.match(await read(strict, 'meta-data/public-keys/0/openssh-key'), /^ssh-ed25519 \S+ mine\n$/)
    const document = JSON.parse(await read(strict, 'dynamic/instance-identity/document')) as object
    assert.equal('instanceId' in document && document.instanceId, strict)
  })

  it('is read by tokens, which are of one instance each', async () => {
    assert.equal((await ask(strict, '/latest/meta-data/')).status, 401)
    assert.equal((await ask(strict, '/latest/meta-data/', '-H', await token(lenient))).status, 401)
    assert.equal((await ask(lenient, '/latest/meta-data/', '-H', await token(strict))).status, 401)
    assert.equal((await ask(lenient, '/latest/meta-data/instance-id')).body, lenient)
    assert.equal((await put(strict)).status, 400)
    assert.equal((await put(strict, '-H', TTL, '-H', 'X-Forwarded-For: 127.0.0.1')).status, 403)
    await modify(lenient, { HttpTokens: 'required' })
    assert.equal((await ask(lenient, '/latest/meta-data/')).status, 401)
    await modify(lenient, { HttpEndpoint: 'disabled' })
    assert.equal((await put(lenient, '-H', TTL)).status, 403)
    await modify(lenient, { HttpEndpoint: 'enabled', HttpTokens: 'optional' })
    assert.equal((await ask(lenient, '/latest/meta-data/iam/security-credentials/')).status, 404)
  })

  it('has tags when they are to be shown', async () => {
    const tag = '/latest/meta-data/tags/instance/Team'
    assert.equal((await ask(strict, tag, '-H', await token(strict))).status, 404)
    await modify(strict, { InstanceMetadataTags: 'enabled' })
    assert.equal(await read(strict, 'meta-data/tags/instance/Team'), 'web ü')
  })

  it('believes nothing that an instance says of itself', async () => {
    const { PrivateIpAddress: address } = await find(strict)
    const lies = ['X-Polebean-Source', 'x-polebean-source', 'X-Real-IP', 'Forwarded', 'Host'].flatMap(
      (name) => ['-H', `${name}: ${address}`],
    )
    const path = '/latest/meta-data/instance-id'
    for (const more of [
      lies,
      [...lies, '-H', 'Connection: x-polebean-source, close'],
      ['--http1.0', ...lies],
    ])
      assert.equal((await ask(lenient, path, ...more)).body, lenient)
    // Two in one: what stands in a body is no question.
    const smuggled = `GET ${path} HTTP/1.1\r\nX-Polebean-Source: ${address}\r\nHost: x\r\n\r\n`
    assert.equal((await ask(lenient, path, '-X', 'GET', '--data-binary', smuggled)).status, 413)
    const chunked = ['-X', 'GET', '-H', 'Transfer-Encoding: chunked', '--data-binary', smuggled]
    assert.equal((await ask(lenient, path, ...chunked)).status, 413)
    assert.equal((await ask(lenient, path, '-H', `X-Long: ${'x'.repeat(20_000)}`)).status, 400)
  })

  it('is what boto3 finds, from a program in the network of an instance', async () => {
    const { pid } = sandboxes(home.settings()).find((one) => one.id === strict)!
    const program = `
import botocore.session, botocore.utils
session = botocore.session.Session()
print(botocore.utils.IMDSRegionProvider(session).provide())
print(botocore.utils.InstanceMetadataFetcher(timeout=5, num_attempts=2).retrieve_iam_role_credentials())
`
    const python = join(clientPrograms() as string, 'python')
    const argv = ['nsenter', '-t', String(pid), '-n', python, '-c', program]
    const { stdout, stderr } = await runProgram(argv, { env: { AWS_CONFIG_FILE: '/dev/null' } })
    assert.equal(stdout, `${home.settings().region}\n{}\n`, stderr)
  })

  it('is a 503 at once while the server is dead, and comes back, and so does its HAProxy', async () => {
    const before = await token(strict)
    const settings = home.settings()
    const question = () => ask(strict, '/latest/meta-data/instance-id', '-H', before)
    tellDaemon(settings, 'server', 'd')
    const { ms } = await until('it is dead', async () => {
      const answer = await question()
      return answer.status === 503 && answer
    })
    assert.ok(ms < SOON_MS, `${ms} ms`)
    tellDaemon(settings, 'server', 'u')
    await until('the token of before is good', async () => (await question()).body === strict)
    kill(daemonPid(settings, 'metadata')!)
    await until('another HAProxy answers', async () => (await question()).body === strict)
  })

  it('is as Beanstalk’s DisableIMDSv1 says', async () => {
    await home.polebean(['up', writeProbeApp(join(home.dir, '../app'), 'v1'), '--name', 'shop'])
    const environment = () =>
      instances([
        { Name: 'tag:elasticbeanstalk:environment-name', Values: ['shop'] },
        { Name: 'instance-state-name', Values: ['running'] },
      ])
    const [first] = await environment()
    assert.equal(first!.MetadataOptions!.HttpTokens, 'required')
    assert.equal((await ask(first!.InstanceId!, '/latest/meta-data/')).status, 401)
    await openApi(home.dir).call('elasticbeanstalk', 'UpdateEnvironment', {
      EnvironmentName: 'shop',
      OptionSettings: [
        {
          Namespace: 'aws:autoscaling:launchconfiguration',
          OptionName: 'DisableIMDSv1',
          Value: 'false',
        },
      ],
    })
    const answersWithout = async () => {
      for (const { InstanceId, MetadataOptions } of await environment())
        if ((await ask(InstanceId!, '/latest/meta-data/instance-id')).body === InstanceId)
          return MetadataOptions!.HttpTokens
      return undefined
    }
    assert.equal(await until('another instance', answersWithout, 120_000), 'optional')
  })

  it('is not taken from one instance, nor anything from clients, by the flood of another', async (t) => {
    const { cname } = JSON.parse((await home.polebean(['status', 'shop', '--json'])).stdout) as {
      cname: string
    }
    await until('the environment answers', async () => (await home.get(cname)).status === 200, 60_000)
    const api = openApi(home.dir)
    const flood = exec(lenient, ['python3', '-c', FLOOD])
    let over = false
    void flood.finally(() => (over = true))
    await sleep(1_000)
    const took = { instance: [] as number[], public: [] as number[], api: [] as number[] }
    while (!over) {
      const answer = await ask(strict, '/latest/meta-data/instance-id', '-H', await token(strict))
      assert.equal(answer.body, strict)
      took.instance.push(answer.ms)
      for (const [which, work] of [
        ['public', () => home.get(cname)],
        ['api', () => api.call('elasticbeanstalk', 'DescribeEnvironments', {})],
      ] as const) {
        const startedAt = performance.now()
        const answered = await work()
        if ('status' in answered && which === 'public') assert.equal(answered.status, 200)
        took[which].push(performance.now() - startedAt)
      }
    }
    const said = (await flood).output.toString()
    t.diagnostic(said.trim())
    const counts = JSON.parse(said) as Record<string, number>
    assert.ok(counts['503']! > 0 && counts.refused! > 0, `it was held off: ${said}`)
    for (const [which, all] of Object.entries(took)) {
      all.sort((a, b) => a - b)
      t.diagnostic(
        `${which}: ${all.length}, median ${all[all.length >> 1]!.toFixed(1)} ms, ${all.at(-1)!.toFixed(1)} ms at most`,
      )
      assert.ok(all.at(-1)! < SOON_MS, which)
    }
  })
})

// Eight seconds of all that an instance can do to the service: questions without end, connections that are kept and say
// nothing or one letter a second, headers without end.
const FLOOD = `
import collections, json, socket, threading, time
end = time.monotonic() + 8
counts = collections.Counter()
def dial():
    s = socket.create_connection(('169.254.169.254', 80), 5)
    s.settimeout(5)
    return s
def ask():
    while time.monotonic() < end:
        try:
            with dial() as s:
                s.sendall(b'GET /latest/meta-data/ HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n')
                counts[s.recv(64)[9:12].decode() or 'refused'] += 1
        except OSError:
            counts['refused'] += 1
def hold():
    held = []
    while time.monotonic() < end:
        try:
            held.append(dial())
            if len(held) > 200: held.pop(0).close()
            for s in held: s.send(b'G')
        except OSError:
            counts['refused'] += 1
            held = held[-100:]
        time.sleep(0.005)
def shout():
    while time.monotonic() < end:
        try:
            with dial() as s:
                while True: s.sendall(b'X-Header: ' + b'x' * 4096 + b'\\r\\n')
        except OSError:
            counts['shouted'] += 1
threads = [threading.Thread(target=one) for one in [ask] * 6 + [hold] * 2 + [shout]]
for one in threads: one.start()
for one in threads: one.join()
print(json.dumps(counts))
`
