// S3, IAM and STS through the gateway, driven by the AWS CLI as people type it.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { run } from '../src/kernel/process.ts'
import { seededRandom } from '../src/kernel/random.ts'
import { clientPrograms } from '../tools/test/clients.mjs'
import { startStorageServer } from './support/storage-server.ts'

describe('the AWS CLI', { concurrency: 1 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'polebean-aws-'))
  const program = join(clientPrograms(), 'aws')
  const file = (name: string) => join(dir, name)
  let server: Awaited<ReturnType<typeof startStorageServer>>
  before(async () => {
    server = await startStorageServer()
  })
  after(async () => {
    await server.close()
    rmSync(dir, { recursive: true })
  })

  const aws = async (...args: string[]) => {
    const ran = await run([program, ...args], { env: server.environment, cwd: dir, timeoutMs: 120_000 })
    return { exit: ran.exit, out: ran.stdout.toString(), said: ran.stderr.toString() }
  }
  const ok = async (...args: string[]) => {
    const { exit, out, said } = await aws(...args)
    assert.equal(exit, 0, `aws ${args.join(' ')}: ${said}`)
    return out
  }
  const random = seededRandom(3)
  const write = (name: string, bytes: number) => {
    const content = Buffer.alloc(bytes)
    for (let at = 0; at + 4 <= bytes; at += 1024) content.writeUInt32LE(random.next() * 2 ** 32, at)
    writeFileSync(file(name), content)
    return content
  }

  it('knows who it is', async () => {
    assert.equal(JSON.parse(await ok('sts', 'get-caller-identity')).Account, '000000000000')
  })
  it('makes a bucket', async () => {
    await ok('s3', 'mb', 's3://shop')
    const again = await aws('s3api', 'create-bucket', '--bucket', 'shop')
    assert.match(again.said, /IllegalLocationConstraintException/)
  })
  for (const [name, bytes] of [
    ['small', 3000],
    ['empty', 0],
    ['nine', 9 << 20],
    ['sixty', 60 << 20],
  ] as const)
    it(`copies ${name} (${bytes} bytes) there and back`, async () => {
      const content = write(name, bytes)
      await ok('s3', 'cp', name, `s3://shop/dir/${name}`, '--no-progress')
      await ok('s3', 'cp', `s3://shop/dir/${name}`, `${name}.back`, '--no-progress')
      assert.ok(readFileSync(file(`${name}.back`)).equals(content))
    })
  it('copies from key to key, in parts when it is large', async () => {
    await ok('s3', 'cp', 's3://shop/dir/nine', 's3://shop/copy', '--no-progress')
    const head = JSON.parse(await ok('s3api', 'head-object', '--bucket', 'shop', '--key', 'copy'))
    assert.equal(head.ContentLength, 9 << 20)
  })
  it('copies a stream', async () => {
    const { exit } = await run([program, 's3', 'cp', '-', 's3://shop/streamed'], {
      env: server.environment,
      stdin: 'from a pipe',
    })
    assert.equal(exit, 0)
    assert.equal(await ok('s3', 'cp', 's3://shop/streamed', '-'), 'from a pipe')
  })
  it('lists', async () => {
    const listed = await ok('s3', 'ls', 's3://shop')
    assert.match(listed, /PRE dir\//)
    assert.match(listed, /9437184 copy/)
    assert.match(await ok('s3', 'ls', 's3://shop/dir/'), /3000 small/)
  })
  it('syncs a folder with odd names both ways', async () => {
    mkdirSync(file('tree/spaced dir'), { recursive: true })
    for (const name of ['ümlaut +&%.zip', '~x', 'spaced dir/f=1;2.txt', '日本']) {
      write(`tree/${name}`, 100)
      // S3 keeps whole seconds, so a file of this very second would be newer than its own copy.
      utimesSync(file(`tree/${name}`), 1_700_000_000, 1_700_000_000)
    }
    await ok('s3', 'sync', 'tree', 's3://shop/tree', '--no-progress')
    assert.equal(await ok('s3', 'sync', 'tree', 's3://shop/tree'), '')
    await ok('s3', 'sync', 's3://shop/tree', 'back', '--no-progress')
    const compared = await run(['diff', '-r', file('tree'), file('back')])
    assert.equal(compared.exit, 0, compared.stdout.toString())
  })
  it('presigns', async () => {
    mkdirSync(file('.aws'))
    writeFileSync(file('.aws/config'), '[default]\ns3 =\n  signature_version = s3v4\n')
    const env = { ...server.environment, AWS_CONFIG_FILE: file('.aws/config') }
    const url = (await run([program, 's3', 'presign', 's3://shop/streamed'], { env })).stdout
      .toString()
      .trim()
    assert.match(url, /X-Amz-Signature=/)
    assert.equal((await run(['curl', '-sf', url])).stdout.toString(), 'from a pipe')
    const other = await run(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', `${url}0`])
    assert.equal(other.stdout.toString(), '403')
  })
  it('answers a HEAD, a range and a wrong key as AWS does', async () => {
    const range = ['--bucket', 'shop', '--key', 'streamed', '--range', 'bytes=5-5', file('range')]
    assert.equal(JSON.parse(await ok('s3api', 'get-object', ...range)).ContentRange, 'bytes 5-5/11')
    assert.equal(readFileSync(file('range'), 'utf8'), 'a')
    assert.match(
      (await aws('s3api', 'head-object', '--bucket', 'shop', '--key', 'none')).said,
      /\(404\).*Not Found/,
    )
    assert.match((await aws('s3', 'ls', 's3://none')).said, /NoSuchBucket/)
    assert.match(
      (await aws('s3', 'cp', 'small', 's3://shop/x', '--acl', 'public-read')).said,
      /AccessControlListNotSupported/,
    )
  })
  it('removes all of it', async () => {
    assert.match((await aws('s3', 'rb', 's3://shop')).said, /BucketNotEmpty/)
    await ok('s3', 'rm', 's3://shop', '--recursive', '--quiet')
    await ok('s3', 'rb', 's3://shop')
    assert.equal(await ok('s3', 'ls'), '')
  })
  it('makes the instance profile of eb create', async () => {
    const role = 'aws-elasticbeanstalk-ec2-role'
    const trust = '{"Version":"2012-10-17","Statement":[]}'
    const create = ['iam', 'create-role', '--role-name', role, '--assume-role-policy-document', trust]
    await ok(...create)
    assert.match(
      (await aws(...create)).said,
      /EntityAlreadyExists.*Role with name aws-elasticbeanstalk-ec2-role already exists/,
    )
    await ok(
      'iam',
      'attach-role-policy',
      '--role-name',
      role,
      '--policy-arn',
      'arn:aws:iam::aws:policy/AWSElasticBeanstalkWebTier',
    )
    await ok('iam', 'create-instance-profile', '--instance-profile-name', role)
    await ok('iam', 'add-role-to-instance-profile', '--instance-profile-name', role, '--role-name', role)
    const listed = JSON.parse(await ok('iam', 'list-roles'))
    assert.equal(listed.Roles[0].AssumeRolePolicyDocument.Version, '2012-10-17')
    assert.match((await aws('iam', 'create-user', '--user-name', 'ada')).said, /CreateUser/)
  })
  it('met no bug', () => {
    assert.equal(server.counters().bugs, 0)
  })
})
