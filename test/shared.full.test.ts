// Environments that share a load balancer, with a process of its own for some paths, and one with a classic load balancer, on real
// engines: as docs/guide.md has it, by the AWS CLI and `eb`.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeTestHome } from './support/home.ts'

const FIRST = 'shop-one'
const SECOND = 'shop-two'
const host = (prefix: string) => `${prefix}.us-west-2.elasticbeanstalk.localhost`

/** Each process says who it is, and listens where its first word says. */
const SERVER = `
const [, , address, port, who] = process.argv
require('node:http').createServer((request, response) => response.end(who + ' ' + request.url)).listen(port, address)
`
const PROCFILE = [
  'web: node server.js 127.0.0.1 8080 web',
  'admin: node server.js 0.0.0.0 4443 admin',
  'other: node server.js 0.0.0.0 4444 other',
].join('\n')

describe('a shared load balancer', { concurrency: 1 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  const folder = join(home.dir, '../shop')
  let arn = ''
  const body = async (name: string, path: string) => (await home.get(name, path)).body
  const eb = async (...args: string[]) => {
    const ran = await home.client(['eb', ...args], { cwd: folder })
    assert.equal(ran.status, 0, `eb ${args.join(' ')}\n${ran.stdout}\n${ran.stderr}`)
    return ran.stdout
  }
  const environment = async (name: string) => {
    const { Environments } = await home.aws([
      ...['elasticbeanstalk', 'describe-environments', '--environment-names', name],
    ])
    return (Environments as { Status: string; Health: string; VersionLabel: string }[]).find(
      ({ Status }) => Status !== 'Terminated',
    )
  }
  /** By its loopback port, as a client of this machine. */
  const loopback = async (name: string, path: string) => {
    const { stdout } = await home.polebean(['list', '--json'])
    const all = JSON.parse(stdout) as { name: string; localUrl: string }[]
    const { localUrl } = all.find((one) => one.name === name)!
    const answer = await fetch(new URL(path, localUrl))
    return answer.text()
  }
  const option = (Namespace: string, OptionName: string, Value: string) => ({ Namespace, OptionName, Value })

  before(async () => {
    mkdirSync(folder)
    writeFileSync(join(folder, 'server.js'), SERVER)
    writeFileSync(join(folder, 'Procfile'), `${PROCFILE}\n`)
    writeFileSync(join(folder, 'package.json'), '{"name":"shop","scripts":{"start":"node server.js"}}')
    await home.polebean(['start'])
    const { Subnets } = await home.aws(['ec2', 'describe-subnets'])
    const ids = (Subnets as { SubnetId: string }[]).map(({ SubnetId }) => SubnetId)
    const made = await home.aws([
      ...['elbv2', 'create-load-balancer', '--name', 'front', '--subnets', ...ids],
    ])
    arn = (made.LoadBalancers as [{ LoadBalancerArn: string }])[0].LoadBalancerArn
    await home.aws([
      ...['elbv2', 'create-listener', '--load-balancer-arn', arn, '--protocol', 'HTTP', '--port', '80'],
      '--default-actions',
      'Type=fixed-response,FixedResponseConfig={StatusCode=404,ContentType=text/plain,MessageBody=nobody}',
    ])
  })

  it('is taken by eb create --shared-lb, and by the API with rules of its own', async () => {
    await eb('init', 'shop', '-p', 'node.js', '-r', 'us-west-2')
    await eb('create', FIRST, '--cname', FIRST, '--elb-type', 'application', '--shared-lb', 'front')
    const { VersionLabel } = (await environment(FIRST))!
    const options = [
      option('aws:elasticbeanstalk:environment', 'LoadBalancerIsShared', 'true'),
      option('aws:elbv2:loadbalancer', 'SharedLoadBalancer', arn),
      option('aws:elbv2:listener:80', 'Rules', 'default,admin'),
      option('aws:elasticbeanstalk:environment:process:admin', 'Port', '4443'),
      option('aws:elbv2:listenerrule:admin', 'PathPatterns', '/admin/*'),
      option('aws:elbv2:listenerrule:admin', 'HostHeaders', 'two.example.com'),
      option('aws:elbv2:listenerrule:admin', 'Process', 'admin'),
    ]
    const file = join(home.dir, '../options.json')
    writeFileSync(file, JSON.stringify(options))
    const { stdout } = await home.client(['aws', 'elasticbeanstalk', 'list-available-solution-stacks'])
    const stack = (JSON.parse(stdout) as { SolutionStacks: string[] }).SolutionStacks.find((one) =>
      one.includes('Node.js'),
    )!
    await home.aws([
      ...[
        'elasticbeanstalk',
        'create-environment',
        '--application-name',
        'shop',
        '--environment-name',
        SECOND,
      ],
      ...['--cname-prefix', SECOND, '--version-label', VersionLabel, '--solution-stack-name', stack],
      ...['--option-settings', `file://${file}`],
    ])
    // AWS's name for: it is Ready.
    await home.aws(['elasticbeanstalk', 'wait', 'environment-updated', '--environment-names', SECOND])
    for (const name of [FIRST, SECOND]) assert.equal((await environment(name))?.Health, 'Green', name)
  })

  it('leads to each by its name, path and loopback port', async () => {
    assert.equal(await body(host(FIRST), '/admin/x'), 'web /admin/x')
    assert.equal(await body(host(SECOND), '/x'), 'web /x')
    assert.equal(await body(host(SECOND), '/admin/x'), 'admin /admin/x')
    assert.equal(await body('two.example.com', '/admin/x'), 'admin /admin/x')
    assert.equal(await body('two.example.com', '/'), 'nobody')
    assert.equal(await loopback(FIRST, '/admin/x'), 'web /admin/x')
    assert.equal(await loopback(SECOND, '/admin/x'), 'admin /admin/x')
    const { stdout } = await home.polebean(['why', SECOND])
    assert.match(stdout, /port 4443: healthy/)
    assert.match(stdout, /port 80: healthy/)
  })

  it('changes a process without a failure', async () => {
    let failed = 0
    let asked = 0
    let over = false
    const visitor = (async () => {
      while (!over) {
        asked++
        for (const name of [FIRST, SECOND]) {
          const { status } = await home.get(host(name), '/admin/x').catch(() => ({ status: 0 }))
          if (status !== 200) failed++
        }
      }
    })()
    await home.aws([
      ...['elasticbeanstalk', 'update-environment', '--environment-name', SECOND, '--option-settings'],
      'Namespace=aws:elasticbeanstalk:environment:process:admin,OptionName=Port,Value=4444',
    ])
    await home.aws(['elasticbeanstalk', 'wait', 'environment-updated', '--environment-names', SECOND])
    over = true
    await visitor
    assert.equal(await body(host(SECOND), '/admin/x'), 'other /admin/x')
    assert.deepEqual([failed, asked > 100], [0, true], `${failed} of ${asked}`)
    const { TargetGroups } = await home.aws(['elbv2', 'describe-target-groups'])
    assert.deepEqual((TargetGroups as { Port: number }[]).map(({ Port }) => Port).sort(), [4444, 80, 80])
  })

  it('stays when both are gone', async () => {
    await eb('terminate', FIRST, '--force')
    assert.equal(await body(host(SECOND), '/x'), 'web /x')
    await eb('terminate', SECOND, '--force')
    const { Rules } = await home.aws([
      ...['elbv2', 'describe-rules', '--listener-arn'],
      (
        (await home.aws(['elbv2', 'describe-listeners', '--load-balancer-arn', arn])).Listeners as [
          { ListenerArn: string },
        ]
      )[0].ListenerArn,
    ])
    assert.equal((Rules as unknown[]).length, 1)
    assert.deepEqual((await home.aws(['elbv2', 'describe-target-groups'])).TargetGroups, [])
  })

  it('is a classic one when eb asks for that, and the classic API knows it', async () => {
    const name = 'shop-classic'
    await eb('create', name, '--cname', name, '--elb-type', 'classic')
    assert.equal(await body(host(name), '/x'), 'web /x')
    assert.match(await eb('status', name, '-v'), /i-[0-9a-f]{17}: InService/)
    const { LoadBalancerDescriptions } = await home.aws(['elb', 'describe-load-balancers'])
    const [described] = LoadBalancerDescriptions as [{ HealthCheck: { Target: string } }]
    assert.equal(described.HealthCheck.Target, 'TCP:80')
    const { stdout } = await home.polebean(['why', name])
    assert.match(stdout, /It answers: HTTP 200/)
    await eb('terminate', name, '--force')
    assert.deepEqual((await home.aws(['elb', 'describe-load-balancers'])).LoadBalancerDescriptions, [])
  })
})
