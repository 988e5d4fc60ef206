import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { code, context, makeFixture } from './testing/fixture.ts'

const Bucket = 'bucket'
const md5 = (text: string) => createHash('md5').update(text).digest('hex')

function filled() {
  const fixture = makeFixture()
  fixture.createBucket()
  return fixture
}

describe('objects', () => {
  it('answer what was put, with its etag, type and metadata', async () => {
    const { s3, put, text } = filled()
    const { ETag } = await put('key', 'hello', {
      ContentType: 'text/plain',
      ContentEncoding: 'aws-chunked,gzip',
      CacheControl: 'no-cache',
      Metadata: { colour: 'blue' },
    })
    assert.equal(ETag, `"${md5('hello')}"`)
    assert.equal(await text('key'), 'hello')
    const head = s3.headObject(context, { Bucket, Key: 'key' })
    assert.deepEqual(
      [
        head.ContentLength,
        head.ContentType,
        head.ContentEncoding,
        head.CacheControl,
        head.Metadata,
        head.ETag,
      ],
      [5, 'text/plain', 'gzip', 'no-cache', { colour: 'blue' }, ETag],
    )
    assert.equal(head.LastModified?.toISOString(), '2026-11-23T12:00:00.000Z')
  })
  it('are known to other services by their bytes', async () => {
    const { internal, put } = filled()
    await put('key', 'hello')
    const body = internal.objectBody(context, Bucket, 'key')
    assert.equal(body?.bytes, 5)
    assert.equal(body?.sha256Hex, createHash('sha256').update('hello').digest('hex'))
    assert.equal(internal.objectBody(context, Bucket, 'other'), undefined)
    assert.equal(internal.objectBody(context, 'other', 'key'), undefined)
  })
  for (const key of [
    'a/../b',
    '/lead',
    'ümlaut +&%.zip',
    "~!*'()",
    'a//b',
    ' ',
    '☃',
    '😀',
    '../../etc/passwd',
    'a\nb',
  ])
    it(`have keys that are no paths: ${JSON.stringify(key)}`, async () => {
      const { put, text, keys } = filled()
      await put(key, 'content')
      assert.equal(await text(key), 'content')
      assert.deepEqual(keys(), [key])
    })
  it('have keys of at most 1,024 bytes', async () => {
    const { put } = filled()
    await put('ü'.repeat(512))
    await assert.rejects(put('ü'.repeat(512) + 'a'), code('KeyTooLongError', 400))
  })
  it('need their bucket', async () => {
    const { s3, put } = makeFixture()
    await assert.rejects(put('key'), code('NoSuchBucket', 404))
    assert.throws(() => s3.getObject(context, { Bucket, Key: 'key' }), code('NoSuchBucket', 404))
  })
  it('are not there until they are put, and not any more when they are deleted', async () => {
    const { s3, put } = filled()
    assert.throws(() => s3.headObject(context, { Bucket, Key: 'key' }), code('NoSuchKey', 404))
    await put('key')
    assert.deepEqual(s3.deleteObject(context, { Bucket, Key: 'key' }), {})
    assert.deepEqual(s3.deleteObject(context, { Bucket, Key: 'key' }), {})
    assert.throws(() => s3.getObject(context, { Bucket, Key: 'key' }), code('NoSuchKey', 404))
  })
  it('are not there when their body fails', async () => {
    const { put, keys, objects } = filled()
    const failed = new Error('the signature does not match')
    const broken = (async function* () {
      yield Buffer.from('half')
      throw failed
    })()
    await assert.rejects(put('key', '', { Body: broken }), failed)
    assert.deepEqual(keys(), [])
    assert.deepEqual(await objects.list(), [])
  })
  it('are not there when their bucket went while the body came', async () => {
    const { s3, put, objects } = filled()
    const body = (async function* () {
      yield Buffer.from('x')
      s3.deleteBucket(context, { Bucket })
    })()
    await assert.rejects(put('key', '', { Body: body }), code('NoSuchBucket'))
    assert.deepEqual(await objects.list(), [])
  })
  it('verify Content-MD5 and Content-Length', async () => {
    const { put } = filled()
    const ContentMD5 = Buffer.from(md5('hello'), 'hex').toString('base64')
    await put('key', 'hello', { ContentMD5, ContentLength: 5 })
    await assert.rejects(put('key', 'hallo', { ContentMD5 }), code('BadDigest', 400))
    await assert.rejects(put('key', 'hello', { ContentMD5: 'short' }), code('InvalidDigest', 400))
    await assert.rejects(put('key', 'hello', { ContentLength: 6 }), code('InvalidRequest', 400))
  })
  it('are at most 5 GiB in one PUT', async () => {
    const { put } = filled()
    await assert.rejects(put('key', 'x', { ContentLength: 5 * 2 ** 30 + 1 }), code('EntityTooLarge', 400))
  })
  it('have at most 2 KB of metadata', async () => {
    const { put } = filled()
    await assert.rejects(
      put('key', 'x', { Metadata: { big: 'x'.repeat(2046) } }),
      code('MetadataTooLarge', 400),
    )
  })
  it('refuse what would have no effect', async () => {
    const { put } = filled()
    await assert.rejects(put('key', 'x', { ServerSideEncryption: 'AES256' }), /x-amz-server-side-encryption/)
    await assert.rejects(put('key', 'x', { StorageClass: 'GLACIER' }), code('NotImplemented', 501))
    await assert.rejects(put('key', 'x', { ACL: 'public-read' }), code('AccessControlListNotSupported', 400))
    await put('key', 'x', { ACL: 'bucket-owner-full-control', StorageClass: 'STANDARD' })
  })
  it('answer ranges', async () => {
    const { s3, put, text } = filled()
    await put('key', '0123456789')
    const Key = 'key'
    assert.equal(await text('key', { Range: 'bytes=2-4' }), '234')
    assert.equal(await text('key', { Range: 'bytes=7-' }), '789')
    assert.equal(await text('key', { Range: 'bytes=-3' }), '789')
    assert.equal(await text('key', { Range: 'bytes=8-99' }), '89')
    assert.equal(await text('key', { Range: 'lines=1-2' }), '0123456789')
    const { $status, ContentRange, ContentLength } = s3.headObject(context, {
      Bucket,
      Key,
      Range: 'bytes=2-4',
    })
    assert.deepEqual([$status, ContentRange, ContentLength], [206, 'bytes 2-4/10', 3])
    assert.throws(
      () => s3.headObject(context, { Bucket, Key, Range: 'bytes=10-' }),
      code('InvalidRange', 416),
    )
  })
  it('answer conditions', async () => {
    const { s3, put } = filled()
    const { ETag } = await put('key', 'hello')
    const head = (input: object) => s3.headObject(context, { Bucket, Key: 'key', ...input })
    assert.equal(head({ IfMatch: ETag }).$status, undefined)
    assert.throws(() => head({ IfMatch: '"other"' }), code('PreconditionFailed', 412))
    assert.equal(head({ IfNoneMatch: ETag }).$status, 304)
    assert.equal(head({ IfNoneMatch: '"other"' }).$status, undefined)
    const modified = new Date('2026-11-23T12:00:00Z')
    const before = new Date('2026-11-23T11:59:59Z')
    assert.equal(head({ IfModifiedSince: modified }).$status, 304)
    assert.equal(head({ IfModifiedSince: before }).$status, undefined)
    assert.throws(() => head({ IfUnmodifiedSince: before }), code('PreconditionFailed', 412))
    assert.equal(head({ IfUnmodifiedSince: before, IfMatch: ETag }).$status, undefined)
    const { Body, $status } = s3.getObject(context, { Bucket, Key: 'key', IfNoneMatch: '*' })
    assert.deepEqual([Body, $status], [undefined, 304])
  })
  it('are written on condition', async () => {
    const { put, text } = filled()
    const { ETag } = await put('key', 'one', { IfNoneMatch: '*' })
    await assert.rejects(put('key', 'two', { IfNoneMatch: '*' }), code('PreconditionFailed', 412))
    await assert.rejects(put('key', 'two', { IfMatch: '"other"' }), code('PreconditionFailed', 412))
    await assert.rejects(put('none', 'two', { IfMatch: '*' }), code('NoSuchKey', 404))
    await put('key', 'two', { IfMatch: ETag })
    assert.equal(await text('key'), 'two')
  })
  it('lets one of two writers at the same time create', async () => {
    const { put } = filled()
    const results = await Promise.allSettled([
      put('key', 'a', { IfNoneMatch: '*' }),
      put('key', 'b', { IfNoneMatch: '*' }),
    ])
    assert.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  })
  it('are deleted many at once, each with its own answer', async () => {
    const { s3, put, keys } = filled()
    for (const key of ['a', 'b', 'c']) await put(key)
    const Objects = [
      { Key: 'a' },
      { Key: 'missing' },
      { Key: 'b', VersionId: 'v1' },
      { Key: 'c', ETag: 'other' },
    ]
    const { Deleted, Errors } = s3.deleteObjects(context, { Bucket, Delete: { Objects } })
    assert.deepEqual(
      Deleted?.map(({ Key }) => Key),
      ['a', 'missing'],
    )
    assert.deepEqual(
      Errors?.map(({ Key, Code }) => [Key, Code]),
      [
        ['b', 'NoSuchVersion'],
        ['c', 'PreconditionFailed'],
      ],
    )
    assert.deepEqual(
      s3.deleteObjects(context, { Bucket, Delete: { Objects: [{ Key: 'b' }], Quiet: true } }).Deleted,
      [],
    )
    assert.deepEqual(keys(), ['c'])
    assert.throws(
      () => s3.deleteObjects(context, { Bucket, Delete: { Objects: [] } }),
      code('MalformedXML', 400),
    )
  })
  it('are copied with or without what is said of them', async () => {
    const { s3, put, text } = filled()
    await put('a b/ü', 'hello', { ContentType: 'text/plain', Metadata: { colour: 'blue' }, Tagging: 'k=v' })
    const CopySource = `/${Bucket}/${encodeURIComponent('a b/ü')}`
    await s3.copyObject(context, { Bucket, Key: 'same', CopySource })
    const same = s3.headObject(context, { Bucket, Key: 'same' })
    assert.deepEqual(
      [await text('same'), same.ContentType, same.Metadata, same.TagCount],
      ['hello', 'text/plain', { colour: 'blue' }, 1],
    )
    await s3.copyObject(context, {
      Bucket,
      Key: 'new',
      CopySource,
      MetadataDirective: 'REPLACE',
      ContentType: 'text/html',
    })
    const replaced = s3.headObject(context, { Bucket, Key: 'new' })
    assert.deepEqual([replaced.ContentType, replaced.Metadata], ['text/html', {}])
    await assert.rejects(
      s3.copyObject(context, { Bucket, Key: 'x', CopySource: 'bucket/none' }),
      code('NoSuchKey', 404),
    )
    await assert.rejects(
      s3.copyObject(context, { Bucket, Key: 'x', CopySource: 'bucket' }),
      code('InvalidArgument', 400),
    )
    await assert.rejects(
      s3.copyObject(context, { Bucket, Key: 'same', CopySource: `${Bucket}/same` }),
      /illegal/,
    )
  })
  it('carry tags', async () => {
    const { s3, put } = filled()
    await put('key', 'x', { Tagging: 'a=1&b=two%20words' })
    const Key = 'key'
    assert.deepEqual(s3.getObjectTagging(context, { Bucket, Key }).TagSet, [
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: 'two words' },
    ])
    s3.deleteObjectTagging(context, { Bucket, Key })
    assert.deepEqual(s3.getObjectTagging(context, { Bucket, Key }).TagSet, [])
    const TagSet = Array.from({ length: 11 }, (_, index) => ({ Key: String(index), Value: '' }))
    assert.throws(
      () => s3.putObjectTagging(context, { Bucket, Key, Tagging: { TagSet } }),
      code('BadRequest', 400),
    )
    await assert.rejects(put('key', 'x', { Tagging: 'a=1&a=2' }), code('InvalidTag', 400))
  })
  it('say that the disk is full by an error that is not retried', async () => {
    const { makeFakeObjects } = await import('../../engines/objects/fake.ts')
    const { createBucket, put } = makeFixture(makeFakeObjects({ bytesTotalMax: 10 }))
    createBucket()
    await assert.rejects(put('key', 'longer than ten'), code('InsufficientStorage', 507))
  })
})
