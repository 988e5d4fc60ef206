// From another machine: real clients through a real ssh to a real home; and its access keys by `aws iam`.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, it } from 'node:test'
import { hasSshd, startSshServer, type SshServer } from '../src/cli/testing/ssh-server.ts'
import { freePort } from '../src/kernel/test-ports.ts'
import { writeCertificate } from '../src/kernel/test-certificate.ts'
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

const BY_TLS = `
import json, os, boto3
s3, eb = boto3.client("s3"), boto3.client("elasticbeanstalk")
where = {"LocationConstraint": "us-west-2"}
made = s3.create_bucket(Bucket="by-tls", CreateBucketConfiguration=where)
s3.put_object(Bucket="by-tls", Key="a b/ü", Body=b"by TLS")
signed = s3.generate_presigned_url("get_object", Params={"Bucket": "by-tls", "Key": "a b/ü"})
info = eb.retrieve_environment_info(EnvironmentName="shop-eb", InfoType="tail")["EnvironmentInfo"]
print(json.dumps({"location": made["Location"], "signed": signed, "tail": info[0]["Message"]}))
`

/** What services answer to a key that is not valid. */
const REFUSED = `
import json, boto3
from botocore.exceptions import ClientError
def code(call):
    try: call()
    except ClientError as error: return error.response["Error"]["Code"]
print(json.dumps([
    code(boto3.client("s3").list_buckets),
    code(boto3.client("elasticbeanstalk").describe_environments),
    code(boto3.client("ec2").describe_vpcs),
    code(boto3.client("iam").list_access_keys),
]))
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
    await home.polebean(['up', folder, '--name', 'shop-eb'])
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

  it('eb deploys and shows logs through ssh', async () => {
    await remote(['eb', 'init', 'shop-eb', '-p', 'python-3.11', '--region', 'us-west-2'])
    await remote(['eb', 'use', 'shop-eb'])
    writeFileSync(join(folder, 'templates/book.html'), 'deployed from afar')
    assert.match(await remote(['eb', 'deploy']), /Environment update completed successfully/)
    const cname = 'shop-eb.us-west-2.elasticbeanstalk.localhost'
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
    assert.deepEqual(JSON.parse((await withKey(['python', '-c', REFUSED])).stdout), [
      'InvalidAccessKeyId',
      'InvalidClientTokenId',
      'AuthFailure',
      'InvalidClientTokenId',
    ])
    await home.polebean(['exec', '--', 'aws', 'iam', 'delete-access-key', ...id])
    const own = ['--access-key-id', readCredentials(home.dir).accessKeyId]
    assert.match(await home.awsFails(['iam', 'delete-access-key', ...own]), /\(DeleteConflict\).*last active/)
  })
  it('a rotated key works after a restart, the old one as long as it was given; and the API by TLS', async () => {
    const old = readCredentials(home.dir)
    await home.polebean(['keys', 'rotate', '--grace', '1h'])
    const certificate = join(home.dir, '../api.pem')
    writeCertificate(certificate, 'localhost', 60)
    const tlsPort = await freePort()
    const endpoint = `https://localhost:${tlsPort}`
    const config = join(home.dir, 'config.yaml')
    await home.polebean(['down'])
    writeFileSync(config, 'api.addresses: [0.0.0.0]\n')
    const refused = await home.polebean(['start'], { status: 1 })
    assert.match(refused.stderr, /config\.yaml:1: api\.addresses cannot be 0\.0\.0\.0 without api\.name/)
    writeFileSync(config, `api.name: localhost\napi.certificate: ${certificate}\napi.tlsPort: ${tlsPort}\n`)
    await home.polebean(['start'])

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

    const curl = async (args: string[]) => (await home.client(['curl', '-s', ...args])).stdout
    const answersWith = async (trusted: string) => {
      for (const end = Date.now() + 20_000; ; await sleep(100)) {
        const said = await curl(['--cacert', trusted, `${endpoint}/healthz`])
        if (said === `${home.settings().id}\n`) return
        assert.ok(Date.now() < end, `it does not answer with ${trusted}: ${said}`)
      }
    }
    await answersWith(certificate)
    const ran = await home.client([
      ...['env', `AWS_ENDPOINT_URL=${endpoint}`, `AWS_CA_BUNDLE=${certificate}`, 'python', '-c', BY_TLS],
    ])
    assert.equal(ran.status, 0, ran.stderr)
    const { location, signed, tail } = JSON.parse(ran.stdout)
    for (const url of [location, signed, tail]) assert.ok(url.startsWith(`${endpoint}/`), url)
    assert.equal(await curl(['--cacert', certificate, signed]), 'by TLS')
    assert.match(await curl(['--cacert', certificate, tail]), /gunicorn/)
    assert.equal(
      await curl(['-k', '-o', '/dev/null', '-w', '%{http_code}', '-H', 'Host: evil.example', endpoint]),
      '421',
    )
    assert.match(
      (await home.polebean(['doctor'])).stdout,
      /ok +API by TLS +https:\/\/localhost:\d+ .*certificate until/,
    )
    // A file that is none changes nothing; the next good one is served, without a restart.
    const before = join(home.dir, '../before.pem')
    cpSync(certificate, before)
    writeFileSync(certificate, 'half of it')
    await answersWith(before)
    writeCertificate(certificate, 'localhost', 3)
    await answersWith(certificate)
    const doctor = await home.polebean(['doctor'], { status: 1 })
    assert.match(
      doctor.stdout,
      /NO +API by TLS .*the certificate ends on \S+, in [23] days; put another into/,
    )
  })
})
