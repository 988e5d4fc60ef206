import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { code, context, makeFixture } from './testing/fixture.ts'

const Bucket = 'bucket'

describe('buckets', () => {
  it('are created, found, listed and deleted', () => {
    const { s3, createBucket } = makeFixture()
    assert.deepEqual(createBucket(), { Location: 'http://127.0.0.1:9/bucket' })
    createBucket('another')
    assert.equal(s3.headBucket(context, { Bucket }).BucketRegion, 'us-west-2')
    assert.deepEqual(s3.getBucketLocation(context, { Bucket }), { LocationConstraint: 'us-west-2' })
    const { Buckets } = s3.listBuckets(context, {})
    assert.deepEqual(
      Buckets?.map(({ Name, CreationDate }) => [Name, CreationDate?.toISOString()]),
      [
        ['another', '2026-11-23T12:00:00.000Z'],
        ['bucket', '2026-11-23T12:00:00.000Z'],
      ],
    )
    s3.deleteBucket(context, { Bucket })
    assert.throws(() => s3.headBucket(context, { Bucket }), code('NoSuchBucket', 404))
    assert.throws(() => s3.deleteBucket(context, { Bucket }), code('NoSuchBucket', 404))
  })
  it('page by page, by prefix', () => {
    const { s3, createBucket } = makeFixture()
    for (const name of ['aa1', 'aa2', 'aa3', 'bb1']) createBucket(name)
    const first = s3.listBuckets(context, { MaxBuckets: 2, Prefix: 'aa' })
    const { ContinuationToken } = first
    const second = s3.listBuckets(context, { MaxBuckets: 2, Prefix: 'aa', ContinuationToken })
    assert.deepEqual([first.Buckets?.length, second.Buckets?.map(({ Name }) => Name)], [2, ['aa3']])
    assert.equal(second.ContinuationToken, undefined)
  })
  for (const name of [
    'ab',
    'a'.repeat(64),
    'Upper',
    'a_b',
    '-ab',
    'ab-',
    'a..b',
    '10.0.0.1',
    'xn--ab',
    'ab-s3alias',
    'ü12',
  ])
    it(`refuses the name ${name}`, () => {
      const { createBucket } = makeFixture()
      assert.throws(() => createBucket(name), code('InvalidBucketName', 400))
    })
  it('are not created twice, except in us-east-1', () => {
    const { s3, createBucket } = makeFixture()
    createBucket()
    assert.throws(() => createBucket(), code('BucketAlreadyOwnedByYou', 409))
    const east = { ...context, region: 'us-east-1' }
    s3.createBucket(east, { Bucket: 'eastern' })
    assert.deepEqual(s3.createBucket(east, { Bucket: 'eastern' }), { Location: '/eastern' })
    assert.deepEqual(s3.getBucketLocation(east, { Bucket: 'eastern' }), {})
  })
  it('must be given the region they are in, except us-east-1', () => {
    const { s3 } = makeFixture()
    assert.throws(() => s3.createBucket(context, { Bucket }), code('IllegalLocationConstraintException', 400))
    const CreateBucketConfiguration = { LocationConstraint: 'eu-west-1' as const }
    assert.throws(
      () => s3.createBucket(context, { Bucket, CreateBucketConfiguration }),
      /The eu-west-1 location constraint is incompatible/,
    )
  })
  it('are deleted only when empty; unfinished uploads go with them', async () => {
    const { s3, createBucket, put, store } = makeFixture()
    createBucket()
    await put('key')
    assert.throws(() => s3.deleteBucket(context, { Bucket }), code('BucketNotEmpty', 409))
    s3.deleteObject(context, { Bucket, Key: 'key' })
    s3.createMultipartUpload(context, { Bucket, Key: 'key' })
    s3.deleteBucket(context, { Bucket })
    assert.deepEqual(store.all('select * from s3_upload'), [])
  })
  it('refuse a caller who expects another owner', () => {
    const { s3, createBucket } = makeFixture()
    createBucket()
    assert.throws(
      () => s3.headBucket(context, { Bucket, ExpectedBucketOwner: '111111111111' }),
      code('AccessDenied', 403),
    )
  })
  it('answer settings that were never made as AWS does', () => {
    const { s3, createBucket } = makeFixture()
    createBucket()
    assert.deepEqual(s3.getBucketVersioning(context, { Bucket }), {})
    assert.throws(() => s3.getBucketPolicy(context, { Bucket }), code('NoSuchBucketPolicy', 404))
    assert.throws(() => s3.getBucketTagging(context, { Bucket }), code('NoSuchTagSet', 404))
    assert.equal(s3.getBucketAcl(context, { Bucket }).Grants?.[0]?.Permission, 'FULL_CONTROL')
    assert.throws(() => s3.getBucketVersioning(context, { Bucket: 'missing' }), code('NoSuchBucket', 404))
  })
  it('refuse to be made public, encrypted or locked', () => {
    const { s3, createBucket } = makeFixture()
    createBucket()
    assert.throws(
      () => s3.putBucketAcl(context, { Bucket, ACL: 'public-read' }),
      code('AccessControlListNotSupported'),
    )
    const PublicAccessBlockConfiguration = { BlockPublicAcls: false }
    assert.throws(
      () => s3.putPublicAccessBlock(context, { Bucket, PublicAccessBlockConfiguration }),
      code('NotImplemented', 501),
    )
    assert.throws(
      () => s3.createBucket(context, { Bucket: 'locked', ObjectLockEnabledForBucket: true }),
      code('NotImplemented', 501),
    )
  })
  it('carry tags', () => {
    const { s3, createBucket } = makeFixture()
    createBucket()
    const TagSet = [{ Key: 'team', Value: 'shop' }]
    s3.putBucketTagging(context, { Bucket, Tagging: { TagSet } })
    assert.deepEqual(s3.getBucketTagging(context, { Bucket }), { TagSet })
    s3.deleteBucketTagging(context, { Bucket })
    assert.throws(() => s3.getBucketTagging(context, { Bucket }), code('NoSuchTagSet', 404))
  })
  it('are made for other services once', () => {
    const { internal, s3 } = makeFixture()
    internal.ensureBucket(context, 'elasticbeanstalk-us-west-2-000000000000')
    internal.ensureBucket(context, 'elasticbeanstalk-us-west-2-000000000000')
    assert.equal(s3.listBuckets(context, {}).Buckets?.length, 1)
  })
})
