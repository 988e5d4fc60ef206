// From another machine: real clients through a real ssh to a real home; and its access keys by `aws iam`.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, it } from 'node:test'
import { freePort, hasSshd, startSshServer, type SshServer } from '../src/cli/testing/ssh-server.ts'
import { writeCertificate } from '../src/engines/api-tls/test-certificate.ts'
import { readCredentials } from '../src/home.ts'
import { makeTestHome, root } from './support/home.ts'

const BOTO = `
import json, os, urllib.request, boto3
endpoint = os.environ["AWS_ENDPOINT_URL"]
s3, eb = boto3.client("s3"), boto3.client("elasticbeanstalk")
bucket = eb.create_storage_location()["S3Bucket"]
s3.put_object(Bucket=bucket, Key="a b", Body=b"tunnelled")
signed = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b"})
upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
tag = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
done = s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=parts)
info = eb.retrieve_environment_info(EnvironmentName="shop-eb", InfoType="tail")["EnvironmentInfo"]
tail = info[0]["Message"]
print(json.dumps({
    "endpoint": endpoint, "signed": signed, "location": done["Location"], "tail": tail,
    "body": urllib.request.urlopen(signed).read().decode(),
    "log": urllib.request.urlopen(tail).read().decode(),
}))
`

const here = hasSshd() ? { concurrency: 1 } : { skip: 'there is no sshd; npm test installs it' }

describe('from another machine', here, () => {
  const home = makeTestHome()
  let server: SshServer
  const folder = join(home.dir, '../shop')
  before(async () => {
    server = await startSshServer()
    mkdirSync(folder)
    cpSync(join(root, 'samples/flask-guestbook'), folder, { recursive: true })
    await home.polebean(['start'])
  })
  after(async () => {
    await server.end()
    assert.deepEqual(await home.remove(), [])
  })
  const remote = async (command: string[]) => {
    const { stdout } = await home.polebean(
      [
        ...server.args(),
        '--remote-polebean',
        join(root, 'bin/polebean'),
        '--home',
        home.dir,
        '--',
        ...command,
      ],
      { cwd: folder, env: { POLEBEAN_HOME: '/nowhere' } },
    )
    return stdout
  }

  it('eb creates, deploys and shows logs through ssh', async () => {
    await remote(['eb', 'init', 'shop', '-p', 'python-3.11', '--region', 'us-west-2'])
    const created = await remote([
      'eb',
      'create',
      'shop-eb',
      '--elb-type',
      'application',
      '-c',
      'shop-eb-test',
    ])
    assert.match(created, /Successfully launched environment: shop-eb\n/)
    writeFileSync(join(folder, 'templates/book.html'), 'deployed from afar')
    assert.match(await remote(['eb', 'deploy']), /Environment update completed successfully/)
    const cname = 'shop-eb-test.us-west-2.elasticbeanstalk.localhost'
    assert.equal((await home.get(cname)).body, 'deployed from afar')
    assert.match(await remote(['eb', 'logs']), /web\.stdout\.log[^]*gunicorn/)
    assert.equal(server.connections(), 0)
  })
  it('URLs that the API hands out lead back through the tunnel', async () => {
    const saw = JSON.parse(await remote(['python', '-c', BOTO]))
    assert.notEqual(saw.endpoint, `http://127.0.0.1:${home.settings().ports.api}`)
    for (const url of [saw.location, saw.tail, saw.signed]) assert.ok(url.startsWith(`${saw.endpoint}/`), url)
    assert.equal(saw.body, 'tunnelled')
    assert.match(saw.log, /gunicorn/)
  })
  it('aws iam creates, shows, switches off and deletes keys', async () => {
    const { AccessKey } = await home.aws(['iam', 'create-access-key'])
    const made = AccessKey as { AccessKeyId: string; SecretAccessKey: string }
    const id = ['--access-key-id', made.AccessKeyId]
    const withKey = (argv: string[]) =>
      home.client([
        'env',
        `AWS_ACCESS_KEY_ID=${made.AccessKeyId}`,
        `AWS_SECRET_ACCESS_KEY=${made.SecretAccessKey}`,
        ...argv,
      ])
    assert.equal((await withKey(['aws', 's3', 'ls'])).status, 0)
    const used = await home.aws(['iam', 'get-access-key-last-used', ...id])
    const { ServiceName, Region } = used.AccessKeyLastUsed as Record<string, string>
    assert.deepEqual([ServiceName, Region], ['s3', 'us-west-2'])
    await home.polebean(['exec', '--', 'aws', 'iam', 'update-access-key', ...id, '--status', 'Inactive'])
    const { AccessKeyMetadata } = await home.aws(['iam', 'list-access-keys'])
    const status = (AccessKeyMetadata as Record<string, string>[]).map((one) => [one.AccessKeyId, one.Status])
    assert.deepEqual(
      new Map(status as [string, string][]),
      new Map([
        [readCredentials(home.dir).accessKeyId, 'Active'],
        [made.AccessKeyId, 'Inactive'],
      ]),
    )
    assert.match((await withKey(['aws', 's3', 'ls'])).stderr, /\(InvalidAccessKeyId\)/)
    assert.match(
      (await withKey(['aws', 'elasticbeanstalk', 'describe-events'])).stderr,
      /\(InvalidClientTokenId\)/,
    )
    assert.match((await withKey(['aws', 'ec2', 'describe-vpcs'])).stderr, /\(AuthFailure\)/)
    await home.polebean(['exec', '--', 'aws', 'iam', 'delete-access-key', ...id])
    const own = ['--access-key-id', readCredentials(home.dir).accessKeyId]
    assert.match(await home.awsFails(['iam', 'delete-access-key', ...own]), /\(DeleteConflict\).*last active/)
    assert.match(await home.awsFails(['iam', 'delete-access-key', ...id]), /\(NoSuchEntity\)/)
  })
  it('answers by TLS at its name once that is configured, and loads another certificate', async () => {
    const certificate = join(home.dir, '../api.pem')
    writeCertificate(certificate, 'localhost', 60)
    const tlsPort = await freePort()
    const endpoint = `https://localhost:${tlsPort}`
    const config = join(home.dir, 'config.yaml')
    const restart = async (text: string, status = 0) => {
      await home.polebean(['down'])
      writeFileSync(config, text)
      return home.polebean(['start'], { status })
    }
    const whole = `api.name: localhost\napi.certificate: ${certificate}\napi.tlsPort: ${tlsPort}\n`
    const refused = await restart('api.addresses: [0.0.0.0]\n', 1)
    assert.match(refused.stderr, /config\.yaml:1: api\.addresses cannot be 0\.0\.0\.0 without api\.name/)
    await restart(whole)
    const aws = (args: string[], trusted = certificate) =>
      home.client(['env', `AWS_ENDPOINT_URL=${endpoint}`, `AWS_CA_BUNDLE=${trusted}`, 'aws', ...args])
    const untilOk = async (trusted = certificate) => {
      for (const end = Date.now() + 20_000; ; await sleep(200)) {
        const ran = await aws(['sts', 'get-caller-identity'], trusted)
        if (ran.status === 0) return
        assert.ok(Date.now() < end, ran.stderr)
      }
    }
    await untilOk()
    const made = await aws(['s3api', 'create-bucket', '--bucket', 'by-tls', '--output', 'text'])
    assert.equal(made.stdout, `${endpoint}/by-tls\n`, made.stderr)
    const book = join(folder, 'templates/book.html')
    assert.equal((await aws(['s3', 'cp', book, 's3://by-tls/a b'])).status, 0)
    const signed = (await aws(['s3', 'presign', 's3://by-tls/a b'])).stdout.trim()
    const fetched = await home.client(['curl', '-s', '--cacert', certificate, signed])
    assert.equal(fetched.stdout, 'deployed from afar')
    const other = [
      'curl',
      '-sk',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '-H',
      'Host: evil.example',
      endpoint,
    ]
    assert.equal((await home.client(other)).stdout, '421')
    assert.match(
      (await home.polebean(['doctor'])).stdout,
      /ok +API by TLS +https:\/\/localhost:\d+ .*certificate until/,
    )
    // A file that is none changes nothing; the next good one is served, without a restart.
    const before = join(home.dir, '../before.pem')
    cpSync(certificate, before)
    writeFileSync(certificate, 'half of it')
    assert.equal((await aws(['sts', 'get-caller-identity'], before)).status, 0)
    writeCertificate(certificate, 'localhost', 3)
    await untilOk()
    const doctor = await home.polebean(['doctor'], { status: 1 })
    assert.match(
      doctor.stdout,
      /NO +API by TLS .*the certificate ends on \S+, in [23] days; put another into/,
    )
    await restart('')
    assert.equal((await aws(['sts', 'get-caller-identity'])).status, 255)
  })
  it('a rotated key works after a restart, and the old one as long as it was given', async () => {
    const old = readCredentials(home.dir)
    await home.polebean(['keys', 'rotate', '--grace', '1h'])
    await home.polebean(['down'])
    await home.polebean(['start'])
    await home.polebean(['list'])
    const keys = JSON.parse((await home.polebean(['keys', 'list', '--json'])).stdout)
    const mine = readCredentials(home.dir).accessKeyId
    assert.deepEqual(
      keys.map((key: { id: string; own: boolean; expiresAt: string | null }) => [
        key.id,
        key.own,
        key.expiresAt !== null,
      ]),
      [
        [old.accessKeyId, false, true],
        [mine, true, false],
      ],
    )
    await home.polebean(['keys', 'revoke', old.accessKeyId])
    assert.equal(JSON.parse((await home.polebean(['keys', 'list', '--json'])).stdout).length, 1)
  })
})
