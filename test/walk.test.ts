// The walk of the README: a real Flask application, through the AWS API, to a URL behind a load balancer.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { makeTestHome, root, runProgram } from './support/home.ts'

describe('the walk', { concurrency: 1 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  const folder = join(home.dir, '../shop')
  let cname = ''

  it('polebean up deploys the sample and prints only its URL on stdout', async () => {
    const { stdout } = await home.polebean(['up'])
    assert.match(stdout, /^http:\/\/flask-guestbook\.us-west-2\.elasticbeanstalk\.localhost(:\d+)?\/\n$/)
    const answer = await home.get(new URL(stdout.trim()).hostname)
    assert.equal(answer.status, 200)
    assert.match(answer.body, /guestbook/i)
  })

  it('a second up of an unchanged folder has nothing to do', async () => {
    const { stderr, stdout } = await home.polebean(['up'])
    assert.match(stderr, /Nothing changed/)
    assert.match(stdout, /^http:/)
  })

  it('aws deploys a bundle to two instances that share the requests', async () => {
    mkdirSync(folder, { recursive: true })
    cpSync(join(root, 'samples/flask-guestbook'), folder, { recursive: true })
    assert.equal((await runProgram(['zip', '-qr', '../app.zip', '.'], { cwd: folder })).status, 0)
    const { S3Bucket: bucket } = await home.aws(['elasticbeanstalk', 'create-storage-location'])
    const copied = await home.client([
      'aws',
      's3',
      'cp',
      join(folder, '../app.zip'),
      `s3://${String(bucket)}/app.zip`,
    ])
    assert.equal(copied.status, 0, copied.stderr)
    await home.aws(['elasticbeanstalk', 'create-application', '--application-name', 'shop'])
    const version = ['--application-name', 'shop', '--version-label', 'v1']
    await home.aws([
      'elasticbeanstalk',
      'create-application-version',
      ...version,
      '--source-bundle',
      `S3Bucket=${String(bucket)},S3Key=app.zip`,
    ])
    const { SolutionStacks: stacks } = await home.aws(['elasticbeanstalk', 'list-available-solution-stacks'])
    const stack = (stacks as string[]).find((name) => name.includes('Python'))
    assert.ok(stack)
    const created = await home.aws([
      'elasticbeanstalk',
      'create-environment',
      ...version,
      '--environment-name',
      'shop-prod',
      '--cname-prefix',
      'shop',
      '--solution-stack-name',
      stack,
      '--option-settings',
      'Namespace=aws:autoscaling:asg,OptionName=MinSize,Value=2',
      'Namespace=aws:elasticbeanstalk:application:environment,OptionName=GREETING,Value=hello-from-the-test',
    ])
    assert.equal(created.Status, 'Launching')
    const waited = await home.client([
      'aws',
      'elasticbeanstalk',
      'wait',
      'environment-exists',
      '--environment-names',
      'shop-prod',
    ])
    assert.equal(waited.status, 0, waited.stderr)
    const described = await home.aws([
      'elasticbeanstalk',
      'describe-environments',
      '--environment-names',
      'shop-prod',
    ])
    const environment = (described.Environments as unknown[])[0] as {
      Status: string
      Health: string
      CNAME: string
    }
    assert.equal(environment.Status, 'Ready')
    cname = environment.CNAME
    const seen = new Set<string>()
    for (let request = 0; request < 20; request++) {
      const { status, body } = await home.get(cname)
      assert.equal(status, 200)
      assert.match(body, /hello-from-the-test/)
      seen.add(/answered by <code>(.*?)</.exec(body)?.[1] ?? '')
    }
    assert.equal(seen.size, 2, [...seen].join(' '))
  })

  it("the environment's own loopback port answers for any Host, by IPv4 and IPv6", async () => {
    const { localUrl } = JSON.parse((await home.polebean(['status', 'shop-prod', '--json'])).stdout)
    const { port } = new URL(localUrl)
    for (const address of ['127.0.0.1', '[::1]'])
      for (const host of ['anything.example', cname, `localhost:${port}`]) {
        const url = `http://${address}:${port}/`
        const got = await runProgram(['curl', '-s', '-w', '%{http_code}', '-H', `Host: ${host}`, url])
        assert.match(got.stdout, /hello-from-the-test[^]*200$/, `${url} as ${host}`)
      }
    assert.match((await home.polebean(['why', localUrl])).stdout, /It answers: HTTP 200 from shop-prod\./)
  })

  it('a changed property reaches the application', async () => {
    await home.polebean(['setenv', '-e', 'shop-prod', 'GREETING=changed'])
    const { body } = await home.get(cname)
    assert.match(body, /changed/)
    const { stdout } = await home.polebean(['printenv', 'shop-prod'])
    assert.match(stdout, /GREETING = changed/)
  })

  it('scale, status, events, logs, why and list tell what is there', async () => {
    await home.polebean(['scale', '1', 'shop-prod'])
    const { stdout: status } = await home.polebean(['status', 'shop-prod', '--json'])
    assert.equal(JSON.parse(status).instances.length, 1)
    assert.match(
      (await home.polebean(['events', 'shop-prod'])).stdout,
      /Successfully launched environment: shop-prod/,
    )
    assert.match((await home.polebean(['logs', 'shop-prod'])).stdout, /gunicorn|GET \//)
    assert.match((await home.polebean(['why', 'shop-prod'])).stdout, /It answers: HTTP 200 from shop-prod\./)
    assert.match((await home.polebean(['list'])).stdout, /shop-prod/)
  })

  it('a broken version ends in an event that names the file and the line, and the exit status says so', async () => {
    writeFileSync(join(folder, 'application.py'), 'from flask import Flask\napplication = Flask(__name__\n')
    const { stderr, stdout } = await home.polebean(['up', folder, '--name', 'broken-app'], { status: 4 })
    assert.equal(stdout, '')
    assert.match(stderr, /application\.py:2/)
    assert.match(stderr, /SyntaxError/)
    await home.polebean(['terminate', 'broken-app', '--force'])
  })

  it('terminate leaves nothing of the environment', async () => {
    await home.polebean(['terminate', 'shop-prod', '--force'])
    const { Reservations: reservations } = await home.aws([
      'ec2',
      'describe-instances',
      '--filters',
      'Name=instance-state-name,Values=pending,running,stopping,shutting-down',
    ])
    assert.equal((reservations as unknown[]).length, 1, 'only the guestbook is left')
    assert.equal((await home.get(cname)).status, 404)
  })
})
