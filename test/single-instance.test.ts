// An environment of a single instance on real engines, as docs/guide.md has it: `eb create --single`, its elastic address, what
// its group lets in, a new instance and a load balancer under requests, a kill, and nothing left when it is terminated.
import assert from 'node:assert/strict'
import { appendFileSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeTestHome, root, runProgram } from './support/home.ts'
import { daemonPid, kill, until } from './support/world.ts'

const NAME = 'solo'
const HOST = `${NAME}.us-west-2.elasticbeanstalk.localhost`
const SLOW = `
import time


@application.get('/slow')
def slow():
    time.sleep(2)
    return 'slow'
`
const TYPE = ['aws:elasticbeanstalk:environment', 'EnvironmentType'] as const

describe('an environment of a single instance', { concurrency: 1 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  const folder = join(home.dir, '../shop')

  /** Of a new connection: one that is kept was let in before. 000 is refused. */
  const ask = async (address = '127.0.0.1', port = home.settings().ports.http, path = '/') => {
    const said = ['-s', '-m', '10', '-o', '/dev/null', '-w', '%{http_code}', '-H', `Host: ${HOST}`]
    return (await runProgram(['curl', ...said, `http://${address}:${port}${path}`])).stdout
  }
  const addresses = async () =>
    ((await home.aws(['ec2', 'describe-addresses'])).Addresses ?? []) as {
      PublicIp: string
      InstanceId?: string
    }[]
  const described = async () => {
    const { Environments } = await home.aws([
      ...['elasticbeanstalk', 'describe-environments', '--environment-names', NAME],
    ])
    return (Environments as { EndpointURL: string; Health: string; Resources: object }[])[0]!
  }
  const update = async ([namespace, option]: readonly [string, string], value: string) => {
    const setting = `Namespace=${namespace},OptionName=${option},Value=${value}`
    const environment = ['--environment-name', NAME]
    await home.aws([
      ...['elasticbeanstalk', 'update-environment', ...environment, '--option-settings', setting],
    ])
    await home.aws(['elasticbeanstalk', 'wait', 'environment-updated', '--environment-names', NAME])
  }
  /** Answers of one client after the other while something else happens. */
  const underRequests = async (deed: () => Promise<void>) => {
    const answers: string[] = []
    let over = false
    const asking = (async () => {
      while (!over) answers.push(await ask())
    })()
    // One that is under way at whatever moment.
    const slow = (async () => {
      while (!over) answers.push(await ask(undefined, undefined, '/slow'))
    })()
    await deed().finally(() => (over = true))
    await Promise.all([asking, slow])
    assert.ok(answers.length > 10, `${answers.length} requests`)
    assert.deepEqual([...new Set(answers)], ['200'])
  }
  const groupId = async () => {
    const { SecurityGroups } = await home.aws([
      ...['ec2', 'describe-security-groups', '--filters', 'Name=description,Values=VPC Security Group'],
    ])
    return (SecurityGroups as { GroupId: string }[])[0]!.GroupId
  }
  const everybody = async (verb: 'authorize' | 'revoke') =>
    home.aws([
      ...['ec2', `${verb}-security-group-ingress`, '--group-id', await groupId(), '--ip-permissions'],
      'IpProtocol=tcp,FromPort=80,ToPort=80,IpRanges=[{CidrIp=0.0.0.0/0}],Ipv6Ranges=[{CidrIpv6=::/0}]',
    ])

  before(async () => {
    cpSync(join(root, 'samples/flask-guestbook'), folder, { recursive: true })
    appendFileSync(join(folder, 'application.py'), SLOW)
    await home.polebean(['start'])
  })

  it('is made by eb, and answers at its name, its loopback port and its elastic address', async () => {
    for (const args of [
      ['init', 'shop', '-p', 'python-3.11', '--region', 'us-west-2'],
      ['create', NAME, '--single', '-c', NAME],
    ]) {
      const ran = await home.client(['eb', ...args], { cwd: folder })
      assert.equal(ran.status, 0, `eb ${args.join(' ')}\n${ran.stdout}\n${ran.stderr}`)
    }
    const [address, ...others] = await addresses()
    assert.deepEqual(others, [])
    const { EndpointURL, Health } = await described()
    assert.deepEqual([EndpointURL, Health], [address?.PublicIp, 'Green'])
    const { LoadBalancers } = await home.aws(['elbv2', 'describe-load-balancers'])
    assert.deepEqual(LoadBalancers, [])
    assert.equal(await ask(), '200')
    assert.equal(await ask(address?.PublicIp), '200')
    assert.equal(await ask('127.0.0.1', home.settings().ports.environments), '200')
    assert.match((await home.polebean(['why', NAME])).stdout, /ok {3}address .*\n[^]*It answers: HTTP 200/)
  })

  it('lets in whom the group of its instance lets in', async () => {
    const [address] = await addresses()
    await everybody('revoke')
    assert.deepEqual([await ask(), await ask(address?.PublicIp)], ['000', '000'])
    const said = await home.polebean(['firewall', '--from', 'outside', '--to', NAME, '--port', '80'], {
      status: 1,
    })
    assert.match(said.stdout, /^No: /)
    await everybody('authorize')
    assert.deepEqual([await ask(), await ask(address?.PublicIp)], ['200', '200'])
  })

  it('keeps its address when its instance is replaced, and no request fails', async () => {
    const [before] = await addresses()
    await underRequests(() => update(['aws:autoscaling:launchconfiguration', 'InstanceType'], 't3.small'))
    const [now] = await addresses()
    assert.equal(now?.PublicIp, before?.PublicIp)
    assert.notEqual(now?.InstanceId, before?.InstanceId)
  })

  it('keeps its address when its instance is terminated, and when the server is killed', async () => {
    const [before] = await addresses()
    await home.aws(['ec2', 'terminate-instances', '--instance-ids', before!.InstanceId!])
    kill(daemonPid(home.settings(), 'server') ?? 0)
    const another = async () => (await addresses())[0]?.InstanceId !== before?.InstanceId
    await until('another instance answers', async () => (await another()) && (await ask()) === '200', 60_000)
    const [now] = await addresses()
    assert.equal(now?.PublicIp, before?.PublicIp)
    assert.notEqual(now?.InstanceId, before?.InstanceId)
  })

  it('gets a load balancer, and is alone again, and no request fails', async () => {
    await underRequests(() => update(TYPE, 'LoadBalanced'))
    assert.deepEqual(await addresses(), [])
    await underRequests(() => update(TYPE, 'SingleInstance'))
    assert.equal((await addresses()).length, 1)
    const { LoadBalancers } = await home.aws(['elbv2', 'describe-load-balancers'])
    assert.deepEqual(LoadBalancers, [])
  })

  it('leaves no address', async () => {
    await home.polebean(['terminate', NAME, '--force'])
    assert.deepEqual(await addresses(), [])
  })
})
