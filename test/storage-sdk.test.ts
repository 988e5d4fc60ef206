// S3, IAM and STS through the gateway, driven by the AWS SDK for JavaScript and by plain HTTP.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import * as iam from '@aws-sdk/client-iam'
import * as s3 from '@aws-sdk/client-s3'
import * as sts from '@aws-sdk/client-sts'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { credentials, region, startStorageServer } from './support/storage-server.ts'

type Server = Awaited<ReturnType<typeof startStorageServer>>

const Bucket = 'shop-bucket'
let server: Server
let client: s3.S3Client
const settings = () => ({ region, credentials, endpoint: server.endpoint, maxAttempts: 1 })

before(async () => {
  server = await startStorageServer()
  client = new s3.S3Client({ ...settings(), forcePathStyle: true })
  await client.send(new s3.CreateBucketCommand({ Bucket }))
})
after(async () => {
  client.destroy()
  await server.close()
})

const put = (
  Key: string,
  Body: s3.PutObjectCommandInput['Body'],
  more: Partial<s3.PutObjectCommandInput> = {},
) => client.send(new s3.PutObjectCommand({ Bucket, Key, Body, ...more }))
const get = async (Key: string, more: Partial<s3.GetObjectCommandInput> = {}) => {
  const answer = await client.send(new s3.GetObjectCommand({ Bucket, Key, ...more }))
  return { ...answer, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) }
}
const code = (name: string, httpStatus: number) => (error: unknown) =>
  error instanceof s3.S3ServiceException &&
  error.name === name &&
  error.$metadata.httpStatusCode === httpStatus

describe('S3 by the SDK', () => {
  for (const key of [
    'a/../b',
    './c',
    'a//b',
    '/lead',
    'ümlaut +&%.zip',
    "~!*'()=@:,;$?#[]",
    '😀',
    'trailing/',
  ])
    it(`keeps and answers ${key}`, async () => {
      const Body = `content of ${key}`
      await put(key, Body, { ContentType: 'text/plain; charset=utf-8', Metadata: { colour: 'blue' } })
      const answer = await get(key, { ChecksumMode: 'ENABLED' })
      assert.equal(answer.bytes.toString(), Body)
      assert.deepEqual(
        [answer.ContentType, answer.Metadata, answer.ChecksumType],
        ['text/plain; charset=utf-8', { colour: 'blue' }, 'FULL_OBJECT'],
      )
      const { Contents } = await client.send(new s3.ListObjectsV2Command({ Bucket, Prefix: key }))
      assert.ok(Contents?.some(({ Key }) => Key === key))
      await client.send(new s3.DeleteObjectCommand({ Bucket, Key: key }))
      await assert.rejects(get(key), code('NoSuchKey', 404))
    })
  it('takes a stream, chunked and with its checksum behind it', async () => {
    const chunks = Array.from({ length: 50 }, (_, index) => Buffer.alloc(70_000, index))
    const bytes = Buffer.concat(chunks)
    for (const ChecksumAlgorithm of ['CRC32', 'SHA256', 'SHA1'] as const) {
      await put('stream', Readable.from(chunks), { ContentLength: bytes.length, ChecksumAlgorithm })
      assert.ok((await get('stream', { ChecksumMode: 'ENABLED' })).bytes.equals(bytes))
    }
  })
  it('answers ranges and conditions', async () => {
    const { ETag } = await put('range', '0123456789')
    const part = await get('range', { Range: 'bytes=3-5' })
    assert.deepEqual(
      [part.bytes.toString(), part.$metadata.httpStatusCode, part.ContentRange],
      ['345', 206, 'bytes 3-5/10'],
    )
    await assert.rejects(get('range', { Range: 'bytes=99-' }), code('InvalidRange', 416))
    await assert.rejects(get('range', { IfMatch: '"no"' }), code('PreconditionFailed', 412))
    await assert.rejects(
      get('range', { IfNoneMatch: ETag }),
      (error) => error instanceof s3.S3ServiceException && error.$metadata.httpStatusCode === 304,
    )
    await assert.rejects(put('range', 'x', { IfNoneMatch: '*' }), code('PreconditionFailed', 412))
  })
  it('refuses a body that is not what was announced, and keeps nothing of it', async () => {
    const ContentMD5 = createHash('md5').update('other').digest('base64')
    await assert.rejects(put('bad', 'body', { ContentMD5 }), code('BadDigest', 400))
    await assert.rejects(put('bad', 'body', { ChecksumCRC32: 'AAAAAA==' }), code('BadDigest', 400))
    await assert.rejects(get('bad'), code('NoSuchKey', 404))
    assert.deepEqual(readdirSync(join(server.dir, 'objects', 'incoming')), [])
  })
  it('lists page by page', async () => {
    for (let index = 0; index < 7; index++) await put(`page/${index % 3}/${index}`, 'x')
    const pages = s3.paginateListObjectsV2(
      { client, pageSize: 2 },
      { Bucket, Prefix: 'page/', Delimiter: '/' },
    )
    const prefixes = (await Array.fromAsync(pages)).flatMap((page) => page.CommonPrefixes ?? [])
    assert.deepEqual(prefixes, [{ Prefix: 'page/0/' }, { Prefix: 'page/1/' }, { Prefix: 'page/2/' }])
    const { Contents } = await client.send(
      new s3.ListObjectsCommand({ Bucket, Prefix: 'page/', Marker: 'page/1/4' }),
    )
    assert.deepEqual(
      Contents?.map(({ Key }) => Key),
      ['page/2/2', 'page/2/5'],
    )
  })
  it('uploads in parts', async () => {
    const Key = 'parts'
    const { UploadId } = await client.send(
      new s3.CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'SHA256' }),
    )
    const bodies = [Buffer.alloc(5 * 2 ** 20, 'a'), Buffer.from('end')]
    const Parts: s3.CompletedPart[] = []
    for (const [index, Body] of bodies.entries()) {
      const PartNumber = index + 1
      const { ETag, ChecksumSHA256 } = await client.send(
        new s3.UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm: 'SHA256' }),
      )
      Parts.push({ ETag, ChecksumSHA256, PartNumber })
    }
    const listed = await client.send(new s3.ListPartsCommand({ Bucket, Key, UploadId }))
    assert.deepEqual(
      listed.Parts?.map(({ Size }) => Size),
      [5 * 2 ** 20, 3],
    )
    const input = { Bucket, Key, UploadId, MultipartUpload: { Parts } }
    const { ETag, ChecksumType } = await client.send(new s3.CompleteMultipartUploadCommand(input))
    assert.match(ETag ?? '', /^"[0-9a-f]{32}-2"$/)
    assert.equal(ChecksumType, 'COMPOSITE')
    assert.ok((await get(Key)).bytes.equals(Buffer.concat(bodies)))
  })
  it('deletes many', async () => {
    for (const key of ['many/<1>', 'many/&2']) await put(key, 'x')
    const Objects = [{ Key: 'many/<1>' }, { Key: 'many/&2' }]
    const { Deleted } = await client.send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    assert.deepEqual(Deleted, Objects)
  })
  it('answers a presigned GET to whoever has the URL, and to nobody without', async () => {
    await put('dir/ü b.txt', 'hello')
    const command = new s3.GetObjectCommand({ Bucket, Key: 'dir/ü b.txt', ResponseContentType: 'text/x-own' })
    const url = await getSignedUrl(client, command, { expiresIn: 60 })
    const answer = await fetch(url)
    assert.deepEqual([await answer.text(), answer.headers.get('content-type')], ['hello', 'text/x-own'])
    assert.equal((await fetch(url.replace('dir/', 'dir2/'))).status, 403)
    assert.equal((await fetch(`${server.endpoint}/${Bucket}/dir/%C3%BC%20b.txt`)).status, 403)
    // By default the SDK signs the checksum of an empty body into the URL, which AWS refuses later, and so do we.
    const plain = new s3.S3Client({
      ...settings(),
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    })
    const putUrl = await getSignedUrl(plain, new s3.PutObjectCommand({ Bucket, Key: 'by-url' }), {
      expiresIn: 60,
    })
    assert.equal((await fetch(putUrl, { method: 'PUT', body: 'given' })).status, 200)
    assert.equal((await get('by-url')).bytes.toString(), 'given')
  })
  it('says of a bucket that it is missing, owned or not empty', async () => {
    const missing = 'missing-bucket'
    await assert.rejects(
      client.send(new s3.ListObjectsV2Command({ Bucket: missing })),
      code('NoSuchBucket', 404),
    )
    await assert.rejects(client.send(new s3.HeadBucketCommand({ Bucket: missing })), code('NotFound', 404))
    await assert.rejects(
      client.send(new s3.CreateBucketCommand({ Bucket })),
      code('BucketAlreadyOwnedByYou', 409),
    )
    await put('full', 'x')
    await assert.rejects(client.send(new s3.DeleteBucketCommand({ Bucket })), code('BucketNotEmpty', 409))
    await assert.rejects(
      client.send(new s3.GetBucketPolicyCommand({ Bucket })),
      code('NoSuchBucketPolicy', 404),
    )
    const { Buckets } = await client.send(new s3.ListBucketsCommand({}))
    assert.deepEqual(
      Buckets?.map(({ Name }) => Name),
      [Bucket],
    )
  })
  it('takes 600 MB without holding them in memory', async () => {
    const chunk = Buffer.alloc(2 ** 20, 'x')
    const count = 600
    const before = process.memoryUsage().rss
    let most = before
    function* chunks() {
      for (let index = 0; index < count; index++) {
        most = Math.max(most, process.memoryUsage().rss)
        yield chunk
      }
    }
    await put('large', Readable.from(chunks()), { ContentLength: count * chunk.length })
    const head = await client.send(new s3.HeadObjectCommand({ Bucket, Key: 'large' }))
    assert.equal(head.ContentLength, count * chunk.length)
    // Client and server are one process here.
    assert.ok(most - before < 200 * 2 ** 20, `${Math.round((most - before) / 2 ** 20)} MiB more`)
    await client.send(new s3.DeleteObjectCommand({ Bucket, Key: 'large' }))
  })
  it('keeps nothing of an upload that the client breaks off', async () => {
    const over = new AbortController()
    const body = Readable.from(
      (async function* () {
        yield Buffer.alloc(2 ** 20)
        over.abort()
        yield Buffer.alloc(2 ** 20)
      })(),
    )
    const command = new s3.PutObjectCommand({ Bucket, Key: 'broken', Body: body, ContentLength: 4 * 2 ** 20 })
    await assert.rejects(client.send(command, { abortSignal: over.signal }))
    await assert.rejects(get('broken'), code('NoSuchKey', 404))
  })
})

describe('IAM and STS by the SDK', () => {
  it('STS answers the account', async () => {
    const who = await new sts.STSClient(settings()).send(new sts.GetCallerIdentityCommand({}))
    assert.deepEqual([who.Account, who.Arn], ['000000000000', 'arn:aws:iam::000000000000:root'])
  })
  it('IAM keeps a role and its profile', async () => {
    const client = new iam.IAMClient(settings())
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [] })
    const RoleName = 'aws-elasticbeanstalk-ec2-role'
    await client.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))
    await client.send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: RoleName }))
    await client.send(new iam.AddRoleToInstanceProfileCommand({ InstanceProfileName: RoleName, RoleName }))
    const { InstanceProfile } = await client.send(
      new iam.GetInstanceProfileCommand({ InstanceProfileName: RoleName }),
    )
    assert.equal(InstanceProfile?.Roles?.[0]?.RoleName, RoleName)
    await assert.rejects(
      client.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument })),
      (error) => error instanceof iam.EntityAlreadyExistsException && error.$metadata.httpStatusCode === 409,
    )
    await assert.rejects(
      client.send(new iam.GetRoleCommand({ RoleName: 'none' })),
      (error) => error instanceof iam.NoSuchEntityException && error.$metadata.httpStatusCode === 404,
    )
    await assert.rejects(client.send(new iam.CreateUserCommand({ UserName: 'ada' })), /CreateUser/)
  })
})
